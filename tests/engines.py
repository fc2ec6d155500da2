"""The engines of the transform that the tests compare, and fields to transform."""

import numpy as np
import pytest

from epmpi.config import FFT_ENGINES
from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.spectral import Transform, make_transform

SHAPES = [(4, 8), (5, 9), (7, 9), (8, 31), (13, 12), (16, 16), (31, 8)]
# The engine "vector" has plans for sides of small primes that fill its vectors, four times over.
VECTOR_SHAPES = [(64, 64), (75, 80), (96, 81), (64, 125), (70, 33)]
CASES = [
    (engine, shape)
    for engine in FFT_ENGINES
    for shape in (VECTOR_SHAPES if engine == "vector" else SHAPES)
]
ROUNDING = {"double": 1e-14, "single": 5e-6}  # of a transform, relative to the largest value
TYPES = {"double": np.float64, "single": np.float32}


def transform(engine, shape, comm, precision="double") -> Transform:
    """Return a transform, or skip the test where the engine is not installed."""
    if engine == "mpi4py-fft":
        pytest.importorskip("mpi4py_fft", reason="needs mpi4py-fft")
    return make_transform(engine, Lattice(shape), Communicator(comm), CPU(), TYPES[precision])


def real_fields(shape, count, precision="double"):
    """Return random fields (count, Lx, Ly), the same on all ranks."""
    return np.random.default_rng(7).standard_normal((count, *shape)).astype(TYPES[precision])


def local_rows(fft, fields):
    """Return this rank's rows of whole fields (count, Lx, Ly)."""
    return np.ascontiguousarray(fields[:, fft.slab.start : fft.slab.stop])


def local_modes(fft, spectra):
    """Return this rank's modes (count, ky, Lx) of whole half spectra (count, Lx, Ly // 2 + 1)."""
    first, last = fft.mode_blocks[fft.communicator.rank]
    return np.swapaxes(spectra[..., first:last], 1, 2)


def kernels_of(fft, tables):
    """Return kernels that are given by this rank's modes of each, (ky, Lx)."""
    return [lambda kx, ky, table=table: table[ky - fft.ky[0, 0], kx] for table in tables]


def close(actual, expected, precision="double"):
    """Compare within the rounding of a transform."""
    largest = np.max(np.abs(expected))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=ROUNDING[precision] * largest)


def apply_blockwise(convolution, source):
    """Set the source block of rows by block, as a step of the model does, and apply."""
    for begin, end in convolution.row_blocks:
        convolution.source_block(begin, end)[:] = source[begin:end]
        convolution.set_source(begin, end)
    convolution.apply()


def even_and_odd_kernels(shape):
    """Return a real even kernel, two real odd ones, and what they are multiplied by.

    The odd ones vanish where q and -q are the same mode, as a real field demands.
    """
    qx = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    qy = 2 * np.pi * np.fft.rfftfreq(shape[1])[None, :]
    odd_x = np.where(2 * np.abs(qx) < 6.28, np.sin(qx) * (1 + qy**2), 0.0)
    odd_y = np.where(2 * np.abs(qy) < 6.28, np.sin(qy) * (2 + qx**2), 0.0)
    return np.stack([np.cos(qx) + qy**2, odd_x, odd_y]), [False, True, True]


every_engine = pytest.mark.parametrize("engine", FFT_ENGINES)
every_case = pytest.mark.parametrize(("engine", "shape"), CASES, ids=str)
both_precisions = pytest.mark.parametrize("precision", TYPES)
