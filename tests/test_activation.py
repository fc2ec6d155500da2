"""The stochastic rule on blocks of rows, against a loop over the sites in plain Python."""

from itertools import pairwise

import numpy as np
import pytest

from epmpi.config import Configuration
from epmpi.devices import CPU, SiteUpdate
from epmpi.model.activation import Activation
from epmpi.physics import randomness, rules
from epmpi.physics.lattice import Lattice, Slab

SHAPE = (9, 37)  # 37: blocks of rows begin anywhere within a group of 128 sites
READINGS = ["model.direction=stress", "model.direction=either", "model.direction=both"]
RANDOM = ["model.activation=random", "model.activity=0.3"]


def configuration_of(*overrides):
    base = ["lattice.shape=[9, 37]", "model.temperature=0.4", "tracers.number=0"]
    base += ["output.trajectory_every=0", "model.strain_rate=0.2", "model.event_strain=0.8"]
    return Configuration().with_overrides([*base, *overrides])


def activation_of(configuration):
    shape = configuration.lattice.shape
    return Activation(configuration, Slab(Lattice(shape), 0, shape[0]))


def random_state(dtype=np.float64):
    """Return stress, plastic strain, n s and stress rate of a lively lattice."""
    random = np.random.default_rng(11)
    stress = random.normal(0, 0.7, SHAPE).astype(dtype)
    stress[0, :5] = 0.0
    active = random.choice(np.array([-1, 0, 1], np.int8), SHAPE)
    return stress, random.normal(size=SHAPE), active, random.normal(size=SHAPE).astype(dtype)


def advance(activation, state, begin, end, step):
    """Advance rows begin ... end of a state in place; return the events and the source."""
    stress, strain, active, rate = state
    source = np.empty_like(stress[begin:end])
    events, number = np.zeros(2, np.int64), CPU().counter(step)
    update = activation.update(stress, strain, active, number, events)
    CPU().advance_sites(update, begin, end, rate[begin:end], source)
    return events[0], source


def advance_slowly(configuration, state, step):
    """Advance all sites by one step, one by one; return the events."""
    activation = activation_of(configuration)
    rule, dt = activation.rule, activation.increments.time
    model, key, when = configuration.model, np.uint64(configuration.run.seed), np.uint64(step)
    stress, strain, active, stress_rate = state
    events = 0
    for x, y in np.ndindex(SHAPE):
        number = np.uint64(x * SHAPE[1] + y)
        stress[x, y] += dt * (float(stress_rate[x, y]) + model.shear_modulus * model.strain_rate)
        strain[x, y] += active[x, y] * dt * model.event_strain / (2 * model.relaxation_time)
        here = float(stress[x, y])
        on = rules.activation_rate(here, rule)
        activated, deactivated, renewed = rules.switching_probabilities(on, rule.rate_off, dt)
        draw = randomness.uniform(key, np.uint64(randomness.SWITCHING), when, number)
        aside = randomness.uniform(key, np.uint64(randomness.DIRECTION), when, number)
        begins = draw < activated
        if active[x, y] != 0:
            begins = deactivated <= draw < deactivated + renewed
            if draw < deactivated:
                active[x, y] = 0
        if begins:
            active[x, y] = rules.activation_direction(here, rule, aside)
            events += 1
    return events


@pytest.mark.parametrize("overrides", [*([reading] for reading in READINGS), RANDOM], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sites_follow_the_rule(overrides, dtype):
    configuration = configuration_of(*overrides, "time.step=0.25")  # long: some events are renewed
    activation = activation_of(configuration)
    state = random_state(dtype)
    expected = tuple(field.copy() for field in state)
    for step in (0, 1, 2**33):
        events, source = advance(activation, state, 0, SHAPE[0], step)
        slow_events = advance_slowly(configuration, expected, step)
        assert events == slow_events > 3
        np.testing.assert_allclose(state[0], expected[0], rtol=0, atol=8 * np.finfo(dtype).eps)
        np.testing.assert_allclose(state[1], expected[1], atol=1e-14)
        np.testing.assert_array_equal(state[2], expected[2])
        np.testing.assert_array_equal(source, state[2])
        assert source.dtype == dtype


@pytest.mark.parametrize("cuts", [[0, 9], [0, 1, 9], [0, 4, 5, 9], list(range(10))])
def test_blocks_of_rows_can_be_cut_anywhere(cuts):
    activation = activation_of(configuration_of())
    whole, parts = random_state(), random_state()
    for step in range(5):
        events, _ = advance(activation, whole, 0, SHAPE[0], step)
        counted = 0
        for begin, end in pairwise(cuts):
            counted += advance(activation, parts, begin, end, step)[0]
        assert counted == events
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_slabs_that_start_anywhere_draw_alike():
    configuration = configuration_of()
    whole, part = random_state(), tuple(field[3:7] for field in random_state())
    advance(activation_of(configuration), whole, 0, SHAPE[0], 7)
    activation = Activation(configuration, Slab(Lattice(SHAPE), 3, 7))
    advance(activation, part, 0, 4, 7)
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[3:7], other)


