"""Activity and stress variance against time, warm-up included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from epmpi.analysis.activity import series_of
from epmpi.analysis.blocks import Estimate
from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.figures.style import BLACK, BLUE, GREY, VERMILION, drawing
from epmpi.analysis.notation import significant
from epmpi.analysis.run_file import RunFile
from epmpi.analysis.stationarity import Drift

LABELS = {
    "activity": r"activity $a$",
    "stress_mean": r"mean stress $\sigma/\sigma_Y$",  # of sheared runs: of the others it is noise
    "stress_variance": r"$\langle\delta\sigma^2\rangle$",
}
MOST_POINTS = 2000  # a longer series is drawn as means of this many bins


def has_rate(run: RunFile) -> bool:
    """Tell whether a run has been sheared at some rate."""
    if run.has("observables/strain_rate"):  # changed during the run
        return bool(run.series("strain_rate")[1].any())
    return bool(run.parameter("model", "strain_rate", 0.0))


def draw_series(
    path: Path,
    runs: Sequence[RunFile],
    averages: Mapping[str, Estimate],
    drifts: Mapping[str, Drift],
    title: str,
) -> None:
    """Draw the series of all replicas with their averages; time 0 is the end of the warm-up.

    The line of a marked drift is drawn too.  An activity averaged over time is drawn as the means
    between outputs.
    """
    sheared = has_rate(runs[0])
    names = [name for name in LABELS if name in averages and (sheared or name != "stress_mean")]
    with drawing(path, 7.5, 2.6 * len(names) + 0.8, title) as figure:
        panels = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
        for axes, name in zip(panels, names, strict=True):
            for run in runs:
                _draw_one(axes, run, name, faint=1 / len(runs))
            span = runs[0].series(name)[0].time[[0, -1]]
            axes.set_ylabel(LABELS[name])
            _draw_average(axes, span, averages[name])
            if drifts[name].is_marked:
                _draw_drift(axes, span, averages[name].value, drifts[name].value)
        panels[-1].set_xlabel(r"$t\;/\;\tau$ since the end of the warm-up")


def _draw_one(axes: Axes, run: RunFile, name: str, faint: float) -> None:
    opacity = max(faint, 0.15) ** 0.5
    try:
        time, value = series_of(run, name, warmup=True)
        end = run.series(name, warmup=True)[0].time[-1:]
    except AnalysisError:
        pass  # a run that started from another run's state need have no warm-up
    else:
        if value.size:
            axes.plot(*thinned(time - end, value), color=GREY, linewidth=1, alpha=opacity)
    axes.plot(*thinned(*series_of(run, name)), color=BLUE, linewidth=1, alpha=opacity)


def _draw_average(axes: Axes, span: np.ndarray, average: Estimate) -> None:
    axes.axvline(0, color=BLACK, linewidth=0.8, linestyle=":")
    axes.plot(span, [average.value] * 2, color=BLACK, linewidth=1.4)
    axes.fill_between(
        span,
        average.value - average.error,
        average.value + average.error,
        color=BLACK,
        alpha=0.3,
        linewidth=0,
    )
    axes.annotate(
        significant(average.value, average.error),
        (0.98, 0.06),
        xycoords="axes fraction",
        ha="right",
    )


def _draw_drift(axes: Axes, span: np.ndarray, mean: float, change: float) -> None:
    axes.plot(span, [mean - change / 2, mean + change / 2], color=VERMILION, linewidth=1.4)
    axes.annotate(
        "not stationary", (0.98, 0.9), xycoords="axes fraction", ha="right", color=VERMILION
    )


def thinned(time: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return bin means, no more than `MOST_POINTS`."""
    width = -(-time.size // MOST_POINTS)
    whole = time.size // width * width
    return (
        time[:whole].reshape(-1, width).mean(axis=1),
        value[:whole].reshape(-1, width).mean(axis=1),
    )
