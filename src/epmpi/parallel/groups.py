"""Groups of ranks that share out the replicas of an ensemble."""

from __future__ import annotations

from epmpi.config import ConfigError, Configuration, most_ranks
from epmpi.parallel import Communicator
from epmpi.physics.lattice import split


def group_spans(ranks: int, replicas: int) -> list[tuple[int, int]]:
    """Return the ranks [first, last) of each group, the larger groups first.

    With fewer ranks than replicas each rank is a group; else each replica has a group.
    """
    return split(ranks, max(min(ranks, replicas), 1))


class Groups:
    """The groups of ranks, each of which runs one or more replicas one after another.

    Collective.

    Parameters
    ----------
    replicas : list of int
        To be run.

    Attributes
    ----------
    number : int
        Of groups.
    mine : list of int
        The replicas of this rank's group, in order.
    group : Communicator
        Of this rank's group.
    """

    def __init__(self, communicator: Communicator, replicas: list[int]) -> None:
        spans = group_spans(communicator.size, len(replicas))
        self.number = len(spans)
        own = next(n for n, (_, last) in enumerate(spans) if communicator.rank < last)
        self.mine = replicas[own :: self.number]
        self.group = communicator.split(own)


def check_groups(configuration: Configuration, ranks: int, replicas: int) -> None:
    """Raise ConfigError if the lattice cannot be cut into a slab for each rank of a group."""
    length, width = configuration.lattice.shape
    most = most_ranks(configuration.lattice.shape)
    first, last = group_spans(ranks, replicas)[0]
    if replicas and last - first > most:
        raise ConfigError(
            f"{ranks} ranks for {replicas} replicas of {length} x {width} sites: a replica would "
            f"have {last - first} ranks, expected at most {most}, min(Lx, Ly // 2); start at most "
            f"{replicas * most} ranks or set more run.replicas"
        )
