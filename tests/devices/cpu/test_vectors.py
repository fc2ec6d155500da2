"""Complex vectors in compiled loops: arithmetic, loads and stores, transposition, against NumPy."""

import numpy as np
import pytest

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier.plans import line_width
from epmpi.devices.cpu.vector_memory import (
    broadcast,
    lanes,
    load,
    load_adjacent,
    scaled_by,
    store,
    store_adjacent,
    transpose,
)
from epmpi.devices.cpu.vectors import conjugate, multiply_add, turned

every_precision = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def complex_of(dtype):
    return np.result_type(dtype, np.complex64)


def numbers(shape, dtype, seed=0):
    """Return complex numbers with parts of order one."""
    draw = np.random.default_rng(seed).normal
    return (draw(size=shape) + 1j * draw(size=shape)).astype(complex_of(dtype))


def strip_of(points, dtype):
    """Return the strip [n][2][W] of points (n, W), as one flat array."""
    return np.stack([points.real, points.imag], axis=1).astype(dtype).ravel()


def points_of(strip, dtype):
    parts = strip.reshape(-1, 2, line_width(dtype))
    return parts[:, 0] + 1j * parts[:, 1]


@compiled
def width_of(array):
    return lanes(array)


@compiled
def arithmetic(strip, results, factors, table):
    a = load(strip, 0)
    b = load(strip, 1)
    store(results, 0, a + b)
    store(results, 1, a - b)
    store(results, 2, -a)
    store(results, 3, a * b)
    store(results, 4, a * 0.75)
    store(results, 5, multiply_add(a, 0.75, b))
    store(results, 6, turned(a))
    store(results, 7, conjugate(a))
    store(results, 8, broadcast(table, 2))
    store(results, 9, scaled_by(a, factors, 3))


@compiled
def take_adjacent(array, index, strip):
    store(strip, 1, load_adjacent(array, index))


@compiled
def put_adjacent(strip, array, index):
    store_adjacent(array, index, load(strip, 1))


@compiled
def move_tile(source, start, pitch, rows, target, target_start, target_pitch, target_rows):
    transpose(source, start, pitch, rows, target, target_start, target_pitch, target_rows)


@every_precision
def test_a_vector_fills_32_bytes_with_each_of_its_parts(dtype):
    for kind in (dtype, complex_of(dtype)):
        assert width_of(np.empty(1, kind)) == line_width(kind) == 32 // np.dtype(dtype).itemsize


@every_precision
def test_arithmetic_is_that_of_complex_numbers(dtype):
    width = line_width(dtype)
    a, b = points = numbers((2, width), dtype)
    table = numbers(4, dtype, seed=1)
    factors = numbers(3 + width, dtype, seed=2).real.copy()
    results = np.empty(20 * width, dtype)
    arithmetic(strip_of(points, dtype), results, factors, table)
    expected = [a + b, a - b, -a, a * b, 0.75 * a, 0.75 * a + b, -1j * a, a.conj()]
    expected += [np.full(width, table[2]), a * factors[3:]]
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(points_of(results, dtype), expected, atol=tolerance, rtol=0)


@every_precision
def test_sums_and_quarter_turns_are_exact(dtype):
    width = line_width(dtype)
    a, b = points = numbers((2, width), dtype)
    results = np.empty(20 * width, dtype)
    table, factors = numbers(4, dtype), np.ones(3 + width, dtype)
    arithmetic(strip_of(points, dtype), results, factors, table)
    found = points_of(results, dtype)
    for number, expected in ((0, a + b), (1, a - b), (6, -1j * a), (7, a.conj()), (9, a)):
        np.testing.assert_array_equal(found[number], expected)


@every_precision
@pytest.mark.parametrize("index", [0, 1, 3])
def test_adjacent_numbers_keep_their_order_wherever_they_stand(dtype, index):
    width = line_width(dtype)
    array = numbers(width + 5, dtype)
    strip = np.zeros(4 * width, dtype)
    take_adjacent(array, index, strip)
    np.testing.assert_array_equal(points_of(strip, dtype)[1], array[index : index + width])
    assert not strip[: 2 * width].any()
    copy = np.zeros_like(array)
    put_adjacent(strip, copy, index)
    expected = np.zeros_like(array)
    expected[index : index + width] = array[index : index + width]
    np.testing.assert_array_equal(copy, expected)


@every_precision
def test_a_tile_is_transposed(dtype):
    width = line_width(dtype)
    source = np.arange(width * (width + 3), dtype=dtype).reshape(width, width + 3)
    target = np.zeros((width, width + 5), dtype)
    move_tile(source, 2, width + 3, width, target, 1, width + 5, width)
    expected = np.zeros_like(target)
    expected[:, 1 : width + 1] = source[:, 2 : width + 2].T
    np.testing.assert_array_equal(target, expected)


@every_precision
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_tile_of_fewer_rows_reads_and_writes_no_others(dtype, rows):
    width = line_width(dtype)
    source = np.arange(rows * width, dtype=dtype).reshape(rows, width)
    tile = np.zeros((width, width), dtype)
    move_tile(source, 0, width, rows, tile, 0, width, width)
    np.testing.assert_array_equal(tile[:, :rows], source.T)
    np.testing.assert_array_equal(tile[:, rows:], tile[:, rows - 1 : rows].repeat(width - rows, 1))
    back = np.full((rows + 1, width), -1, dtype)
    move_tile(tile, 0, width, width, back, 0, width, rows)
    np.testing.assert_array_equal(back[:rows], source)
    assert (back[rows] == -1).all()


@every_precision
def test_complex_arrays_are_transposed_as_pairs_of_real_numbers(dtype):
    width = line_width(dtype)
    spectra = numbers((width, width // 2), dtype)
    tile = np.empty(width * width, dtype)
    move_tile(spectra, 0, width, width, tile, 0, width, width)
    np.testing.assert_array_equal(points_of(tile, dtype), spectra.T)
