"""The structure factor S_4(q,t) of the sites that have no event, and the length in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.blocks import jackknifed, leave_one_out
from epmpi.analysis.curve import Curve, shared_blocks, with_errors
from epmpi.analysis.events import Events
from epmpi.analysis.fits import CURVE, deviations, fit_curved
from epmpi.analysis.persistence import at_origins, origins_and_lags

SHELLS = 24  # moduli of q
SMALLEST = 1 / 3  # of the largest S_4, down to which the law of Ornstein and Zernike is fitted
FEWEST = 3  # shells of that fit
S_4 = (
    "S_4(q,t) = <|sum_i (p_i - <p>) exp(i q r_i)|^2>/N at the lag t, over origins, averaged over "
    "the wavevectors of a shell; limit S_0 and length xi of the fit S_0/(1 + (q xi)^2), of the "
    "smallest q, down to a third of the largest S_4; nan where that has fewer than three shells"
)


def measure_s_4(
    logs: Sequence[Events], shape: tuple[int, int], duration: float, lags: dict[str, float]
) -> list[Curve]:
    """Measure S_4(q,t) at some lags, over shells of q as wide as the smallest q.

    Parameters
    ----------
    logs : sequence of Events
        Of replicas.
    duration : float
        Of all replicas, in tau.
    lags : dict of str to float
        By the names of the curves, in tau.
    """
    origins, _ = origins_and_lags(duration)
    q = np.hypot(
        2 * np.pi * np.fft.fftfreq(shape[0])[:, None], 2 * np.pi * np.fft.fftfreq(shape[1])[None, :]
    )
    smallest = 2 * np.pi / max(shape)
    edges = smallest * (np.unique(np.geomspace(1, max(shape) / 2, SHELLS).round()) - 0.5)
    shell = np.digitize(q, edges).reshape(-1)  # 0: below the first, which is q = 0 alone
    number = np.bincount(shell, minlength=len(edges) + 1)[1:-1]
    middle = np.bincount(shell, q.reshape(-1), minlength=len(edges) + 1)[1:-1] / number

    def powers(time: NDArray, origin: float) -> list[NDArray]:
        found = []
        for lag in lags.values():
            persists = (time > origin + lag).reshape(shape)
            power = np.abs(np.fft.fft2(persists - persists.mean())) ** 2 / persists.size
            sums = np.bincount(shell, power.reshape(-1), minlength=len(edges) + 1)
            found.append(sums[1:-1] / number)
        return found

    series = at_origins(powers, logs, shape, origins).transpose(1, 2, 0)
    return [
        curve_of(name, lag, middle, of_lag, len(logs))
        for (name, lag), of_lag in zip(lags.items(), series, strict=True)
    ]


def curve_of(name: str, lag: float, q: NDArray, series: NDArray, replicas: int) -> Curve:
    """Return S_4 with the length in it from its values, (shells, origins of all replicas)."""
    left_out = leave_one_out(list(series), shared_blocks(series[0], replicas=replicas))
    value, error = jackknifed(lambda means: means, series.mean(axis=1), left_out)
    low = np.flatnonzero(value < SMALLEST * value.max())
    used = slice(0, int(low[0]) if low.size else len(q))
    sigma = deviations(error, value, CURVE)[used]

    def solve(means: NDArray) -> NDArray:
        return ornstein_zernike(q[used], means[used], sigma)

    fit = jackknifed(solve, value, left_out)
    parameters = {"lag": lag, **with_errors(("limit", "length"), *fit)}
    return Curve(name, S_4, "q", q, value, error, "1/lattice spacing", "1", parameters)


def ornstein_zernike(q: NDArray, value: NDArray, sigma: NDArray) -> NDArray:
    """Return S_0 and xi of S_0/(1 + (q xi)^2), fitted to values; nan where they are not found."""
    if len(q) < FEWEST:
        return np.full(2, np.nan)

    def law(limit: float, square: float) -> NDArray:
        return np.asarray(limit / (1 + square * q**2))

    found = fit_curved(law, (value.max(), 1 / q[-1] ** 2), value, sigma)
    if found is None or found.value[1] <= 0:
        return np.full(2, np.nan)
    return np.array([found.value[0], np.sqrt(found.value[1])])
