"""Labels of the ticks of axes, few enough that none is written over another."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    AutoLocator,
    FuncFormatter,
    LogFormatterSciNotation,
    MaxNLocator,
    NullFormatter,
)

FEWEST, FEWEST_LONG = 3, 2  # labels that an axis should have; of those with a power of ten
DIGITS = ((), (2, 5), (2, 3, 5), (2, 3, 4, 5, 6, 8))  # first digits to be labelled beside 1
DIGIT = 0.64  # width of one, over the size of the font
STEPS = (1, 2, 2.5, 5, 10)  # between labels, in powers of ten
PLAIN = (1e-3, 1e4)  # numbers between are written without a power of ten


def thin_labels(figure: Figure) -> None:
    """Label the ticks of the axes of a figure anew where they may overlap.

    Long numbers below a panel have wider steps.  On decimal logarithmic axes there are powers of
    ten where there are enough of them, else 2 and 5 too, else more; matplotlib labels up to eight
    ticks of a decade, as 2 x 10^1.  Axes with labels of their own are left as they are.
    """
    for axes in figure.axes:
        if type(axes.xaxis.get_major_locator()) is AutoLocator:
            _widen_steps(axes.xaxis)
        for axis in (axes.xaxis, axes.yaxis):
            transform: Any = axis.get_transform()
            own = type(axis.get_minor_formatter()) is not LogFormatterSciNotation
            if getattr(transform, "base", None) == 10 and not own:
                _thin(axis)


def _widen_steps(axis: Axis) -> None:
    """Put the ticks of a linear x axis so far apart that a digit's width is left between labels.

    For good: the layout makes panels wider later, and matplotlib would add ticks.
    """
    figure: Any = axis.axes.figure
    room = axis.axes.get_window_extent().width / figure.dpi * 72  # points
    digit = DIGIT * float(axis.label.get_fontsize())
    low, high = sorted(axis.get_view_interval())
    for most in range(9, 1, -1):
        axis.set_major_locator(MaxNLocator(most, steps=STEPS))
        ticks = list(axis.get_majorticklocs())
        longest = max(map(len, axis.get_major_formatter().format_ticks(ticks)), default=0)
        if len(ticks) < 2 or (ticks[1] - ticks[0]) / (high - low) * room >= (longest + 1) * digit:
            return


def _thin(axis: Axis) -> None:
    low, high = sorted(axis.get_view_interval())
    fewest = FEWEST if PLAIN[0] <= low and high < PLAIN[1] else FEWEST_LONG
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for digits in DIGITS:
        ticks = np.outer(decades, (1, *digits)).ravel()
        if np.count_nonzero((ticks >= low) & (ticks <= high)) >= fewest:
            break
    if not digits:
        axis.set_minor_formatter(NullFormatter())
        return
    axis.set_minor_formatter(FuncFormatter(lambda value, _: _label(value, digits)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _label(value, (1,))))


def _label(value: float, digits: tuple[int, ...]) -> str:
    """Return a number with one of these first digits in short, of others nothing."""
    power = int(np.floor(np.log10(value) + 1e-9))
    first = round(value / 10.0**power)
    if first not in digits:
        return ""
    if PLAIN[0] <= value < PLAIN[1]:
        return f"{value:g}"
    number = "" if first == 1 else rf"{first}\times"
    return rf"${number}10^{{{power}}}$"
