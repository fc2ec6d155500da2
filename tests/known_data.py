"""Series with known correlations, and how often an error bar covers the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray


def ornstein_uhlenbeck(
    samples: int, columns: int, correlation: float, seed: int
) -> NDArray[np.float64]:
    """Return stationary Gaussian series of unit variance and C(k) = correlation^k."""
    random = np.random.default_rng(seed)
    series = np.empty((samples, columns))
    series[0] = random.normal(size=columns)
    kicks = np.sqrt(1 - correlation**2) * random.normal(size=(samples, columns))
    for k in range(1, samples):
        series[k] = correlation * series[k - 1] + kicks[k]
    return series


def coverage(
    measure: Callable[[int], tuple[float, float]], truth: float, seeds: Iterable[int]
) -> float:
    """Return the fraction of seeds whose value is within one error of the truth."""
    found = [measure(seed) for seed in seeds]
    return float(np.mean([abs(value - truth) <= error for value, error in found]))


def covers(rate: float, trials: int) -> bool:
    """Tell whether a measured coverage agrees with 68.3 % within three standard deviations."""
    return abs(rate - 0.683) <= 3 * np.sqrt(0.683 * 0.317 / trials)
