"""Convolutions of a source with several kernels, halo rows included, against numpy.fft."""

import numpy as np
import pytest
from engines import (
    apply_blockwise,
    close,
    even_and_odd_kernels,
    every_case,
    every_engine,
    kernels_of,
    local_modes,
    local_rows,
    real_fields,
    transform,
)

pytestmark = pytest.mark.mpi

# The widest halo reaches beyond the neighbouring slab where each has a row or two.
CASES = [("double", (0, 0)), ("single", (0, 1)), ("double", (1, 2)), ("double", (3, 4))]


def responses_by_numpy(source, kernels):
    """Return the convolutions (fields, Lx, Ly) with kernels (fields, Lx, Ly // 2 + 1)."""
    return np.fft.irfft2(np.fft.rfft2(source) * kernels, s=source.shape)


@every_case
@pytest.mark.parametrize(("precision", "halo"), CASES)
def test_responses_are_the_convolutions_of_numpy(comm, engine, shape, precision, halo):
    fft = transform(engine, shape, comm, precision)
    source = real_fields(shape, 1, precision)[0]
    kernels, imaginary = even_and_odd_kernels(shape)
    whole = responses_by_numpy(source.astype(float), kernels * [[[1]], [[1j]], [[1j]]])
    mine = np.ascontiguousarray(local_modes(fft, kernels))
    convolution = fft.convolution(kernels_of(fft, mine), imaginary, halo)
    apply_blockwise(convolution, source[fft.slab.start : fft.slab.stop])

    before, after = halo
    x = np.arange(fft.slab.start - before, fft.slab.stop + after) % shape[0]
    out = np.empty((3, len(x), shape[1]), fft.dtype)
    convolution.responses(range(3), out)
    close(out, whole[:, x], precision)
    some = np.empty((2, len(x), shape[1]), fft.dtype)
    convolution.responses(range(1, 3), some)
    np.testing.assert_array_equal(some, out[1:])

    for field in range(3):
        for begin, end in convolution.row_blocks:
            block = convolution.response_block(field, begin, end)
            np.testing.assert_array_equal(block, out[field, before + begin : before + end])


@every_engine
def test_blocks_of_rows_cover_the_slab(comm, engine):
    fft = transform(engine, (600, 256), comm)
    ones = np.ones((1, fft.modes, 600))
    blocks = fft.convolution(kernels_of(fft, ones), [False], (0, 0)).row_blocks
    assert [row for begin, end in blocks for row in range(begin, end)] == list(range(fft.slab.rows))
    if engine == "numpy":
        assert len(blocks) > 1


@every_engine
def test_a_large_lattice_is_worked_on_in_blocks_and_strips(comm, engine):
    shape = (150, 1024)
    fft = transform(engine, shape, comm)
    source = real_fields(shape, 1)
    kernels, imaginary = even_and_odd_kernels(shape)
    mine = kernels_of(fft, local_modes(fft, kernels))
    convolution = fft.convolution(mine, imaginary, (0, 1))
    apply_blockwise(convolution, local_rows(fft, source)[0])
    whole = responses_by_numpy(source[0], kernels * [[[1]], [[1j]], [[1j]]])
    x = np.arange(fft.slab.start, fft.slab.stop + 1) % shape[0]
    out = np.empty((3, len(x), shape[1]))
    convolution.responses(range(3), out)
    close(out, whole[:, x])


@every_case
def test_a_source_can_be_set_again(comm, engine, shape):
    fft = transform(engine, shape, comm)
    unit = np.ones((1, fft.modes, shape[0]))
    convolution = fft.convolution(kernels_of(fft, unit), [False], (0, 0))
    for source in local_rows(fft, real_fields(shape, 3)):
        apply_blockwise(convolution, source)
        out = np.empty((1, *fft.slab.shape))
        convolution.responses([0], out)
        close(out[0], source)
