"""The scalar physics: rates and readings of Eq. (2), the two-state step, interpolation weights."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline
from scipy.linalg import expm

from epmpi.devices.cpu import compiler
from epmpi.physics import advection, rules

READINGS = list(rules.READINGS.values())
THERMAL = [reading for reading in READINGS if reading != rules.RANDOM]


def rule(reading, attempt_rate=1.5, yield_stress=1.0, temperature=0.1, rate_off=1.0, exponent=0.0):
    return rules.SwitchingRule(reading, attempt_rate, yield_stress, temperature, rate_off, exponent)


stresses = st.floats(-3.0, 3.0)
temperatures = st.floats(1e-3, 10.0)
rates = st.floats(1e-12, 10.0)
steps = st.floats(1e-3, 1.0)
exponents = st.sampled_from([0.0, 0.3, 0.5, 0.97, 1.0, 1.5, 2.0, 4.2])


@pytest.mark.parametrize(("reading", "attempts"), [("stress", 1), ("either", 1), ("both", 2)])
def test_activation_rate_is_eq_2_below_the_threshold(reading, attempts):
    for stress in (0.0, 0.3, -0.8):
        rate = rules.activation_rate(stress, rule(rules.READINGS[reading], yield_stress=0.9))
        expected = attempts * 1.5 * math.exp((stress**2 - 0.81) / 0.2)
        assert rate == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("reading", THERMAL)
@pytest.mark.parametrize("stress", [0.9, -0.9, 1.7, -40.0])
def test_activation_rate_is_the_attempt_rate_above_the_threshold(reading, stress):
    assert rules.activation_rate(stress, rule(reading, yield_stress=0.9)) == 1.5


def test_activation_rate_of_the_random_model_ignores_the_stress():
    for stress in (0.0, 0.5, -2.0):
        assert rules.activation_rate(stress, rule(rules.RANDOM, 0.02)) == 0.02


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5, 2.0])
def test_barrier_is_a_power_of_the_distance_from_the_threshold(exponent):
    given_rule = rule(rules.STRESS, yield_stress=0.9, exponent=exponent)
    for stress in (0.0, 0.3, -0.8):
        expected = 1.5 * math.exp(-((0.9 - abs(stress)) ** exponent) / 0.1)
        assert rules.activation_rate(stress, given_rule) == pytest.approx(expected, rel=1e-13)
    for stress in (0.9, -0.9, 1.0, -40.0):
        assert rules.activation_rate(stress, given_rule) == 1.5


@given(st.floats(0.1, 1.0), exponents, temperatures)
def test_stress_at_a_height_is_where_the_barrier_has_it(share, exponent, temperature):
    given_rule = rule(rules.STRESS, yield_stress=0.9, temperature=temperature, exponent=exponent)
    height = share * rules.barrier(0.0, given_rule)
    there = rules.stress_at(height, given_rule)
    assert rules.barrier(there, given_rule) == pytest.approx(height, rel=1e-6, abs=1e-9)
    assert rules.stress_at(1.1 * rules.barrier(0.0, given_rule), given_rule) == 0.0


@given(
    st.lists(stresses, min_size=1, max_size=9), stresses, exponents, temperatures,
    st.sampled_from(READINGS), st.floats(0.5, 1.5),
)  # fmt: skip
def test_no_barrier_falls_by_more_than_its_bound(
    sites, change, exponent, temperature, reading, yield_stress
):
    """Of any site of a tile, where the stress of each changes by as much at most."""
    given_rule = rule(reading, 1.0, yield_stress, temperature, 1.0, exponent)
    largest = rules.steepness(max(rules.exposure(s, given_rule) for s in sites), given_rule)
    bound = rules.barrier_fall(largest, abs(change), given_rule) * (1 + 1e-9)
    for stress in sites:
        before = rules.barrier(stress, given_rule)
        for step in (change, -change, 0.3 * change):
            fall = before - rules.barrier(stress + step, given_rule)
            assert fall <= bound + 1e-9 * (1 + before)


@given(stresses, st.sampled_from(READINGS), st.floats(0.0, 10.0), temperatures, exponents)
def test_activation_bound_bounds_the_rate(stress, reading, attempt_rate, temperature, exponent):
    arguments = stress, rule(reading, attempt_rate, 1.0, temperature, exponent=exponent)
    assert rules.activation_bound(*arguments) >= rules.activation_rate(*arguments)


@given(stresses, st.sampled_from(READINGS), temperatures, exponents)
def test_the_test_without_a_division_is_that_by_the_bound(stress, reading, temperature, exponent):
    """It lets all uniforms below the bound pass, and none that are a little above."""
    given_rule, step = rule(reading, 1.3, 1.0, temperature, exponent=exponent), 0.1
    bound = rules.activation_bound(stress, given_rule) * step
    assert rules.may_activate(
        stress, rules.activation_rate(stress, given_rule) * step, given_rule, step
    )
    assert rules.may_activate(stress, bound, given_rule, step)
    assert not rules.may_activate(stress, bound * (1 + 1e-6), given_rule, step) or bound < 1e-290


@given(stresses, stresses, st.sampled_from(READINGS), temperatures, exponents)
def test_activation_bound_grows_with_the_stress(stress, other, reading, temperature, exponent):
    """It is taken at the largest |stress| of 32 sites, for all of them."""
    low, high = sorted((stress, other), key=abs)
    given_rule = rule(reading, temperature=temperature, exponent=exponent)
    assert rules.activation_bound(low, given_rule) <= rules.activation_bound(high, given_rule)


@given(stresses, st.sampled_from(READINGS), temperatures)
def test_no_rate_exceeds_the_bound_at_the_threshold(stress, reading, temperature):
    """The first, cheapest test of the loop over the sites relies on it."""
    given_rule = rule(reading, 1.3, 1.0, temperature)
    assert rules.activation_bound(1.0, given_rule) >= rules.activation_rate(stress, given_rule)


@given(rates, rates, steps)
def test_probability_of_activation_is_below_rate_times_step(rate_on, rate_off, step):
    activated, _, _ = rules.switching_probabilities(rate_on, rate_off, step)
    assert activated <= rate_on * step * (1 + 1e-12)


@given(rates, rates, steps)
def test_switching_is_the_exact_process_with_renewals(rate_on, rate_off, step):
    """States: inactive; active in the event of the start; active in a later event."""
    generator = np.array(
        [[-rate_on, 0.0, rate_on], [rate_off, -rate_off, 0.0], [rate_off, 0.0, -rate_off]]
    )
    exact = expm(generator * step)
    activated, deactivated, renewed = rules.switching_probabilities(rate_on, rate_off, step)
    assert activated == pytest.approx(exact[0, 2], rel=1e-9, abs=1e-18)
    assert deactivated == pytest.approx(exact[1, 0], rel=1e-9)
    assert renewed == pytest.approx(exact[1, 2], abs=1e-13)
    assert renewed >= 0.0


def test_small_probabilities_keep_their_digits():
    activated, _, _ = rules.switching_probabilities(1e-18, 1.0, 0.05)
    assert activated == pytest.approx(1e-18 * -math.expm1(-0.05), rel=1e-12, abs=0.0)


def test_direction_is_the_sign_of_the_stress():
    for uniform in (0.0, 0.7):
        assert rules.activation_direction(0.4, rule(rules.STRESS), uniform) == 1
        assert rules.activation_direction(-0.4, rule(rules.STRESS), uniform) == -1


@pytest.mark.parametrize("reading", [rules.EITHER, rules.BOTH])
def test_direction_is_drawn_below_the_threshold_only(reading):
    for stress in (-0.99, 0.0, 0.4):
        assert rules.activation_direction(stress, rule(reading), 0.49) == 1
        assert rules.activation_direction(stress, rule(reading), 0.5) == -1
    for stress in (-1.0, -1.2, 1.0, 3.0):
        for uniform in (0.1, 0.9):
            assert rules.activation_direction(stress, rule(reading), uniform) == np.sign(stress)


def test_direction_of_the_random_model_is_drawn_at_any_stress():
    for stress in (-2.0, 0.0, 0.4, 2.0):
        assert rules.activation_direction(stress, rule(rules.RANDOM), 0.2) == 1
        assert rules.activation_direction(stress, rule(rules.RANDOM), 0.8) == -1


@pytest.mark.parametrize("stress", [0.0, -0.0, 9e-13, -9e-13])
@pytest.mark.parametrize("reading", READINGS)
def test_rounding_of_a_vanishing_stress_never_decides(reading, stress):
    assert rules.activation_direction(stress, rule(reading), 0.2) == 1
    assert rules.activation_direction(stress, rule(reading), 0.8) == -1


@given(st.floats(0.0, 1.0))
def test_weights_of_interpolation_sum_to_one(fraction):
    assert sum(advection.linear_weights(fraction)) == pytest.approx(1.0, abs=1e-15)
    assert sum(advection.spline_weights(fraction)) == pytest.approx(1.0, abs=1e-15)
    assert sum(advection.spline_slopes(fraction)) == pytest.approx(0.0, abs=1e-15)
    # A linear field is interpolated exactly, with slope 1.
    offsets = np.arange(-1, 3)
    assert np.dot(offsets, advection.spline_weights(fraction)) == pytest.approx(fraction, abs=1e-15)
    assert np.dot(offsets, advection.spline_slopes(fraction)) == pytest.approx(1.0, abs=1e-15)


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_spline_weights_are_the_cubic_b_spline(fraction):
    spline = BSpline.basis_element(np.arange(-2.0, 3.0), extrapolate=False)
    distance = fraction - np.arange(-1, 3)
    inside = np.abs(distance) < 2
    expected = np.where(inside, spline(np.where(inside, distance, 0.0)), 0.0)
    slopes = np.where(inside, spline.derivative()(np.where(inside, distance, 0.0)), 0.0)
    np.testing.assert_allclose(advection.spline_weights(fraction), expected, atol=1e-15)
    np.testing.assert_allclose(advection.spline_slopes(fraction), slopes, atol=1e-15)


def test_compiled_rules_are_the_plain_ones():
    for reading in READINGS:
        for stress in (-1.3, -0.4, 0.0, 0.7):
            for name in ("barrier", "activation_rate", "activation_bound"):
                for exponent in (0.0, 0.5, 1.5):
                    arguments = stress, rule(reading, 1.2, 1.0, 0.3, exponent=exponent)
                    compiled = getattr(compiler.rules, name)(*arguments)
                    assert compiled == pytest.approx(getattr(rules, name)(*arguments), rel=1e-15)
            for uniform in (0.2, 0.8):
                arguments = stress, rule(reading, 1.2, 1.0, 0.3), uniform
                compiled = compiler.rules.activation_direction(*arguments)
                assert compiled == rules.activation_direction(*arguments)
    compiled = compiler.rules.switching_probabilities(0.3, 0.9, 0.1)
    assert compiled == pytest.approx(rules.switching_probabilities(0.3, 0.9, 0.1), rel=1e-15)
