"""docs/thermal_avalanches.md: its numbers follow from the tables of its campaigns."""

import re
from pathlib import Path

import numpy as np
import pytest
from thermal_avalanches import (
    laws_of_t_c,
    merging,
    power,
    quasi_static,
    rows_of,
    values_of,
)

from epmpi.analysis import fits
from epmpi.analysis.notation import significant

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "thermal_avalanches.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


def table(heading):
    """Return the cells of the first table below a heading, a list for each row."""
    lines = PAGE.split(f"\n## {heading}\n")[1].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def written(row, name):
    """Return a quantity of a row as the page writes it; a dash for none."""
    value, error = float(row[name]), float(row[f"{name}_error"])
    return significant(value, error) if np.isfinite(value) else "-"


def test_the_temperatures_at_which_bursts_merge():
    printed = {float(length): cells for length, *cells in table("T_c(L)")}
    found = merging()
    assert sorted(printed) == sorted(found)
    for length, (half, error, load) in found.items():
        assert printed[length][0] == significant(half, error)
        assert float(printed[length][1]) == pytest.approx(load, abs=0.006)


def test_the_law_that_they_follow():
    """1/Tc against ln L is straight, ln Tc against ln L is not."""
    straight, power_law = laws_of_t_c()
    for fit, sign in ((straight, 1), (power_law, -1)):
        assert significant(sign * fit.value[1], fit.error[1]) in TEXT
        assert f"chi^2 = {fit.chi_square:.1f} for {fit.freedom}" in TEXT
    assert significant(straight.value[0], straight.error[0]) in TEXT


def test_the_energy_of_the_event_rate():
    """Of all runs together, against 1/T."""
    rows = rows_of("avalanches")
    temperature = np.array([float(row["model.temperature"]) for row in rows])
    rate, error = values_of(rows, "event_rate")
    columns = np.stack([np.ones_like(rate), -1 / temperature], axis=1)
    fit = fits.fit_linear(columns, np.log(rate), error / rate)
    assert f"E = {significant(fit.value[1], fit.error[1])}" in PAGE


def test_what_yields_together():
    rows = {row["L"]: row for row in rows_of("heterogeneity")}
    printed = table("What yields together")
    assert [float(length) for length, *_ in printed] == sorted(rows)
    names = ("tau_alpha", "chi_4_peak", "chi_4_time", "s_4_limit", "s_4_length")
    for length, *cells in printed:
        assert cells == [written(rows[float(length)], name) for name in names]


@pytest.mark.parametrize("name", ["tau_alpha", "chi_4_peak", "s_4_limit", "s_4_length"])
def test_the_powers_of_what_yields_together(name):
    rows = [row for row in rows_of("heterogeneity") if np.isfinite(float(row[f"{name}_error"]))]
    fit = power(rows, name)
    assert significant(fit.value[1], fit.error[1]) in TEXT


def test_the_peaks_of_chi_4_at_a_lower_temperature():
    rows = {(float(row["model.temperature"]), row["L"]): row for row in rows_of("avalanches")}
    [cells] = re.findall(r"at T = 0\.024 it is ([^,]+), ([^,]+) and ([^,]+?) for L = 64", TEXT)
    for length, cell in zip((64.0, 128.0, 256.0), cells, strict=True):
        assert cell == written(rows[0.024, length], "chi_4_peak")


def test_the_exponents_of_quasi_static_avalanches():
    """The rows, their powers, and what follows: theta = -2/p - 1, tau = 2 - p(size)/p(cutoff)."""
    rows = quasi_static()
    names = ("load_between", "avalanche_size", "avalanche_cutoff", "avalanche_exponent", "theta")
    printed = table("Exponents of quasi-static avalanches")
    assert [float(length) for length, *_ in printed] == [row["L"] for row in rows]
    for (_, *cells), row in zip(printed, rows, strict=True):
        assert cells == [written(row, name) for name in names]
    load, size, cutoff = (power(rows, name) for name in names[:3])
    for fit, sign in ((load, -1), (size, 1), (cutoff, 1)):
        assert significant(sign * fit.value[1], fit.error[1]) in TEXT
    theta = -2 / load.value[1] - 1
    assert significant(theta, 2 * load.error[1] / load.value[1] ** 2) in TEXT
    share = size.value[1] / cutoff.value[1]
    error = share * np.hypot(size.error[1] / size.value[1], cutoff.error[1] / cutoff.value[1])
    assert significant(2 - share, error) in TEXT