def test_large_blocks_draw_alike():
    """More sites than the loop draws for at a time."""
    shape = (40, 300)
    sites = shape[0] * shape[1]
    configuration = configuration_of("lattice.shape=[40, 300]", *RANDOM, "model.strain_rate=0")
    state = [np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int8), np.zeros(shape)]
    events, source = advance(activation_of(configuration), state, 0, 40, 3)
    draws = CPU().draw_uniforms(configuration.run.seed, randomness.SWITCHING, 3, 0, sites)
    odds = 0.3 / 0.7
    probability = odds / (1 + odds) * -np.expm1(-(1 + odds) * configuration.time.step)
    np.testing.assert_array_equal(source.reshape(-1) != 0, draws < probability)
    assert events == np.sum(draws < probability)


@pytest.mark.parametrize(("nudge", "switches"), [(1 + 1e-7, True), (1 - 1e-7, False)])
def test_the_low_bits_of_a_draw_decide(nudge, switches):
    """A probability that agrees with the draw in all of its 32 high bits."""
    sites = 400_000
    configuration = configuration_of("lattice.shape=[4, 100000]")
    draws = CPU().draw_uniforms(configuration.run.seed, randomness.SWITCHING, 0, 0, sites)
    site, lowest = int(np.argmin(draws)), float(draws.min())
    assert int(lowest * 2**32) == int(lowest * nudge * 2**32)
    rate_off, step = 1.0, 0.05
    # P01 = rate_on / K (1 - exp(-K dt)), solved for rate_on by iteration.
    rate_on = lowest * nudge / step
    for _ in range(30):
        rate_on *= lowest * nudge / rules.switching_probabilities(rate_on, rate_off, step)[0]
    fields = [np.zeros((1, sites)), np.zeros((1, sites)), np.zeros((1, sites), np.int8)]
    source = np.empty((1, sites))
    events = np.zeros(2, np.int64)
    stress, plastic_strain, active = fields
    update = SiteUpdate(
        stress=stress, plastic_strain=plastic_strain, active=active,
        step=CPU().counter(0), increments=rules.Increments(step, 0.0, 0.0), events=events,
        rule=rules.SwitchingRule(rules.RANDOM, rate_on, 1.0, 0.1, rate_off), first_site=0,
        seed=configuration.run.seed,
    )  # fmt: skip
    CPU().advance_sites(update, 0, 1, np.zeros((1, sites)), source)
    assert events[0] == (1 if switches else 0)
    assert (source[0, site] != 0) == switches


def test_parameters_come_from_the_configuration():
    units = ["model.attempt_rate=1.4", "model.restructuring_time=2.0", "model.yield_stress=0.9"]
    units += ["model.relaxation_time=4.0", "model.shear_modulus=1.5", "model.direction=both"]
    thermal = activation_of(configuration_of(*units, "time.step=0.05"))
    assert thermal.rule == rules.SwitchingRule(
        rules.BOTH, attempt_rate=1.4, yield_stress=0.9, temperature=0.4, rate_off=0.5
    )
    assert thermal.increments == pytest.approx((0.05, 1.5 * 0.2 * 0.05, 0.8 * 0.05 / 8.0))
    random = activation_of(configuration_of(*RANDOM, "model.restructuring_time=2.0"))
    assert random.rule.reading == rules.RANDOM
    assert random.rule.attempt_rate == pytest.approx(0.3 / 0.7 / 2.0)
