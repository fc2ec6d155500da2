"""Kernels and initial states are worked out in little memory beside what is kept of them."""

import tracemalloc

import numpy as np
import pytest
from numpy_gpu import NumPyGPU

from epmpi.config import Configuration
from epmpi.devices import CPU
from epmpi.devices.cpu.fourier.library_lines import LibraryLines
from epmpi.devices.cpu.fourier.vector_lines import VectorLines
from epmpi.model.elasticity import elastic_kernels
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, wavenumbers
from epmpi.physics.propagators import parity
from epmpi.run.planning import array_bytes
from epmpi.spectral import make_transform

SHAPE = 1024, 2048
FIELD = 8 * SHAPE[0] * (SHAPE[1] // 2 + 1)  # bytes of one kernel for all modes


def gpu_lines(dtype):
    """Return the lines of a GPU, whose arrays are NumPy's."""
    return NumPyGPU(cache_bytes=1 << 20).lines("auto", SHAPE, dtype)


LINES = {
    "vector": lambda dtype: VectorLines(SHAPE, dtype),
    "numpy": lambda dtype: LibraryLines(SHAPE, dtype),
    "cufft": gpu_lines,
}


def traced(work):
    """Return what some work returns, and the most bytes that were allocated meanwhile."""
    tracemalloc.start()
    try:
        found = work()
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def half_of(engine, table):
    """Return half of the kernels (fields, kx >= 0, ky) that lines keep."""
    if engine == "cufft":
        return table.values
    if engine == "numpy":
        return table.swapaxes(1, 2)[:, : SHAPE[0] // 2 + 1]
    strips, fields, half, width = table.half.shape
    all_columns = table.half.transpose(1, 2, 0, 3).reshape(fields, half, strips * width)
    return all_columns[:, :, : SHAPE[1] // 2 + 1]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("engine", LINES)
def test_a_table_takes_a_part_of_a_field_beside_what_is_kept(engine, dtype, monkeypatch):
    """Of three kernels, even and odd ones: field by field, some columns at a time."""
    monkeypatch.setattr("epmpi.devices.gpu.lines.TABULATED", 1 << 15)  # on a card it is its memory
    settings = "tracers.number=1", "tracers.every=1", "output.trajectory_every=0"
    shape = f"lattice.shape=[{SHAPE[0]}, {SHAPE[1]}]"
    configuration = Configuration().with_overrides([shape, *settings])
    fft = make_transform("auto", Lattice(SHAPE), Communicator.world(), CPU(), dtype, "double")
    kernels, _, _ = elastic_kernels(configuration, fft, with_flow=True)
    lines = LINES[engine](dtype)
    kx, ky = wavenumbers(SHAPE[0])[None, :], np.arange(SHAPE[1] // 2 + 1)[:, None]
    table, most = traced(lambda: lines.tabulate(kernels, kx, ky, 7.0))
    kept = half_of(engine, table)
    fields = np.dtype(dtype).itemsize / 8 * len(kernels) * (1 if engine == "numpy" else 0.55)
    assert most < (fields + 0.5) * FIELD
    # A card is asked for |kx|, which differs at the Nyquist mode, where odd kernels are zero.
    for values, kernel in zip(kept, kernels, strict=True):
        whole = (kernel(kx, ky) / 7.0).T[: SHAPE[0] // 2 + 1]
        np.testing.assert_array_equal(values, whole.astype(dtype))


def test_a_kernel_is_even_or_odd_as_a_whole():
    """Columns of zeros are both."""
    zero, even, odd = (
        np.zeros((2, 5)),
        np.array([[3.0, 1, 2, 2, 1]]),
        np.array([[0.0, 1, 2, -2, -1]]),
    )
    assert parity([zero]) == parity([zero, even]) == parity([even, zero, even]) == 1.0
    assert parity([odd]) == parity([zero, odd, zero]) == -1.0
    for columns in ([even, odd], [odd, zero, even], [even + odd], [zero, even, even + odd]):
        with pytest.raises(ValueError, match="neither even nor odd in kx"):
            parity(columns)


@pytest.mark.parametrize(
    "start",
    [
        [],
        ["initial.state=gaussian", "initial.drawn=site"],
        ["initial.state=gaussian", "initial.drawn=fourier"],
        ["model.activation=random", "model.activity=0.3"],
    ],
)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_start_takes_no_more_memory_than_is_planned(start, precision):
    shape = f"lattice.shape=[{SHAPE[0]}, {SHAPE[1]}]"
    given = [shape, f"run.precision={precision}", "tracers.number=100", *start]
    if "initial.state=gaussian" in start:
        given.append("initial.stress_deviation=0.3")
    configuration = Configuration().with_overrides(given)
    Model(configuration)  # compiled before
    model, most = traced(lambda: Model(configuration))
    planned = array_bytes(configuration, 1, model.device)
    assert (
        0.5 * planned < most < planned + FIELD
    )  # draws and work areas, however large a lattice is
