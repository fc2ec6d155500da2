"""Draw the figure of docs/thermal_avalanches.md from the tables of its campaigns.

    python tools/thermal_avalanches.py docs/images/thermal_avalanches.png

T_c(L) comes from the shares of the time in bursts (campaign avalanches), what yields together from
chi_4 and S_4 (heterogeneity), the powers of avalanches from quasi-static shear (quasi_static).
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from epmpi.analysis import fits
from epmpi.analysis.figures.style import BLACK, PALETTE, drawing
from epmpi.campaign.formulas import LAWS

CAMPAIGNS = Path(__file__).parents[1] / "docs" / "campaigns"
GAP = 10.0  # tau, of bursts
TOGETHER = {  # quantities of the second panel
    "chi_4_peak": r"largest $\chi_4(t)$",
    "s_4_limit": r"$S_4(q\to 0,\tau_\alpha)$",
    "s_4_length": r"$\xi$ of $S_4$, lattice spacings",
}
QUASI_STATIC = {  # and of the third, with their factors
    "avalanche_size": (r"$\langle S\rangle$", 1.0),
    "avalanche_cutoff": (r"$\langle S^2\rangle/\langle S\rangle$", 1.0),
    "load_between": (r"$10^3\,\langle x_\mathrm{min}\rangle\;/\;\sigma_Y$", 1e3),
}

Row = dict[str, Any]
Pair = NDArray[np.float64]


def rows_of(campaign: str) -> list[Row]:
    """Return the rows of a campaign's table, with L, and the numbers of each."""
    with open(CAMPAIGNS / f"{campaign}.csv", newline="", encoding="utf-8") as file:
        rows: list[Row] = list(csv.DictReader(file))
    for row in rows:
        row["L"] = float(row["lattice.shape"].split("x")[0])
    return rows


def values_of(rows: list[Row], name: str) -> Pair:
    """Return a quantity and its errors, (2, rows)."""
    return np.array([[float(row[name]), float(row[f"{name}_error"])] for row in rows]).T


def merging() -> dict[float, tuple[float, float, float]]:
    """Return {L: (T_c, its error, N r(T_c) gap)} of sizes that have two temperatures with pauses.

    T_c by the law `merging` of the share of the time in bursts; the rate r of a site between two
    temperatures by 1/T.
    """
    found, table = {}, rows_of("avalanches")
    for length in sorted({row["L"] for row in table}):
        some = [row for row in table if row["L"] == length]
        some = sorted(some, key=lambda row: float(row["model.temperature"]))
        temperature = np.array([float(row["model.temperature"]) for row in some])
        fit = LAWS["merging"].fit(temperature, *values_of(some, "burst_time"))
        if fit is not None:
            rate = np.log(values_of(some, "event_rate")[0])
            at = np.interp(-1 / fit.value[0], -1 / temperature, rate)
            found[length] = (fit.value[0], fit.error[0], length**2 * np.exp(at) * GAP)
    return found


def laws_of_t_c() -> tuple[fits.Fit, fits.Fit]:
    """Return the fits of 1/T_c = c + s ln L, and of ln T_c = a - b ln L."""
    found = merging()
    length = np.log(np.array(list(found)))
    half, error = np.array([one[:2] for one in found.values()]).T
    columns = np.stack([np.ones_like(length), length], axis=1)
    straight = fits.fit_linear(columns, 1 / half, error / half**2)
    return straight, fits.fit_linear(columns, np.log(half), error / half)


def quasi_static() -> list[Row]:
    """Return the rows of quasi-static shear."""
    return rows_of("quasi_static")


def power(rows: list[Row], name: str) -> fits.Fit:
    """Return the fit of a power of L to a quantity."""
    fit = LAWS["power"].fit(np.array([row["L"] for row in rows]), *values_of(rows, name))
    if fit is None:
        raise ValueError(f"{name} follows no power")
    return fit


def draw_t_c(axes: Axes) -> None:
    """Draw 1/T_c against L, with the straight line."""
    found = merging()
    length = np.array(list(found))
    half, error = np.array([one[:2] for one in found.values()]).T
    axes.errorbar(length, 1 / half, error / half**2, fmt="o")
    straight, _ = laws_of_t_c()
    line = np.geomspace(length[0], length[-1])
    constant, slope = straight.value
    axes.plot(line, constant + slope * np.log(line), color=BLACK, linewidth=1,
              label=f"{constant:.2f} + {slope:.2f} ln L")  # fmt: skip
    axes.set(ylabel=r"$1\;/\;T_c$")
    axes.legend()


def draw_powers(axes: Axes, rows: list[Row], names: dict[str, tuple[str, float]]) -> None:
    """Draw quantities against L, each with its power."""
    for (name, (label, factor)), colour in zip(names.items(), PALETTE, strict=False):
        some = [row for row in rows if np.isfinite(float(row[f"{name}_error"]))]
        length, (value, error) = np.array([row["L"] for row in some]), values_of(some, name)
        axes.errorbar(length, factor * value, factor * error, fmt="o", color=colour, label=label)
        height, exponent = power(some, name).value
        line = np.geomspace(length[0], length[-1])
        axes.plot(line, factor * height * line**exponent, color=colour, linewidth=0.8)
    axes.set_yscale("log")
    axes.legend()


def main() -> None:
    """Draw three panels against L."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("png", type=Path)
    chosen = parser.parse_args()
    with drawing(chosen.png, 14.4, 4.6, for_page=True) as figure:
        first, second, third = figure.subplots(1, 3)
        draw_t_c(first)
        plain = {name: (label, 1.0) for name, label in TOGETHER.items()}
        draw_powers(second, rows_of("heterogeneity"), plain)
        draw_powers(third, quasi_static(), QUASI_STATIC)
        for axes in (first, second, third):
            axes.set_xscale("log", base=2)
            axes.set_xlabel("L")


if __name__ == "__main__":
    main()
