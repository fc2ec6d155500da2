"""Ensembles: each replica is an ordinary run, on any ranks, however it was stopped and resumed."""

import itertools

import pytest
from same_runs import differences

from epmpi.config import ConfigError, from_mapping, load, replica_name
from epmpi.ensemble import Ensemble
from epmpi.parallel import Communicator
from epmpi.run.simulation import Simulation

REPLICAS = 5


def small(replicas=REPLICAS, duration=2.0, seed=7, **sections):
    """Return the configuration of an ensemble whose lattice is cut unevenly on 2 and 3 ranks."""
    return from_mapping(
        {
            "lattice": {"shape": [10, 12]},
            "tracers": {"number": 11},
            "time": {"warmup": 0.5, "duration": duration},
            "output": {"series_every": 0.5, "trajectory_every": 0.5, "fields_every": 1.0},
            "run": {"replicas": replicas, "seed": seed, "device": "cpu"},
            **sections,
        }
    )


def apart(directory, configuration, communicator, numbers):
    """Run replicas one by one as ordinary runs, from TOML files with their seeds; return RUNs."""
    runs = []
    for number in numbers:
        alone = from_mapping(
            configuration.to_mapping() | {"run": {"seed": 7 + number * 2**32, "device": "cpu"}}
        )
        runs.append(directory / f"alone{number}")
        Simulation(alone, communicator).run(runs[-1], progress=False)
    return runs


def same(communicator, pairs):
    """Tell, on all ranks, in what the runs of the pairs differ."""
    found = None
    if communicator.is_root:
        found = [name for one, other in pairs for name in differences(one, other)]
    return communicator.broadcast(found)


@pytest.mark.mpi
@pytest.mark.parametrize("replicas", [2, REPLICAS])
def test_a_replica_is_an_ordinary_run_with_its_own_seed(comm, shared_tmp_path, replicas):
    """Bitwise, with fewer ranks than replicas and with more."""
    communicator, configuration = Communicator(comm), small(replicas)
    ensemble = shared_tmp_path / "ensemble"
    assert Ensemble(configuration, communicator).run(ensemble, progress=False) == ensemble
    alone = apart(shared_tmp_path, configuration, communicator, range(replicas))
    replica = [ensemble / replica_name(number) for number in range(replicas)]
    assert same(communicator, zip(alone, replica, strict=True)) == []
    others = itertools.combinations(replica, 2)
    assert all("run.h5" in str(same(communicator, [pair])) for pair in others)


@pytest.mark.mpi
def test_a_longer_and_larger_ensemble_is_what_it_would_have_been(comm, shared_tmp_path):
    communicator = Communicator(comm)
    whole, grown = shared_tmp_path / "whole", shared_tmp_path / "grown"
    Ensemble(small(REPLICAS), communicator).run(whole, progress=False)
    Ensemble(small(3, duration=1.0), communicator).run(grown, progress=False)
    ensemble = Ensemble.resume(
        grown, [f"run.replicas={REPLICAS}", "time.duration=2.0"], communicator
    )
    assert ensemble.finished == 0
    ensemble.run(progress=False)
    assert ensemble.finished == REPLICAS
    assert load(grown / "ensemble.toml") == small(REPLICAS)
    pairs = [(whole / replica_name(n), grown / replica_name(n)) for n in range(REPLICAS)]
    assert same(communicator, pairs) == []


@pytest.mark.mpi
def test_what_is_finished_is_left_alone_and_what_never_began_is_begun(comm, shared_tmp_path):
    communicator, configuration = Communicator(comm), small()
    run = shared_tmp_path / "ensemble"
    Ensemble(configuration, communicator).run(run, progress=False)
    if communicator.is_root:
        kept = (run / "replica-001" / "run.h5").stat().st_mtime_ns
        # Replica 2 was never begun; 3 died before its first checkpoint.
        for name in ("replica-002", "replica-003"):
            for file in (run / name).iterdir():
                file.unlink()
        (run / "replica-002").rmdir()
    communicator.barrier()
    ensemble = Ensemble.resume(run, communicator=communicator)
    assert ensemble.replicas == [2, 3]
    ensemble.run(progress=False)
    alone = apart(shared_tmp_path, configuration, communicator, [2, 3])
    replica = [run / replica_name(number) for number in (2, 3)]
    assert same(communicator, zip(alone, replica, strict=True)) == []
    if communicator.is_root:
        assert (run / "replica-001" / "run.h5").stat().st_mtime_ns == kept


