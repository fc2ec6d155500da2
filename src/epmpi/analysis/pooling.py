"""Sums over strips, of all ranks; those of replicas follow each other, so that each is a block.

Replicas are independent, so every error bar of an ensemble comes from their spread alone: averages
have the standard error of the replicas' means times Student's factor, and functions of averages
(fits, crossing times, ratios) a delete-one-replica jackknife.  That is what `blocks` does with the
equal blocks of one long series; here the series of the replicas are put one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.run_file import RunFile
from epmpi.parallel import Communicator

Strips = Iterable[NDArray[np.float64]]


class Sums:
    """Base of what adds up strips, with one entry for each origin along the last axis.

    Attributes
    ----------
    sums : list of arrays, shape (..., origins)
    columns : int
        Number of tracers or sites that were added.
    replicas : int
        Number of replicas; their origins follow each other, equally many of each.

    `distribution.Histogram` has blocks in place of origins, and needs neither of the numbers.
    """

    sums: list[NDArray]
    columns: int = 0
    replicas: int = 1

    def join(self, others: Sequence[Any]) -> None:
        """Append the sums of other replicas with the same number of origins."""
        parts = zip(self.sums, *(other.sums for other in others), strict=True)
        self.sums = [np.concatenate(part, axis=-1) for part in parts]
        self.replicas += len(others)


def summed(
    runs: Sequence[RunFile],
    accumulators: Callable[[], list[Any]],
    strips: Callable[[RunFile], Strips],
    communicator: Communicator,
) -> list[Any]:
    """Return the sums of accumulators over the strips of all ranks and replicas.  Collective.

    Parameters
    ----------
    runs : sequence of RunFile
        One, or the replicas of an ensemble.
    accumulators : function
        Returns new `Sums`, for each replica.
    strips : function
        Of a run: those of this rank's tracers or sites.

    Raises
    ------
    AnalysisError
        On all ranks, if a file cannot be read on one.
    """
    found = []
    for run in runs:
        found.append(accumulators())
        add_strips(strips(run), found[-1], communicator)
    for first, *others in zip(*found, strict=True):
        if others:
            first.join(others)
    return found[0]


def add_strips(strips: Strips, accumulators: Sequence[Any], communicator: Communicator) -> None:
    """Give each strip to all accumulators, then add their sums up over the ranks.  Collective."""
    error = None
    try:
        for strip in strips:
            for accumulator in accumulators:
                accumulator.add(strip)
    except AnalysisError as found:
        error = found
    communicator.raise_named(error)
    for accumulator in accumulators:
        accumulator.columns = communicator.sum(accumulator.columns)
        for total in accumulator.sums:
            total[...] = communicator.sum(total)
