import numpy as np
import pytest

from epmpi.campaign.families import Family
from epmpi.campaign.laws import LAWS, fit, fit_all, read_requests
from epmpi.campaign.quantities import Mean
from epmpi.config import ConfigError

TRUTH = {
    "arrhenius": (np.array([0.06, 0.07, 0.08, 0.1]), (1.8, 0.49)),
    "arrhenius_curved": (np.array([0.06, 0.07, 0.08, 0.1]), (1.8, 0.49, 2e-3)),
    "second_order": (np.array([0.4, 0.2, 0.1, 0.05]), (0.02, -3e-4)),
    "order": (np.array([0.4, 0.2, 0.1, 0.05]), (0.02, -1e-2, 2.0)),
    "logarithm": (np.array([64.0, 128, 256, 512]), (0.1, 0.08)),
    "power": (np.array([64.0, 128, 256, 512]), (0.3, -0.7)),
    "merging": (np.array([0.02, 0.021, 0.022, 0.024]), (0.0216, 0.29)),
    "equal": (np.array([0.0, 1, 2, 3]), (0.3,)),
}


def request_of(law, **more):
    one = {"quantity": "a", "law": law, "against": "x", **more}
    return read_requests([one], ["a"])[0]


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_found_again(law):
    x, truth = TRUTH[law]
    y = LAWS[law].function(x, *truth)
    found = fit(request_of(law, expected=truth), Family("", x, y, 1e-3 * y))
    assert found.value == pytest.approx(truth, rel=1e-5)
    assert found.over_expected == pytest.approx(1)


@pytest.mark.parametrize("law", ["arrhenius", "second_order", "power", "merging", "equal"])
def test_its_errors_cover_the_truth(law):
    """At 68.3 % or a little more: chi^2 above its mean makes the errors larger, never smaller."""
    x, truth = TRUTH[law]
    y = LAWS[law].function(x, *truth)
    random, inside, times = np.random.default_rng(5), 0, 300
    for _ in range(times):
        noise = random.normal(size=x.size) * 0.01 * y
        found = fit(request_of(law), Family("", x, y + noise, 0.01 * y))
        inside += abs(found.value[-1] - truth[-1]) < found.error[-1]
    assert 0.63 < inside / times < 0.85


def test_rows_without_a_pause_or_without_a_burst_tell_nothing_of_where_bursts_merge():
    x, y = np.array([0.02, 0.021, 0.022, 0.024, 0.03]), np.array([0.0, 0.3, 0.5, 0.8, 1.0])
    found = fit(request_of("merging"), Family("", x, y, 0.01 * np.ones(5)))
    assert found.freedom == 1
    assert 0.0215 < found.value[0] < 0.0225
    assert fit(request_of("merging"), Family("", x[[0, 2, 4]], y[[0, 2, 4]], np.ones(3))) is None
    assert fit(request_of("power"), Family("", x, y, 0.01 * np.ones(5))) is None


def test_points_outside_the_range_are_left_out():
    x = np.array([0.06, 0.08, 0.1, 0.2])
    y = np.where(x < 0.15, 2 * np.exp(-0.5 / x), 77)
    found = fit(request_of("arrhenius", range=[0.0, 0.1]), Family("", x, y, 0.01 * y))
    assert found.value == pytest.approx([2, 0.5])
    assert found.freedom == 1


def test_too_few_rows_give_no_fit():
    assert fit(request_of("order"), Family("", *np.ones((3, 2)))) is None


def test_what_is_not_fitted_is_reported():
    nothing = Mean(float("nan"), float("nan"), 0)
    errors = {1.0: (0.1, 0.1, float("nan")), 2.0: (0.1, 0.1, 0.1)}
    table = [
        ({"x": x, "y": y}, {"a": Mean(1.0 + x, error, 1), "b": nothing})
        for y, of_family in errors.items()
        for x, error in zip((0.1, 0.2, 0.4), of_family, strict=True)
    ]
    wanted = [request_of("order"), request_of("equal", range=[1.0, 2.0])]
    wanted += read_requests([{"quantity": "b", "law": "equal", "against": "x"}], ["b"])
    found, failed = fit_all(wanted, table)
    assert [one.label for one in found] == ["y 2"]
    assert failed == [
        "no fit of a = y0 (1 + b (x/0.1)^p), x = x for y 1: 2 values of x with an error, 3 needed",
        "no fit of a = c, x = x for y 1: 0 values of x with an error, 1 needed",
        "no fit of a = c, x = x for y 2: 0 values of x with an error, 1 needed",
        "no fit of b = c, x = x: no row has this quantity",
    ]


def test_families_are_fitted_one_by_one():
    table = [
        ({"x": x, "y": y, "time.duration": 10.0 * x}, {"a": Mean(x * y, 0.1, 1)})
        for y in (1.0, 2.0)
        for x in (1.0, 2.0)
    ]
    found, failed = fit_all([request_of("equal")], table)
    assert not failed
    assert [one.label for one in found] == ["y 1", "y 2"]
    assert [one.value[0] for one in found] == pytest.approx([1.5, 3], rel=1e-4)  # weights of ROWS
    assert found[0].chi_square == pytest.approx(50, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"law": "cubic"}, "cubic"),
        ({"law": ["equal"]}, "no law"),
        ({"quantity": "b"}, "'b'"),
        ({"range": [0.1]}, "1 numbers"),
        ({"range": 0.1}, "a list of numbers"),
        ({"expected": [1.0, 2.0]}, "2 numbers"),
        ({"agianst": "x"}, "agianst"),
    ],
)
def test_a_fit_that_cannot_be_made(change, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read_requests([{"quantity": "a", "law": "equal", "against": "x", **change}], ["a"])
    assert "\n" not in str(caught.value)
