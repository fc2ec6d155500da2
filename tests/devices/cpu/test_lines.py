"""Line transforms compiled for the CPU, against numpy.fft: values, lanes, views, partial strips."""

from types import FunctionType

import numba
import numpy as np
import pytest

from epmpi.devices import CPU
from epmpi.devices.cpu.fourier import butterflies, vector_lines
from epmpi.devices.cpu.fourier.lines import forward, inverse, load_columns, store_columns
from epmpi.devices.cpu.fourier.plans import (
    has_plan,
    line_plan,
    line_width,
    radices,
    row_plan,
    unit_roots,
    workspace,
)
from epmpi.devices.cpu.fourier.real_lines import restore_rows, transform_rows
from epmpi.devices.cpu.fourier.vector_lines import VectorLines

every_precision = pytest.mark.parametrize("dtype", [np.float64, np.float32])

# Every radix first, last and between; one pass only; odd and even numbers of passes.
LENGTHS = [32, 36, 40, 45, 48, 50, 54, 60, 64, 75, 81, 96, 100, 125, 128, 243, 250, 256, 300, 512]
LENGTHS += [1000, 1024, 1500, 2048]
# Radix 7, and that of all primes from 11 to 31: alone, first, last, twice, a page apart.
LENGTHS += [49, 56, 63, 77, 91, 121, 217, 343, 374, 434, 437, 650, 686, 700, 704, 728, 735, 961]
SHORT = [16, 17, 18, 20, 22, 24, 25, 27, 28, 30, 31]  # from 4 W in double precision
every_length = pytest.mark.parametrize("length", LENGTHS)


