"""The replicas of an ensemble: their seeds and their names.

Replica r of an ensemble is the ordinary run with the seed ``run.seed + r 2^32``.  An ensemble has a
seed below 2^32, so that ensembles of different seeds have no replica in common; and a single run
with a seed below 2^32 is the same as replica 0 of the ensemble of that seed, and as no other.
"""

from __future__ import annotations

from pathlib import Path

SEED_STRIDE = 2**32  # the seeds of ensembles are below
MOST_REPLICAS = 2**20  # a directory each; the largest seed is then below 2^63
ENSEMBLE = "ensemble.toml"  # in RUN: the configuration, which tells an ensemble from a run


def replica_seed(seed: int, replica: int) -> int:
    """Return the seed of one replica: no two pairs (seed < 2^32, replica) have the same."""
    return seed + replica * SEED_STRIDE


def replica_name(replica: int) -> str:
    """Return the name of the directory of one replica: replica-000, replica-001, ..."""
    return f"replica-{replica:03d}"


def is_ensemble(directory: Path) -> bool:
    """Tell whether a RUN directory is that of an ensemble."""
    return (directory / ENSEMBLE).is_file()


def expected_run(directory: Path) -> str:
    """Return what to name where a single run is wanted and this directory was given."""
    if is_ensemble(directory):
        return f"{directory} is an ensemble: give a replica, such as {directory / replica_name(0)}"
    return "expected a RUN directory"
