"""Sums of the replicas of an ensemble side by side, so that each replica is a block.

Replicas are independent, so every error bar of an ensemble comes from their spread alone: averages
have the standard error of the replicas' means times Student's factor, and functions of averages
(fits, crossing times, ratios) a delete-one-replica jackknife.  That is what `blocks` does with the
equal blocks of one long series; here the series of the replicas are put one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class SumsByOrigin:
    """Base of sums with one entry for each origin along the last axis.

    Attributes
    ----------
    sums : list of arrays, shape (..., origins)
    replicas : int
        Number of replicas; their origins follow each other, equally many of each.
    """

    sums: list[NDArray]
    replicas: int = 1

    def join(self, others: Sequence[Any]) -> None:
        """Append the sums of other replicas with the same number of origins."""
        parts = zip(self.sums, *(other.sums for other in others), strict=True)
        self.sums = [np.concatenate(part, axis=-1) for part in parts]
        self.replicas += len(others)