def random_real(shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def random_complex(shape, dtype, seed=0):
    complex_dtype = np.result_type(dtype, np.complex64)
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return (real + 1j * imaginary).astype(complex_dtype)


def table(lines, kernels):
    """Return kernels (fields, ky, Lx) as `convolve` reads them."""
    return lines.table(*kernels.shape[:2], lambda field, some: kernels[field, some])


def spoilt(length, dtype):
    """Return a work array in which an earlier transform has left nonsense."""
    work = workspace(length, dtype)
    work[:] = np.nan
    return work


def spectra_of_columns(array, dtype):
    """Return the spectra of all columns of an array, strip by strip."""
    plan, work = line_plan(len(array), dtype), spoilt(len(array), dtype)
    width = line_width(dtype)
    spectra = np.empty_like(array)
    for column in range(0, array.shape[1], width):
        load_columns(array, column, work, plan)
        forward(work, plan)
        strip = work[: 2 * width * len(array)].reshape(len(array), 2, width)
        count = min(width, array.shape[1] - column)
        spectra[:, column : column + count] = (strip[:, 0] + 1j * strip[:, 1])[:, :count]
    return spectra


def columns_there_and_back(array, dtype):
    """Transform all columns forward and inverse, in place."""
    plan, work = line_plan(len(array), dtype), spoilt(len(array), dtype)
    for column in range(0, array.shape[1], line_width(dtype)):
        load_columns(array, column, work, plan)
        forward(work, plan)
        inverse(work, plan)
        store_columns(work, plan, array, column, False)


def spectra_of_rows(rows, dtype, first=0):
    length = rows.shape[1]
    plan, work = row_plan(length, dtype), spoilt(length, dtype)
    spectra = np.empty((len(rows) - first, length // 2 + 1), np.result_type(dtype, np.complex64))
    for row in range(first, len(rows), line_width(dtype)):
        transform_rows(rows, row, spectra, row - first, work, plan)
    return spectra


def rows_of_spectra(spectra, length, dtype, first=0):
    plan, work = row_plan(length, dtype), spoilt(length, dtype)
    rows = np.empty((len(spectra) - first, length), dtype)
    for row in range(first, len(spectra), line_width(dtype)):
        restore_rows(spectra, row, rows, row - first, work, plan)
    return rows


def close(found, expected, dtype):
    """Compare in the norm of whole lines: an FFT errs by a few eps of it, growing as log n."""
    error = np.sqrt(np.mean(np.abs(found - expected) ** 2) / np.mean(np.abs(expected) ** 2))
    assert error < 2.5 * np.finfo(dtype).eps


def test_roots_of_unity_are_exact_to_the_last_bit_or_so():
    for order in (3, 7, 8, 60, 1024, 1500):
        exact = [np.exp(-2j * np.pi * np.longdouble(k) / order) for k in range(order)]
        if np.finfo(np.longdouble).eps < 1e-18:
            pi = np.longdouble("3.14159265358979323846264338327950288")
            angle = 2 * pi * np.arange(order) / order
            exact = np.cos(angle) - 1j * np.sin(angle)
        assert np.abs(unit_roots(np.arange(order), order) - exact).max() < 2.3e-16


def test_quarter_turns_are_exact():
    np.testing.assert_array_equal(unit_roots(np.arange(5), 4), [1, -1j, -1, 1j, 1])


def test_the_radices_make_up_the_length():
    for length in range(1, 5000):
        if has_plan(length, float):
            found = radices(length)
            assert np.prod(found) == length
            assert 8 not in found[1:-1]


@every_precision
def test_lengths_without_a_plan_are_refused(dtype):
    for length in (0, 1, 2, 7, 15, 37 * 16, 41 * 32, 1021):
        assert not has_plan(length, dtype)
        for plan in (line_plan, row_plan):
            with pytest.raises(ValueError, match=f"no plan for lines of {length} sites"):
                plan(length, dtype)


@every_precision
@every_length
def test_columns_have_the_spectra_of_numpy(dtype, length):
    columns = random_complex((length, 2 * line_width(dtype)), dtype)
    expected = np.fft.fft(columns.astype(complex), axis=0)
    close(spectra_of_columns(columns, dtype), expected, dtype)


@every_precision
@every_length
def test_the_inverse_takes_columns_back_times_the_length(dtype, length):
    columns = random_complex((length, line_width(dtype)), dtype)
    found = columns.copy()
    columns_there_and_back(found, dtype)
    close(found, length * columns.astype(complex), dtype)


@every_precision
@every_length
def test_rows_have_the_spectra_of_numpy(dtype, length):
    rows = random_real((2 * line_width(dtype), length), dtype)
    close(spectra_of_rows(rows, dtype), np.fft.rfft(rows.astype(float)), dtype)


@every_precision
@every_length
def test_spectra_have_the_rows_of_numpy(dtype, length):
    spectra = random_complex((2 * line_width(dtype), length // 2 + 1), dtype)
    expected = np.fft.irfft(spectra.astype(complex), length, norm="forward")
    close(rows_of_spectra(spectra, length, dtype), expected, dtype)


@pytest.mark.parametrize("length", SHORT)
def test_the_shortest_lines(length):
    columns, rows = random_complex((length, 4), float), random_real((4, length), float)
    close(spectra_of_columns(columns, float), np.fft.fft(columns, axis=0), float)
    spectra = np.fft.rfft(rows)
    close(spectra_of_rows(rows, float), spectra, float)
    close(rows_of_spectra(spectra, length, float), length * rows, float)


@every_precision
def test_a_single_wave_has_a_single_mode(dtype):
    length, mode = 96, 7
    rows = np.cos(2 * np.pi * mode * np.arange(length) / length).astype(dtype)[None].repeat(3, 0)
    expected = np.zeros((3, length // 2 + 1))
    expected[:, mode] = length / 2
    tolerance = 4 * length * np.finfo(dtype).eps  # the cosines of large angles are not better
    np.testing.assert_allclose(spectra_of_rows(rows, dtype), expected, atol=tolerance, rtol=0)


@every_precision
@pytest.mark.parametrize("length", [60, 75, 77, 91, 128])
def test_a_line_gives_the_same_bits_in_any_lane_beside_any_others(dtype, length):
    width = line_width(dtype)
    count = 3 * width + 1
    rows = random_real((count, length), dtype)
    columns = random_complex((length, count), dtype)
    by_rows = spectra_of_rows(rows, dtype)
    by_columns = spectra_of_columns(columns, dtype)
    back = rows_of_spectra(by_rows, length, dtype)
    for first in range(1, count):
        np.testing.assert_array_equal(spectra_of_rows(rows, dtype, first), by_rows[first:])
        np.testing.assert_array_equal(rows_of_spectra(by_rows, length, dtype, first), back[first:])
        part = np.ascontiguousarray(columns[:, first:])
        np.testing.assert_array_equal(spectra_of_columns(part, dtype), by_columns[:, first:])


@every_precision
@pytest.mark.parametrize("length", [45, 64])
def test_a_partial_strip_writes_nothing_beyond_the_array(dtype, length):
    for count in range(1, 2 * line_width(dtype)):
        rows = random_real((count + 1, length), dtype)
        spectra = spectra_of_rows(rows, dtype)
        plan, work = row_plan(length, dtype), spoilt(length, dtype)
        found = np.full_like(spectra, 7)
        restored = np.full_like(rows, 7)
        for row in range(0, count, line_width(dtype)):
            transform_rows(rows[:count], row, found[:count], row, work, plan)
            restore_rows(spectra[:count], row, restored[:count], row, work, plan)
        np.testing.assert_array_equal(found[:count], spectra[:count])
        assert (found[count] == 7).all()
        assert (restored[count] == 7).all()
        columns = random_complex((length, count + 1), dtype)
        kept = columns[:, count].copy()
        columns_there_and_back(columns[:, :count], dtype)
        np.testing.assert_array_equal(columns[:, count], kept)


@pytest.mark.parametrize("length", [50, 75])
def test_views_of_larger_arrays_are_transformed_alike(length):
    dtype = float  # one precision: views are compiled apart
    fields = random_real((9, 2, length + 3), dtype)
    view = fields[:, 1, 1 : length + 1]
    spectra = spectra_of_rows(view.copy(), dtype)
    np.testing.assert_array_equal(spectra_of_rows(view, dtype), spectra)
    exchanged = random_complex((length, 3, 9), dtype)
    expected = spectra_of_columns(exchanged[:, 2].copy(), dtype)
    np.testing.assert_array_equal(spectra_of_columns(exchanged[:, 2], dtype), expected)


@every_precision
@pytest.mark.parametrize("length", [45, 48])
def test_imaginary_parts_that_a_real_row_cannot_have_are_ignored(dtype, length):
    spectra = random_complex((5, length // 2 + 1), dtype)
    proper = spectra.copy()
    proper[:, 0] = proper[:, 0].real
    if length % 2 == 0:
        proper[:, -1] = proper[:, -1].real
    found = rows_of_spectra(spectra, length, dtype)
    np.testing.assert_array_equal(found, rows_of_spectra(proper, length, dtype))


def test_a_work_array_serves_shorter_lines_too():
    rows = random_real((4, 60), float)
    plan, work = row_plan(60, float), workspace(512, float)
    spectra = np.empty((4, 31), complex)
    transform_rows(rows, 0, spectra, 0, work, plan)
    np.testing.assert_array_equal(spectra, spectra_of_rows(rows, float))


def test_work_arrays_begin_on_a_cache_line():
    for length in (16, 96, 1000):
        assert workspace(length, float).ctypes.data % 64 == 0


@every_precision
@pytest.mark.parametrize(("pitch", "shift"), [(40, 0), (40, 1), (33, 0)])
def test_responses_written_past_the_caches_are_the_same(monkeypatch, dtype, pitch, shift):
    """Also where they cannot be, because vectors of columns are not where they would have to be."""
    shape = 32, 64
    lines = VectorLines(shape, dtype)
    kernels = random_real((2, 33, 32), dtype, 3)
    kernels = kernels + kernels[:, :, -np.arange(32) % 32]
    source = random_complex((32, 1, 33), dtype, 4)

    def responses():
        memory = CPU().empty((shift + 34 * 2 * pitch,), lines.complex_dtype)[shift:]
        found = memory.reshape(34, 2, pitch)[:, :, :33]
        lines.convolve(source, table(lines, kernels), [False, True], found, 1)
        return found

    cached = responses()
    monkeypatch.setattr(vector_lines, "CACHED_BYTES", 0)
    assert np.array_equal(responses(), cached)
    assert np.all(cached != 0)


@every_precision
def test_strips_that_share_a_kernel_are_what_they_are_one_by_one(monkeypatch, dtype):
    """75 columns: whole groups, a part of one, and a part of a strip."""
    kernels = random_real((3, 75, 32), dtype, 3)
    kernels = kernels + kernels[:, :, -np.arange(32) % 32]
    source = random_complex((32, 1, 75), dtype, 4)

    def responses(strips):
        monkeypatch.setattr(vector_lines, "STRIPS", strips)
        lines = VectorLines((32, 64), dtype)
        found = np.zeros((33, 3, 75), lines.complex_dtype)
        lines.convolve(source, table(lines, kernels), [False, True, False], found, 1)
        return found

    alone = responses(1)
    assert np.all(alone != 0)
    for strips in (2, 4, 100):
        assert np.array_equal(responses(strips), alone)


@every_precision
@pytest.mark.parametrize("backwards", [False, True])
def test_asking_for_points_ahead_changes_no_bit(dtype, backwards):
    """Whichever processor does so: the last points ask for some beyond the array."""
    source, plan = butterflies.pass_of_four.py_func, line_plan(256, dtype)
    found = []
    for ahead in (0, 8, 10**6):
        names = {**vars(butterflies), "AHEAD": ahead}
        one_pass = numba.njit(error_model="numpy")(FunctionType(source.__code__, names))
        work = random_real((4 * line_width(dtype) * 256,), dtype)
        one_pass(work, 0, 256, 64, 1, plan.roots, 0, backwards)
        found.append(work)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
    assert not np.array_equal(found[0], random_real(work.shape, dtype))
