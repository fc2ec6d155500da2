"""The replicas of an ensemble: their seeds and their names.

Replica r of an ensemble is the ordinary run with the seed ``run.seed + r 2^32``.  The seed of an
ensemble is below 2^32, so that ensembles with different seeds have no replica in common; a single
run with such a seed is the same as replica 0 of the ensemble with that seed.
"""

from __future__ import annotations

from pathlib import Path

SEED_STRIDE = 2**32  # seeds of ensembles are smaller
MOST_REPLICAS = 2**20  # a directory each; the largest seed is then below 2^63
ENSEMBLE = "ensemble.toml"  # in the RUN directory of an ensemble: its configuration


def replica_seed(seed: int, replica: int) -> int:
    """Return the seed of a replica, different for all pairs (seed < 2^32, replica)."""
    return seed + replica * SEED_STRIDE


def replica_name(replica: int) -> str:
    """Return the name of the directory of one replica: replica-000, replica-001, ..."""
    return f"replica-{replica:03d}"


def is_ensemble(directory: Path) -> bool:
    """Tell whether a RUN directory is that of an ensemble."""
    return (directory / ENSEMBLE).is_file()


def expected_run(directory: Path) -> str:
    """Return the expectation of a single run, for an error message about this directory."""
    if is_ensemble(directory):
        return f"{directory} is an ensemble: give a replica, such as {directory / replica_name(0)}"
    return "expected a RUN directory"
