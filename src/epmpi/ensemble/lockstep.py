"""Replicas that go on in step, as one batch on their device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

from epmpi.model.batch import Batch
from epmpi.run.simulation import Simulation


def in_step(simulations: dict[int, Simulation]) -> Iterator[dict[int, Simulation]]:
    """Yield the replicas at the same step together: in one set, unless they were stopped apart."""
    for step in sorted({simulation.model.step_count for simulation in simulations.values()}):
        yield {
            replica: simulation
            for replica, simulation in simulations.items()
            if simulation.model.step_count == step
        }


def run_in_step(
    simulations: dict[int, Simulation],
    begin: Callable[[int, Simulation], Iterator[int]],
    ends: tuple[type[Exception], ...],
) -> Iterator[tuple[int, Exception | None]]:
    """Run simulations that are at the same step to their ends.

    Parameters
    ----------
    simulations : dict of int to Simulation
        By replica.
    begin : function (replica, simulation) -> generator
        Its `Simulation.course`.
    ends : tuple of exception types
        What ends one simulation and leaves the others.

    Yields
    ------
    (int, Exception or None)
        Each replica when it has ended, with what it ended by.
    """
    batch: Batch | None = None
    with ExitStack() as opened:
        going = {
            replica: opened.enter_context(closing(begin(replica, simulation)))  # type: ignore[type-var]
            for replica, simulation in simulations.items()
        }
        while going:
            for replica, course in list(going.items()):
                try:
                    next(course)
                    continue
                except StopIteration:
                    found = None
                except ends as error:
                    found = error
                del going[replica]
                batch = None
                yield replica, found
            if going and batch is None:
                batch = Batch([simulations[replica].model for replica in going])
            if batch is not None:
                batch.step()
