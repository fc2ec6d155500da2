import numpy as np
import pytest

from epmpi.analysis.curve import Curve
from epmpi.analysis.regimes import Window
from epmpi.paper.windows import half_range, parts, power_of


def exponents(values):
    """Return the exponents of power laws fitted to x, values(x) in 1 ... 100 and its halves."""
    x = np.geomspace(0.1, 1000, 200)
    curve = Curve("y", "", "x", x, values(x), 0.01 * values(x))
    return [power_of(curve, one.start, one.stop)[0] for one in parts(Window("II", 1.0, 100.0))]


def test_a_power_law_does_not_depend_on_the_window():
    assert half_range(exponents(lambda x: 3 * x**-1.5)) == pytest.approx(0, abs=1e-6)


def test_a_curve_that_bends_has_the_exponents_of_its_parts():
    """With ln y = -(ln x)^2/4 the exponent is -(ln x)/2: halves of 1 ... 100 differ by ln(10)/2."""
    spread = half_range(exponents(lambda x: np.exp(-(np.log(x) ** 2) / 4)))
    assert spread == pytest.approx(np.log(10) / 4, rel=0.02)


def test_halves_meet_in_the_middle_of_the_logarithm():
    whole, first, second = parts(Window("I", 1.0, 100.0))
    assert (whole.start, first.start, first.stop, second.start, second.stop) == (1, 1, 10, 10, 100)
    assert {part.name for part in (whole, first, second)} == {"I"}


def test_what_is_not_known_does_not_count():
    assert half_range([1.0, None, float("nan"), 3.0]) == 1
    assert half_range([None, 2.0]) == 0
