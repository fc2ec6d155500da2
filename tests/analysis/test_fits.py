"""Fits of known truths: parameters, chi^2, and how often the stated errors cover the truth."""

import numpy as np
import pytest
from known_data import coverage, covers, ornstein_uhlenbeck

from epmpi.analysis.blocks import block_average, jackknifed, leave_one_out
from epmpi.analysis.fits import deviations, fit_curved, fit_linear, fit_mean, solve_linear
from epmpi.campaign.formulas import fit_arrhenius

TEMPERATURES = np.array([0.03, 0.035, 0.04, 0.05, 0.06, 0.07, 0.1])  # five decades of activity
A, E = 1.8, 0.48


def arrhenius(t, c=0.0):
    return A * np.exp(-E / t + c / t**2)


def measured(seed, temperatures=TEMPERATURES, relative=0.01, c=0.0):
    """Return activities with Gaussian noise, and their errors."""
    random = np.random.default_rng(seed)
    error = relative * arrhenius(temperatures, c)
    return arrhenius(temperatures, c) + error * random.normal(size=error.size), error


def chance_of_cover(freedom, trials=200_000):
    """Return the coverage of errors that grow by the root of chi^2/freedom, but do not shrink."""
    random = np.random.default_rng(1)
    growth = np.sqrt(np.maximum(random.chisquare(freedom, trials) / freedom, 1))
    return np.mean(np.abs(random.normal(size=trials)) < growth)


def test_a_straight_line_by_hand():
    """The points 1, 2, 4 at x = 0, 1, 2: slope 3/2, offset 5/6, chi^2 = 1/6."""
    columns = np.stack([np.ones(3), np.arange(3.0)], axis=1)
    fit = fit_linear(columns, [1.0, 2.0, 4.0], np.ones(3))
    assert fit.value == pytest.approx([5 / 6, 3 / 2])
    assert fit.chi_square == pytest.approx(1 / 6)
    assert fit.freedom == 1
    np.testing.assert_allclose(fit.covariance, [[5 / 6, -1 / 2], [-1 / 2, 1 / 2]])
    both = solve_linear(columns, np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 2.0]]).T)
    np.testing.assert_allclose(both, [[5 / 6, 0], [3 / 2, 1]], atol=1e-12)


def test_weights_count():
    fit = fit_mean([1.0, 4.0], [1.0, 2.0])
    assert fit.value == pytest.approx(8 / 5)
    assert fit.covariance[0, 0] == pytest.approx(4 / 5)


def test_errors_grow_with_scatter_and_do_not_shrink():
    scattered = fit_mean([0.0, 10.0], [1.0, 1.0])
    assert scattered.chi_square == pytest.approx(50)
    assert scattered.error[0] == pytest.approx(np.sqrt(50 / 2))
    assert scattered.probability < 1e-10
    alike = fit_mean([1.0, 1.0], [1.0, 1.0])
    assert alike.error[0] == pytest.approx(np.sqrt(1 / 2))
    single = fit_mean([1.0], [0.3])
    assert single.error[0] == pytest.approx(0.3)
    assert np.isnan(single.probability)


def test_a_curved_law_is_a_straight_one_where_both_serve():
    x = np.linspace(1, 3, 7)
    y, sigma = 2 - 3 * x + 0.1 * np.sin(9 * x), 0.1 + 0.05 * x
    straight = fit_linear(np.stack([np.ones(7), x], axis=1), y, sigma)
    curved = fit_curved(lambda a, b: a + b * x, (0.0, 0.0), y, sigma)
    np.testing.assert_allclose(curved.value, straight.value, rtol=1e-6)
    np.testing.assert_allclose(curved.covariance, straight.covariance, rtol=1e-5)
    assert curved.chi_square == pytest.approx(straight.chi_square)
    assert fit_curved(lambda a: a + np.nan * x, (0.0,), y, sigma) is None


def test_the_tolerance_and_unknown_errors():
    nan = np.nan
    np.testing.assert_allclose(
        deviations([0.3, nan, 0.0], [-1.0, 2.0, 4.0], 0.4), [0.5, np.hypot(0.6, 0.8), 1.6]
    )
    np.testing.assert_allclose(deviations([nan, nan], [1.0, 3.0], 0.02), [0.02, 0.06])
    np.testing.assert_allclose(deviations([0.1, nan], [0.0, 3.0], 0.02), [0.1, 0.06])


