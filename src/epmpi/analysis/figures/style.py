"""The look of all figures: one place for fonts, colours and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from numpy.typing import NDArray

from epmpi.analysis.figures.tick_labels import thin_labels

# Okabe and Ito's palette, for colour-blind readers too.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY, BLACK = "#D55E00", "#CC79A7", "#56B4E9", "#000000"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
GREY = "0.45"
DIVERGING = "RdBu_r"  # centred on zero stress
SEQUENTIAL = "viridis"
PAGE_DPI = 110

STYLE: Any = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
    "font.size": 13,
    "mathtext.fontset": "stixsans",
    "axes.titlesize": 13,
    "axes.labelsize": 15,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.linewidth": 1.0,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.major.size": 6,
    "ytick.major.size": 6,
    "xtick.minor.size": 3,
    "ytick.minor.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "errorbar.capsize": 2,
}

REGIME_COLOURS = {"I": BLUE, "II": VERMILION, "III": GREEN}


@contextmanager
def drawing(
    path: Path, width: float, height: float, title: str = "", *, for_page: bool = False
) -> Iterator[Figure]:
    """Hand out a figure in this style, in inches, and save it as PNG at the end.

    A figure `for_page` has fewer points, enough for a page of the documentation.

    No pyplot, so there is no global state and no display is needed.  The user's settings, such as
    `text.usetex`, are ignored.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(width, height))
        if title:
            figure.suptitle(title)
        yield figure
        thin_labels(figure)
        figure.savefig(path, dpi=PAGE_DPI if for_page else STYLE["savefig.dpi"])


def sequence(number: int) -> NDArray[np.float64]:
    """Return colours for an ordered family of curves, dark to light, shape (number, 4)."""
    return matplotlib.colormaps[SEQUENTIAL](np.linspace(0.0, 0.88, number))


def colour_bar(axes: Axes, mappable: ScalarMappable, label: str, extend: str = "neither") -> None:
    """Draw a colour bar exactly as high as its panel."""
    beside = axes.inset_axes((1.025, 0.0, 0.04, 1.0))
    axes.figure.colorbar(mappable, cax=beside, label=label, extend=extend)


def label_panels(*panels: Axes) -> None:
    """Write (a), (b), ... above the left corners of panels."""
    for axes, letter in zip(panels, ascii_lowercase, strict=False):
        label_panel(axes, letter)


def label_panel(axes: Axes, letter: str) -> None:
    """Write (a), (b), ... above the left corner of a panel."""
    axes.set_title(f"({letter})", loc="left", fontweight="bold")