@pytest.mark.mpi
def test_the_time_limit_stops_all_groups_and_any_ranks_go_on(comm, shared_tmp_path, monkeypatch):
    """The limit has passed when the first replicas look; the others have not begun then."""
    communicator = Communicator(comm)
    run = shared_tmp_path / "ensemble"
    limited = small(run={"replicas": REPLICAS, "seed": 7, "device": "cpu", "walltime": 1e-3})
    ensemble = Ensemble(limited, communicator)
    ensemble.run(run, progress=False)
    assert ensemble.stopped == "time limit"
    assert ensemble.finished == 0
    assert (run / "replica-000" / "checkpoint.h5").exists()
    assert not (run / f"replica-{REPLICAS - 1:03d}").exists()
    alone = Communicator(comm.Split(comm.rank, 0))
    if communicator.is_root:  # on one rank, whatever it was begun on
        Ensemble.resume(run, ["run.walltime=0"], alone).run(progress=False)
    communicator.barrier()
    runs = apart(shared_tmp_path, small(), communicator, range(REPLICAS))
    replica = [run / replica_name(number) for number in range(REPLICAS)]
    assert same(communicator, zip(runs, replica, strict=True)) == []


@pytest.mark.mpi
def test_a_replica_that_fails_leaves_the_others_alone(comm, shared_tmp_path):
    communicator = Communicator(comm)
    run = shared_tmp_path / "ensemble"
    Ensemble(small(duration=1.0), communicator).run(run, progress=False)
    if communicator.is_root:
        (run / "replica-004" / "checkpoint.h5").write_bytes(b"damaged")
        (run / "replica-004" / "checkpoint.previous.h5").unlink()
    communicator.barrier()
    with pytest.raises(ConfigError, match="replica-004: checkpoint") as caught:
        Ensemble.resume(run, ["time.duration=2.0"], communicator).run(progress=False)
    assert len(str(caught.value).splitlines()) == 1
    assert Ensemble.resume(run, (), communicator).replicas == [4]  # the others have finished


@pytest.mark.mpi(min_size=2)
def test_impossible_ensembles_are_refused_alike_and_leave_nothing(comm, shared_tmp_path):
    communicator = Communicator(comm)
    run = shared_tmp_path / "ensemble"
    narrow = small(1, lattice={"shape": [4, 2 * 4]}, tracers={"number": 5})
    with pytest.raises(ConfigError, match="a single run"):
        Simulation(small(), communicator)
    with pytest.raises(ConfigError, match="nowhere"):
        Ensemble(small(initial={"state": "./nowhere"}), communicator).run(run, progress=False)
    with pytest.raises(ConfigError, match="no ensemble"):
        Ensemble.resume(shared_tmp_path, communicator=communicator)
    assert Ensemble(narrow, communicator).groups.group.size == communicator.size
    communicator.barrier()
    assert list(shared_tmp_path.iterdir()) == []
    Ensemble(small(2, duration=0.5), communicator).run(run, progress=False)
    for override, words in (
        ("run.replicas=1", "the ensemble has 2"),
        ("time.duration=0.3", "the ensemble has 0.5"),
        ("model.temperature=0.2", "may change"),
    ):
        with pytest.raises(ConfigError, match=words):
            Ensemble.resume(run, [override], communicator)
    with pytest.raises(ConfigError, match="is an ensemble: give a replica"):
        Simulation.resume(run, communicator=communicator)
    with pytest.raises(ConfigError, match="exists"):
        Ensemble(small(2), communicator).run(run, progress=False)


def test_seeds_of_replicas_do_not_collide():
    seeds = [
        small(3, seed=seed).replica(replica).run.seed
        for seed in (0, 1, 2, 2**32 - 1)
        for replica in (0, 1, 2)
    ]
    assert len(set(seeds)) == len(seeds)
    assert small(3, seed=9).replica(0).run.seed == 9
    assert small(2**20, seed=2**32 - 1).replica(2**20 - 1).run.seed < 2**63
    assert small(3).replica(1).run.replicas == 1
