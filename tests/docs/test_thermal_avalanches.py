"""docs/thermal_avalanches.md: its numbers follow from the tables of its campaigns."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from epmpi.analysis import fits
from epmpi.analysis.notation import significant
from epmpi.campaign.formulas import LAWS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "thermal_avalanches.md").read_text(encoding="utf-8")
GAP = 10.0  # tau


def rows():
    """Return L, T and each quantity with its error, of all runs of the campaign."""
    with open(DOCS / "campaigns" / "avalanches.csv", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        row["L"], row["T"] = float(row["lattice.shape"].split("x")[0]), row["model.temperature"]
    return [
        {key: float(value) for key, value in row.items() if "shape" not in key} for row in found
    ]


def column(some, name):
    return np.array([[row[name], row[f"{name}_error"]] for row in some]).T


def merging():
    """Return {L: (Tc, its error, N r(Tc) g)} of sizes that have two temperatures with pauses."""
    found, table = {}, rows()
    for length in sorted({row["L"] for row in table}):
        some = sorted((row for row in table if row["L"] == length), key=lambda row: row["T"])
        temperature = np.array([row["T"] for row in some])
        fit = LAWS["merging"].fit(temperature, *column(some, "burst_time"))
        if fit is not None:
            rate = np.log(column(some, "event_rate")[0])
            at = np.interp(-1 / fit.value[0], -1 / temperature, rate)
            found[length] = (fit.value[0], fit.error[0], length**2 * np.exp(at) * GAP)
    return found


def test_the_temperatures_at_which_bursts_merge():
    told = {
        float(length): cells
        for length, *cells in re.findall(
            r"^\| (\d+) \| (0\.0\d+\(\d+\)) \| (\d\.\d+) \|", PAGE, re.M
        )
    }
    found = merging()
    assert sorted(told) == sorted(found)
    for length, (half, error, load) in found.items():
        assert told[length][0] == significant(half, error)
        assert float(told[length][1]) == pytest.approx(load, abs=0.006)


def test_the_law_that_they_follow():
    """1/Tc against ln L is straight, ln Tc against ln L is not."""
    found = merging()
    length = np.log(np.array(list(found)))
    half, error = np.array([one[:2] for one in found.values()]).T
    columns = np.stack([np.ones_like(length), length], axis=1)
    straight = fits.fit_linear(columns, 1 / half, error / half**2)
    power = fits.fit_linear(columns, np.log(half), error / half)
    text = " ".join(PAGE.split())
    for fit, sign in ((straight, 1), (power, -1)):
        assert significant(sign * fit.value[1], fit.error[1]) in text
        assert f"chi^2 = {fit.chi_square:.1f} for {fit.freedom}" in text
    assert significant(straight.value[0], straight.error[0]) in text


def test_the_energy_of_the_event_rate():
    """Of all runs together, against 1/T."""
    table = rows()
    temperature = np.array([row["T"] for row in table])
    rate, error = column(table, "event_rate")
    columns = np.stack([np.ones_like(rate), -1 / temperature], axis=1)
    fit = fits.fit_linear(columns, np.log(rate), error / rate)
    assert f"E = {significant(fit.value[1], fit.error[1])}" in PAGE


def test_the_peaks_of_chi_4():
    told = re.findall(r"^\| (0\.0\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", PAGE, re.M)
    table = {(row["T"], row["L"]): row for row in rows()}
    assert len(told) >= 2
    for temperature, *cells in told:
        for length, cell in zip((64.0, 128.0, 256.0), cells, strict=True):
            row = table[float(temperature), length]
            assert cell.strip() == significant(row["chi_4_peak"], row["chi_4_peak_error"])
