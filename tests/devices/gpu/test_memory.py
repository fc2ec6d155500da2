"""Memory of a large lattice on a GPU, and the message if it does not fit."""

import numpy as np
import pytest
from numpy_gpu import NumPyGPU

from epmpi.config import ConfigError, from_mapping
from epmpi.devices import CPU
from epmpi.devices.gpu.lines import STRIP_BYTES
from epmpi.parallel import Communicator
from epmpi.run.planning import array_bytes, plan

H200_CACHE = 50 << 20  # bytes of its second-level cache


class FullCard:
    """Stands for CuPy on a card that has no more memory."""

    def __getattr__(self, name):
        def refuse(*arguments):
            raise MemoryError

        return refuse


def gpu(arrays, make_plan=None):
    """Return the device on a stand-in of a card."""
    device = NumPyGPU(H200_CACHE, make_plan)
    device._arrays = arrays
    return device


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda device: device.empty((20, 3), np.float64), "480 bytes"),
        (lambda device: device.zeros((7,), np.int8), "7 bytes"),
        (lambda device: device.asarray(np.ones(5, np.float32)), "20 bytes"),
    ],
)
def test_too_large_an_array_is_one_line(ask, what):
    with pytest.raises(MemoryError) as refused:
        ask(gpu(FullCard()))
    assert str(refused.value) == (
        f"{what} asked of the card, 10 bytes of 1000 are free: use more GPUs, single precision or "
        "a smaller lattice"
    )


def test_too_large_a_work_area_is_one_line():
    def refuse(batch, dtype):
        raise MemoryError("CUFFT_ALLOC_FAILED")

    lines = gpu(np, refuse).lines("auto", (4, 6), np.float64)
    with pytest.raises(
        MemoryError, match=r"^the work area of cuFFT for 24 points asked of the card"
    ):
        lines.transform_rows(np.zeros((4, 1, 6)), np.zeros((4, 1, 4), complex))


def test_the_largest_lattice_takes_110_bytes_a_site():
    """L = 2^15 in double precision, with tracers on a site of 16, on one card."""
    sites = 2**30
    configuration = from_mapping(
        {"lattice": {"shape": [2**15, 2**15]}, "tracers": {"number": sites // 16}}
    )
    device = gpu(np)
    needed = array_bytes(configuration, 1, device)
    work = device.work_bytes((2**15, 2**15), 2**15, 3, 2**14 + 1, 8)
    assert 50 < (needed - work) / sites < 65
    assert needed < 110 * sites


def test_a_dry_run_counts_what_the_card_will_hold():
    """A start drawn in Fourier space; work areas."""
    device = gpu(np)
    side = 8192
    table = {"lattice": {"shape": [side, side]}, "tracers": {"number": 1000}}
    configuration = from_mapping(table)
    planned = plan(configuration, Communicator.world(), device, trial=False).memory
    assert planned == array_bytes(configuration, 1, device)
    work = device.work_bytes((side, side), side, 1, side // 2 + 1, 8)
    assert planned > array_bytes(configuration, 1, CPU()) + work
    table["initial"] = {"state": "gaussian", "stress_deviation": 0.3, "drawn": "fourier"}
    more = array_bytes(from_mapping(table), 1, device) - planned
    field = 8 * side**2
    assert more == 5 * field + device.transform_work(field) > 7 * field


@pytest.mark.parametrize(("interpolation", "fields"), [("bilinear", 2), ("stream", 1)])
def test_of_the_flow_a_block_of_rows_is_stored(interpolation, fields):
    """So it takes 16 bytes a site less than where a block is the whole slab."""
    side = 2**15
    tracers = {"number": 1000, "every": 1, "interpolation": interpolation}
    table = {"lattice": {"shape": [side, side]}, "tracers": tracers}
    table["output"] = {"trajectory_every": 0.0}
    configuration = from_mapping(table)
    needed = []
    for block in (H200_CACHE // 4, 8 * side**2):
        device = gpu(np)
        device.work_bytes = lambda *arguments: 0
        device.block_bytes = block
        needed.append(array_bytes(configuration, 1, device))
    of_blocks = 2 * 8 * side**2  # rate and source
    assert needed[1] - needed[0] - of_blocks == pytest.approx(8 * fields * side**2, rel=0.01)


def test_whole_fields_are_restored_in_parts():
    """So that the work area is that of a part: at 2^15 that of the flow would be 8.6 GB."""
    batches = []

    class Plan:
        def run(self, source, target, *, forward):
            pass

    def make_plan(batch, dtype):
        batches.append(batch)
        return Plan()

    side, rows = 2**12, 2**15
    lines = gpu(np, make_plan).lines("auto", (rows, side), np.float64)
    spectra = np.broadcast_to(np.zeros((), complex), (rows, 3, side // 2 + 1))
    fields = np.broadcast_to(np.zeros(()), (rows, 1, side))
    lines.restore_rows(spectra[:, :1], fields)
    assert all(batch.lines * batch.length * 8 <= STRIP_BYTES for batch in batches)
    assert len(batches) == 1


def test_an_engine_of_the_cpu_is_one_line():
    with pytest.raises(ConfigError) as refused:
        gpu(np).lines("vector", (4, 6), np.float64)
    assert str(refused.value) == (
        'run.fft = "vector": expected "auto" (cuFFT) on a GPU, or set run.device = "cpu"'
    )
