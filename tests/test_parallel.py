"""Communication of the ranks."""

import sys
import time

import numpy as np
import pytest

from epmpi.parallel import (
    Communicator,
    RollingGather,
    abort_on_exception,
    foreign_launcher,
    library,
)

pytestmark = pytest.mark.mpi


def test_root_is_rank_zero(comm):
    communicator = Communicator(comm)
    assert communicator.is_root == (comm.rank == 0)
    assert (communicator.rank, communicator.size) == (comm.rank, comm.size)


def test_broadcast_sum_max_and_gather(comm):
    communicator = Communicator(comm)
    rank, size = communicator.rank, communicator.size
    assert communicator.broadcast(("from", rank)) == ("from", 0)
    assert communicator.sum(2**60 + rank) == size * 2**60 + size * (size - 1) // 2
    np.testing.assert_array_equal(communicator.sum(np.array([1, rank])), [size, sum(range(size))])
    assert communicator.max(-rank) == 0
    gathered = communicator.gather(rank**2)
    assert gathered == ([r**2 for r in range(size)] if communicator.is_root else None)


def test_any_is_reported_by_one_rank(comm):
    communicator = Communicator(comm)
    last = comm.rank == comm.size - 1
    assert communicator.any(last) is True
    assert communicator.any(False) is False


def test_split_makes_communicators_of_the_ranks_that_agree(comm):
    part = Communicator(comm).split(comm.rank % 2)
    assert part.size == len(range(comm.rank % 2, comm.size, 2))
    assert part.rank == comm.rank // 2
    assert Communicator(comm).split(comm.rank).size == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8])
@pytest.mark.parametrize("trailing", [(), (3,), (2, 5)])
def test_gather_rows_joins_uneven_parts_in_order(comm, dtype, trailing):
    counts = [(3 * rank + 1) % 4 for rank in range(comm.size)]  # some rank has none
    whole = np.arange(sum(counts) * int(np.prod(trailing, dtype=int))).astype(dtype)
    whole = whole.reshape(sum(counts), *trailing)
    first = sum(counts[: comm.rank])
    joined = Communicator(comm).gather_rows(whole[first : first + counts[comm.rank]])
    if comm.rank == 0:
        assert joined.dtype == dtype
        np.testing.assert_array_equal(joined, whole)
    else:
        assert joined is None


def test_gather_rows_takes_structured_and_strided_rows(comm):
    kind = np.dtype([("identity", np.int64), ("position", np.float64, 2)])
    rows = np.zeros(6, kind)
    rows["identity"] = 10 * comm.rank + np.arange(6)
    joined = Communicator(comm).gather_rows(rows[::2])
    if comm.rank == 0:
        expected = [10 * rank + i for rank in range(comm.size) for i in (0, 2, 4)]
        assert list(joined["identity"]) == expected


def test_exchange_sends_each_part_to_its_rank(comm):
    """Rank s sends s + 1 numbers to each rank; parts that overlap are sent twice."""
    rank, size = comm.rank, comm.size
    send = np.array([100 * rank + i for i in range(rank + 1)], complex)
    receive = np.empty(size * (size + 1) // 2, complex)
    starts = [s * (s + 1) // 2 for s in range(size)]
    Communicator(comm).exchange(
        send, [(0, rank + 1)] * size, receive, [(starts[s], s + 1) for s in range(size)]
    )
    expected = [100 * s + i for s in range(size) for i in range(s + 1)]
    np.testing.assert_array_equal(receive, expected)


@pytest.mark.parametrize("shape", [(), (2,)])
def test_route_takes_records_to_their_ranks_by_sender_and_in_order(comm, shape):
    rank, size = comm.rank, comm.size
    count = 5 + rank
    destination = np.array([(rank + i) % size for i in range(count)])
    label = np.array([1000.0 * rank + i for i in range(count)])
    records = label if shape == () else np.stack([label, -label], axis=1)
    arrived = Communicator(comm).route(records, destination)
    expected = [1000.0 * s + i for s in range(size) for i in range(5 + s) if (s + i) % size == rank]
    np.testing.assert_array_equal(arrived if shape == () else arrived[:, 0], expected)


def test_route_of_nothing_arrives_as_nothing(comm):
    arrived = Communicator(comm).route(np.empty((0, 2)), np.empty(0, np.int64))
    assert arrived.shape == (0, 2)


def test_an_error_of_one_rank_is_raised_on_all(comm):
    communicator = Communicator(comm)
    last = comm.size - 1
    error = ValueError(f"trouble on rank {comm.rank}") if comm.rank >= last // 2 else None
    with pytest.raises(ValueError, match=f"trouble on rank {last // 2}"):
        communicator.raise_alike(error)
    communicator.raise_alike(None)


def test_one_rank_needs_no_hook_for_exceptions(comm, monkeypatch):
    monkeypatch.setattr("sys.excepthook", None)
    abort_on_exception(Communicator(comm).split(comm.rank))
    assert sys.excepthook is None


def test_a_launcher_of_another_mpi_is_reported_apart(monkeypatch):
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    assert foreign_launcher(1) is None
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "1")
    assert foreign_launcher(1) is None
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    said = foreign_launcher(1)
    assert "Open MPI's mpirun started 4 processes" in said
    assert "\n" not in said
    assert foreign_launcher(4) is None


def test_the_library_is_named_on_one_line():
    assert library()
    assert "\n" not in library()


def test_rounds_are_the_same_on_all_ranks_and_nobody_waits(comm):
    """Rank r looks r times more often, and stops after the same round as the others."""
    communicator = Communicator(comm)
    gather = RollingGather(communicator, np.dtype([("look", np.int64), ("rank", np.int64)]))
    looks, rounds, started = 0, [], time.monotonic()
    while len(rounds) < 20:
        for _ in range(1 + communicator.rank):
            looks += 1
            if len(rounds) < 20 and gather.look((looks, communicator.rank)):
                rounds.append(gather.records.tolist())
        assert time.monotonic() - started < 60
    gather.close()
    assert communicator.broadcast(rounds) == rounds
    for round_ in rounds:
        assert [rank for _, rank in round_] == list(range(communicator.size))
    mine = [round_[communicator.rank][0] for round_ in rounds]
    assert mine == sorted(set(mine))  # each says something new


def test_a_rank_that_does_not_look_keeps_nobody_waiting(comm):
    communicator = Communicator(comm)
    gather = RollingGather(communicator, np.dtype([("rank", np.int64)]))
    if not communicator.is_root:
        assert not any(gather.look((communicator.rank,)) for _ in range(5))
    communicator.barrier()
    ended = False
    while not ended:
        ended = gather.look((communicator.rank,))
    assert gather.records["rank"].tolist() == list(range(communicator.size))
    gather.close()
