"""Replicas that run in step, as one batch on their device."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing

from epmpi.model.batch import Batch
from epmpi.model.model import Model


def run_in_step(
    models: dict[int, Model],
    courses: dict[int, Generator[int]],
    ends: tuple[type[Exception], ...],
) -> Iterator[tuple[int, Exception | None]]:
    """Run models that are at the same step along their courses, as `Simulation.run` does one.

    Parameters
    ----------
    models, courses : dict of int to Model, generator
        By replica; see `Simulation.course`.
    ends : tuple of exception types
        Errors that end one run and not the others.

    Yields
    ------
    (int, Exception or None)
        Each replica when it has ended, with its error.
    """
    batch: Batch | None = None
    due = {replica: models[replica].step_count for replica in courses}
    with ExitStack() as opened:
        for course in courses.values():
            opened.enter_context(closing(course))
        while due:
            step = min(due.values())
            for replica in [replica for replica, then in due.items() if then == step]:
                try:
                    due[replica] = next(courses[replica])
                    continue
                except StopIteration:
                    found = None
                except ends as error:
                    found = error
                del due[replica]
                batch = None
                yield replica, found
            if due:
                batch = batch or Batch([models[replica] for replica in due])
                batch.advance(min(due.values()))