def test_the_arrhenius_law_is_found_again():
    value = arrhenius(TEMPERATURES)
    assert fit_arrhenius(TEMPERATURES, value, 0.01 * value).value == pytest.approx([A, E])
    curved = fit_arrhenius(TEMPERATURES, value, 0.01 * value, curved=True)
    assert curved.value == pytest.approx([A, E, 0.0], abs=1e-9)
    bent = arrhenius(TEMPERATURES, 1e-3)
    straight, curved = (
        fit_arrhenius(TEMPERATURES, bent, 0.01 * bent, curved=curved) for curved in (False, True)
    )
    assert curved.value == pytest.approx([A, E, 1e-3])
    assert curved.chi_square == pytest.approx(0, abs=1e-9)
    assert straight.chi_square > 10 * straight.freedom


def test_few_temperatures_and_runs_without_an_error():
    value, error = measured(1)
    assert fit_arrhenius(TEMPERATURES[:1], value[:1], error[:1]) is None
    assert fit_arrhenius(np.array([0.1, 0.1]), value[:2], error[:2]) is None
    assert fit_arrhenius(TEMPERATURES[:2], value[:2], error[:2]).freedom == 0
    assert fit_arrhenius(TEMPERATURES[:2], value[:2], error[:2], curved=True) is None
    of_others = fit_arrhenius(TEMPERATURES[2:], value[2:], error[2:]).value
    error[0], value[1] = np.nan, 0.0
    fewer = fit_arrhenius(TEMPERATURES, value, error)
    assert fewer.freedom == 3
    assert fewer.value == pytest.approx(of_others, rel=1e-12)


@pytest.mark.statistics
@pytest.mark.parametrize("temperatures", [TEMPERATURES, TEMPERATURES[3:], TEMPERATURES[-2:]])
@pytest.mark.parametrize("c", [0.0, 1e-3])
def test_the_errors_of_the_arrhenius_law_cover_the_truth(temperatures, c):
    """At the rate that the chi^2 rule gives, 68 % with many degrees of freedom; c = 0 or not."""
    if c and temperatures.size < 3:
        return
    freedom = temperatures.size - (3 if c else 2)
    expected = chance_of_cover(freedom) if freedom else 0.683
    for place, truth in enumerate((A, E, c)[: 3 if c else 2]):

        def parameter(seed, place=place):
            points = measured(seed, temperatures, c=c)
            fit = fit_arrhenius(temperatures, *points, curved=c > 0)
            return fit.value[place], fit.error[place]

        rate = coverage(parameter, truth, range(1000))
        assert abs(rate - expected) < 3.5 * np.sqrt(0.68 * 0.32 / 1000)
        assert 0.64 < rate < 0.79


@pytest.mark.statistics
def test_from_correlated_series_to_the_errors_of_the_law():
    """Activities of eight runs with their own block errors: E at 68 % or a little more."""
    temperatures = np.geomspace(0.05, 0.1, 8)

    def energy(seed):
        noise = ornstein_uhlenbeck(1500, 8, 0.9, seed)
        series = arrhenius(temperatures) * (1 + 0.3 * noise)
        means = [block_average(column) for column in series.T]
        value, error = np.array([(mean.value, mean.error) for mean in means]).T
        fit = fit_arrhenius(temperatures, value, error)
        return fit.value[1], fit.error[1]

    assert 0.62 < coverage(energy, E, range(300)) < 0.80


@pytest.mark.statistics
def test_errors_that_are_stated_too_small_are_mended_by_chi_square():
    """Errors of half the truth: without the rule 38 % would be covered."""

    def energy(seed):
        value, error = measured(seed)
        fit = fit_arrhenius(TEMPERATURES, value, error / 2)
        return fit.value[1], fit.error[1]

    assert 0.58 < coverage(energy, E, range(500)) < 0.75


@pytest.mark.statistics
def test_the_jackknife_covers_where_points_move_together():
    """A line through five points that share the noise of 16 blocks, beside noise of their own."""
    x = np.arange(5.0)
    columns = np.stack([np.ones(5), x], axis=1)
    truth = 1 + 0.5 * x

    def slope(seed):
        random = np.random.default_rng(seed)
        together = random.normal(size=(16, 1)) * x + random.normal(size=(16, 1))
        blocks = truth + together + 0.3 * random.normal(size=(16, 5))
        value, error = jackknifed(
            lambda row: solve_linear(columns, row)[1],
            blocks.mean(axis=0),
            leave_one_out(list(blocks.T), 16),
        )
        return float(value), float(error)

    assert covers(coverage(slope, 0.5, range(500)), 500)
