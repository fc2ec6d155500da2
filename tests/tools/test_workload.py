"""The bytes that the performance model counts are those that the model of physics really sends."""

import numpy as np
import pytest
from performance.workload import Workload, stages

from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.spectral import sites, transport


class CountingCommunicator(Communicator):
    """A communicator that adds up the bytes that its exchanges send to other ranks."""

    sent = 0

    def exchange(self, send, send_parts, receive, receive_parts):
        """Count, then exchange."""
        self._count(send, send_parts)
        super().exchange(send, send_parts, receive, receive_parts)

    def begin_exchange(self, send, send_parts, receive, receive_parts):
        """Count, then begin."""
        self._count(send, send_parts)
        return super().begin_exchange(send, send_parts, receive, receive_parts)

    def _count(self, send, send_parts):
        others = [n for rank, (_, n) in enumerate(send_parts) if rank != self.rank]
        self.sent += send.itemsize * sum(others)


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("length", "tracers", "interpolation", "precision"),
    [
        (8, 0, "bilinear", "double"),
        (13, 5, "bilinear", "double"),
        (18, 5, "nearest", "single"),
        (13, 5, "stream", "double"),
    ],
)
def test_bytes_sent_in_a_step(comm, monkeypatch, length, tracers, interpolation, precision):
    """Between nodes, a dense source: in shared memory nothing is sent, a sparse one as sites."""
    monkeypatch.setattr(transport, "shared_memory", lambda communicator, sizes: None)
    monkeypatch.setattr(sites, "cheaper_as_sites", lambda *numbers: False)
    work = Workload(length, comm.size, tracers, interpolation, precision)
    communicator = CountingCommunicator(comm)
    model = Model(work.configuration, communicator)
    communicator.sent = 0
    model.step()
    assert communicator.sent == sum(work.sent(comm.rank))


@pytest.mark.mpi
def test_the_first_rank_has_most_rows_and_the_last_most_columns(comm):
    work = Workload(13, comm.size, 5)
    model = Model(work.configuration, Communicator(comm))
    rows, modes = comm.allgather(model.slab.rows), comm.allgather(model.fft.modes)
    assert (work.rows, work.modes) == (max(rows), max(modes)) == (rows[0], modes[-1])


def test_one_rank_sends_nothing_and_packs_nothing():
    work = Workload(64, 1, 16)
    assert work.sent() == (0, 0)
    assert "packing" not in {stage.name for stage in stages(work, streaming=True)}


def test_bytes_sent_of_two_ranks_by_hand():
    # 32 rows of 16 of the 33 complex columns stay; 32 x 17 go.  Back: 32 rows and three of halo
    # of 16 columns, for the stress rate and two velocities.
    assert Workload(64, 2, 16).sent(0) == (16 * 32 * 17, 16 * 35 * 16 * 3)
    assert Workload(64, 2, 16, precision="single").sent(0) == (8 * 32 * 17, 8 * 35 * 16 * 3)
    assert Workload(64, 2).sent(0) == (16 * 32 * 17, 16 * 32 * 16)


def test_every_byte_of_a_spectrum_travels_once_on_many_ranks():
    work = Workload(1024, 64)
    source, back = np.sum([work.sent(rank) for rank in range(64)], axis=0)
    spectrum = 16 * 1024 * 513
    assert source == back == pytest.approx(spectrum * 63 / 64, rel=1e-3)


@pytest.mark.parametrize("streaming", [False, True])
def test_stages_are_shared_out_over_the_ranks(streaming):
    one = {s.name: s for s in stages(Workload(256, 1), streaming=streaming)}
    four = {s.name: s for s in stages(Workload(256, 4), streaming=streaming)}
    for name in ("inverse rows", "rule", "forward rows"):
        assert four[name].operations == one[name].operations / 4
        assert four[name].traffic == one[name].traffic / 4
    # 129 columns on 4 ranks: the first has 33.
    assert four["columns"].operations == pytest.approx(one["columns"].operations * 33 / 129)


def test_traffic_of_a_step_that_stays_in_cache_by_hand():
    traffic = {s.name: s.traffic / 256**2 for s in stages(Workload(256), streaming=False)}
    modes = 129 / 256  # complex numbers a site
    assert traffic["rule"] == 8 + 8 + 1 + 1
    assert traffic["forward rows"] == traffic["inverse rows"] == 16 * modes
    assert traffic["columns"] == pytest.approx((16 + 8 + 16) * modes)


def test_lines_too_long_for_shared_memory_take_two_passes_on_a_gpu():
    def per_site(length):
        work = Workload(length)
        return {s.name: s.traffic / length**2 for s in stages(work, streaming=True)}

    short, long = per_site(2**13), per_site(2**14)
    assert long["forward rows"] == pytest.approx(2 * short["forward rows"], rel=1e-3)
    assert long["rule"] == short["rule"]
