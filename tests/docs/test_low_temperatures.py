"""docs/low_temperatures.md: its laws follow from its table."""

import re
from pathlib import Path

import numpy as np
import pytest

from epmpi.campaign.formulas import fit_arrhenius

PAGE = (Path(__file__).parents[2] / "docs" / "low_temperatures.md").read_text(encoding="utf-8")
HOT = (0.1, 0.0150020, 0.0000071)  # T, activity and error that the text names


def number(text):
    """Return a number written as 1.9403(25) 10^-3 and its error."""
    digits, error, power = re.fullmatch(r"([\d.]+)\((\d+)\)(?: 10\^(-?\d+))?", text).groups()
    unit = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return float(digits) * 10.0 ** int(power or 0), int(error) * unit


def table():
    """Return temperatures, activities and their errors, the hottest first."""
    rows = re.findall(r"^\| (0\.0\d+) \| [^|]+ \| [^|]+ \| ([\d.]+\(\d+\) 10\^-\d+) \|", PAGE, re.M)
    found = [(float(temperature), *number(activity)) for temperature, activity in rows]
    return np.array([HOT, *found]).T


def test_all_activities_are_known_well():
    temperature, activity, error = table()
    assert len(temperature) == 7
    assert np.all(error < 0.003 * activity)


def test_slopes_between_neighbours():
    temperature, activity, error = table()
    slope = np.diff(np.log(activity)) / -np.diff(1 / temperature)
    spread = np.hypot(error / activity, np.roll(error / activity, -1))[:-1]
    row = next(line for line in PAGE.splitlines() if line.startswith("| E |"))
    said = [number(text.strip()) for text in row.split("|")[2:-1]]
    for (value, sigma), mine in zip(said, slope, strict=True):
        assert value == pytest.approx(mine, abs=6e-5)
        assert sigma > 0
    np.testing.assert_allclose(
        [sigma for _, sigma in said], spread / np.diff(1 / temperature), atol=6e-5
    )


def test_the_law_bends():
    straight, curved = (fit_arrhenius(*table(), curved=curved) for curved in (False, True))
    assert f"E = {straight.value[1]:.5f}" in PAGE
    assert f"chi^2 = {straight.chi_square:.0f} for 5" in PAGE
    assert f"E = {curved.value[1]:.4f}" in PAGE
    assert f"c = {curved.value[2] * 1e4:.2f}" in PAGE
    assert f"chi^2 = {curved.chi_square:.0f} for 4" in PAGE
