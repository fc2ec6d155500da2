"""Both engines against numpy.fft, on uneven blocks of odd and even sizes."""

import numpy as np
import pytest
from engines import (
    both_precisions,
    close,
    every_case,
    every_engine,
    local_modes,
    local_rows,
    real_fields,
    transform,
)

from epmpi.config import FFT_ENGINES, ConfigError
from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, slabs
from epmpi.spectral import make_transform, mpi4py_fft_engine

pytestmark = pytest.mark.mpi


@every_case
@both_precisions
def test_forward_is_the_transform_of_numpy(comm, engine, shape, precision):
    fft = transform(engine, shape, comm, precision)
    fields = real_fields(shape, 3, precision)
    spectrum = fft.forward(local_rows(fft, fields))
    expected = local_modes(fft, np.fft.rfft2(fields.astype(float)))
    assert spectrum.shape == (3, fft.modes, shape[0])
    assert spectrum.dtype == fft.complex_dtype
    assert spectrum.flags.c_contiguous
    close(spectrum, expected, precision)


@every_case
@both_precisions
def test_backward_undoes_forward(comm, engine, shape, precision):
    fft = transform(engine, shape, comm, precision)
    fields = local_rows(fft, real_fields(shape, 2, precision))
    given = fields.copy()
    restored = fft.backward(fft.forward(fields))
    np.testing.assert_array_equal(fields, given)  # the argument is left as it was
    assert restored.dtype == fft.dtype
    close(restored, fields, precision)


@every_case
def test_backward_is_the_inverse_transform_of_numpy(comm, engine, shape):
    """Of a spectrum that is no field's: the imaginary parts at ky = 0 and Nyquist do not matter."""
    fft = transform(engine, shape, comm)
    half = (2, shape[0], shape[1] // 2 + 1)
    draws = np.random.default_rng(3).standard_normal((2, *half))
    spectra = draws[0] + 1j * draws[1]
    mine = np.ascontiguousarray(local_modes(fft, spectra))
    close(fft.backward(mine), local_rows(fft, np.fft.irfft2(spectra, s=shape)))


@every_case
def test_layout_is_that_of_the_lattice(comm, engine, shape):
    fft = transform(engine, shape, comm)
    assert fft.engine == engine
    assert fft.slabs == slabs(Lattice(shape), comm.size)
    assert fft.slab == fft.slabs[comm.rank]
    assert fft.mode_blocks[0][0] == 0
    assert fft.mode_blocks[-1][1] == shape[1] // 2 + 1
    np.testing.assert_array_equal(fft.kx[0], np.fft.fftfreq(shape[0], 1 / shape[0]))
    np.testing.assert_array_equal(fft.ky[:, 0], range(*fft.mode_blocks[comm.rank]))


@every_case
def test_wavenumbers_are_those_of_the_spectrum(comm, engine, shape):
    """A plane wave appears at its own wavenumbers and nowhere else."""
    fft = transform(engine, shape, comm)
    kx, ky = -1, 1
    x, y = np.indices(shape)
    wave = np.cos(2 * np.pi * (kx * x / shape[0] + ky * y / shape[1]))
    spectrum = fft.forward(local_rows(fft, wave[None]))[0]
    expected = np.where((fft.kx == kx) & (fft.ky == ky), 0.5 * wave.size, 0.0)
    np.testing.assert_allclose(spectrum, expected, rtol=0, atol=1e-14 * wave.size)


@pytest.mark.mpi(min_size=3)
@every_engine
@pytest.mark.parametrize("shape", [(2, 16), (16, 5)], ids=str)
def test_too_many_ranks_are_refused_on_all(comm, engine, shape):
    with pytest.raises(ValueError, match=rf"{comm.size} ranks .* at most 2, min\(Lx, Ly // 2\)"):
        transform(engine, shape, comm)


def test_an_unknown_engine_is_refused_with_the_known_ones(comm):
    with pytest.raises(ValueError, match="fft is 'magic', expected"):
        make_transform("magic", Lattice((8, 8)), Communicator(comm), CPU(), np.float64)


def test_every_configured_engine_exists(comm):
    for engine in ("auto", *FFT_ENGINES):
        fft = transform(engine, (64, 64), comm)
        assert fft.engine == engine or engine == "auto"


def test_a_missing_library_is_one_line_on_all_ranks(comm, monkeypatch):
    """Only the last rank lacks it: all the same, all refuse."""

    def missing(name):
        raise ImportError(f"No module named '{name}'")

    if comm.rank == comm.size - 1:
        monkeypatch.setattr(mpi4py_fft_engine.importlib, "import_module", missing)
    else:
        monkeypatch.setattr(mpi4py_fft_engine.importlib, "import_module", lambda name: None)
    with pytest.raises(ConfigError, match="No module named 'mpi4py_fft'") as caught:
        make_transform("mpi4py-fft", Lattice((8, 8)), Communicator(comm), CPU(), np.float64)
    message = str(caught.value)
    assert "pip install mpi4py-fft" in message
    assert "\n" not in message


@pytest.mark.mpi
def test_numbers_of_another_precision_are_refused(comm):
    fft = transform("vector", (64, 48), comm, "single")
    fields = local_rows(fft, real_fields((64, 48), 1, "single"))
    spectrum = fft.forward(fields)
    with pytest.raises(ValueError, match="type float64, expected float32"):
        fft.forward(fields.astype(np.float64))
    with pytest.raises(ValueError, match="type complex128, expected complex64"):
        fft.backward(spectrum.astype(np.complex128))


def test_blocks_of_modes_begin_on_cache_lines_where_they_can(comm):
    side = 16 * comm.size
    fft = transform("vector", (side, side), comm)
    assert [first for first, _ in fft.mode_blocks] == list(range(0, 8 * comm.size, 8))
