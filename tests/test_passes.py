"""The passes of a step in compiled loops, and block by block: chosen once, and alike to the bit."""

import numpy as np
import pytest
from engines import even_and_odd_kernels, kernels_of

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.model.model import Model
from epmpi.model.passes import BlockPasses, LoopPasses, passes_over
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.spectral import SlabFFT
from epmpi.spectral.transport import HOST

pytestmark = pytest.mark.mpi


def convolution(comm, engine="auto", halo=(0, 1), *, by_messages=False, device=None):
    fft = SlabFFT(Lattice((45, 36)), Communicator(comm), device or CPU(), np.float64, engine)
    if by_messages:
        fft.transport = HOST
    kernels, imaginary = even_and_odd_kernels((45, 36))
    first, last = fft.mode_blocks[comm.rank]
    mine = np.ascontiguousarray(np.swapaxes(kernels[..., first:last], 1, 2))
    return fft.convolution(kernels_of(fft, mine), imaginary, halo)


class WithoutLoops(CPU):
    """A device that has no loops for whole passes; with so many rows in a block, if given."""

    height = None

    def block_rows(self, row_bytes):
        return self.height or super().block_rows(row_bytes)

    def row_loops(self, lines):
        """Return None."""


def test_loops_serve_where_rows_are_in_one_piece_and_the_device_has_them(comm):
    assert isinstance(passes_over(convolution(comm), range(1, 3)), LoopPasses)
    for other in (
        convolution(comm, "numpy"),
        convolution(comm, device=WithoutLoops()),
        *([convolution(comm, by_messages=True)] if comm.size > 1 else []),
    ):
        assert isinstance(passes_over(other, range(1, 3)), BlockPasses)


def test_the_spectra_of_rows_are_those_of_the_responses(comm):
    made = convolution(comm, halo=(1, 2))
    spectra, rows = made.row_spectra(), made.fft.slab.rows
    source = np.random.default_rng(comm.rank).normal(size=(rows, 36))
    spectra.lines.transform_rows(source[:, None], spectra.source[:, None])
    made.apply()
    expected, found = np.empty((3, rows + 3, 36)), np.empty((rows + 3, 3, 36))
    made.responses(range(3), expected)
    spectra.lines.restore_rows(spectra.responses, found)
    np.testing.assert_array_equal(found.swapaxes(0, 1), expected)
    assert np.abs(expected).max() > 0.1


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("interpolation", ["bilinear", "stream"])
@pytest.mark.parametrize(("every", "height"), [(1, None), (3, None), (1, 2), (3, 7)])
def test_a_run_in_loops_has_the_bits_of_one_in_blocks(
    comm, every, interpolation, precision, height
):
    configuration = from_mapping(
        {
            "lattice": {"shape": [45, 36]},
            "model": {"temperature": 0.4},
            "tracers": {"number": 100, "every": every, "interpolation": interpolation},
            "run": {"precision": precision},
            "output": {"trajectory_every": 0.0},
        }
    )
    in_blocks = WithoutLoops()
    in_blocks.height = height
    loops, blocks = (
        Model(configuration, Communicator(comm), device) for device in (CPU(), in_blocks)
    )
    for _ in range(60):
        loops.step()
        blocks.step()
    ours, theirs = loops.state(), blocks.state()
    assert ours.counts["events"] == theirs.counts["events"] > 10
    for name, field in theirs.fields.items():
        assert ours.fields[name].tobytes() == field.tobytes(), name
    assert ours.position.tobytes() == theirs.position.tobytes()
