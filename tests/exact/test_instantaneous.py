"""Instantaneous events against a slow Gillespie in NumPy, event by event, whatever the model.

Which site yields, and when, is drawn by rates that are known here: the integral of the total rate
from one event to the next is exponential with mean 1, and the site is drawn by the rates at that
time.  All else follows from given draws: it is compared to rounding.  Samples are compared by
Kolmogorov and Smirnov at a significance of 1e-3; the seeds are fixed.
"""

import numpy as np
import oracle
import pytest
from exact_runs import AT_ONCE, JUMPS, SHAPE, advanced, configuration
from jump_oracle import JumpOracle, oriented_propagator
from scipy import stats

from epmpi.config import ConfigError
from epmpi.devices.cpu.compiler import record_loop
from epmpi.devices.cpu.jumps.tiles import update_tile
from epmpi.model.exact import engine
from epmpi.model.model import Model
from epmpi.physics import jumps

SIGNIFICANCE = 1e-3
EVENTS = 1200
every_model = pytest.mark.parametrize("changes", JUMPS.values(), ids=JUMPS)
FIXED = {name: changes for name, changes in JUMPS.items() if "orientation" not in name}
every_model_of_fixed_orientation = pytest.mark.parametrize("changes", FIXED.values(), ids=FIXED)
FINITE = {"events": "finite"}  # as written, so that it does not give way


@record_loop
def update_all(records, state, rule, jump, orientation):
    for tile in range(records.sites.stress.shape[0]):
        update_tile(tile, records, state[0], rule, jump, orientation)


def on_the_lattice(tiles, medium):
    """Return an array of tiles as a field (Lx, Ly)."""
    width = medium.width
    grid = tiles.reshape(medium.along_x, medium.along_y, width, width).transpose(0, 2, 1, 3)
    grid = grid.reshape(medium.along_x * width, -1)
    return grid[: medium.length, : medium.breadth].copy()


def follow_one(engine, rule):
    """Let the next event happen; return its number, or None where a flush is due."""
    before = int(engine.progress["completed"])
    if before == engine.capacity:
        return None
    engine.follow(np.inf, before + 1, rule)
    return before if engine.progress["completed"] > before else None


def integral(slow, time):
    """Load the sites for a time; return the integral of the total rate meanwhile, by Gauss."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    start, whole = slow.stress.copy(), 0.0
    for node, weight in zip((nodes + 1) / 2 * time, weights / 2 * time, strict=True):
        slow.stress = start.copy()
        slow.load(node)
        whole += weight * slow.rates().sum()
    slow.stress = start
    slow.load(time)
    return whole


@pytest.mark.statistics
@every_model
def test_every_event_is_that_of_a_slow_gillespie(changes):
    apart = {"tracers": {"number": 0}, "output": {"trajectory_every": 0.0}}
    settings = configuration(**changes | apart)
    model = Model(settings)
    clock, engine, rule = model.clock, model.clock._engine, model.activation.rule
    threshold = on_the_lattice(engine.records.sites.threshold, engine.medium)
    slow, extremal = JumpOracle(settings, model.stress, threshold), "extremal" in str(changes)
    random, hazards, places, number, now = np.random.default_rng(1), [], [], 0, 0.0
    while number < EVENTS:
        n = follow_one(engine, rule)
        if n is None:
            clock._flush(float(engine.progress["now"]))
            now = 0.0
            continue
        events, number = engine.records.events, number + 1
        x, y, start = int(events.x[n]), int(events.y[n]), float(events.start[n])
        if extremal:
            assert (x, y) == slow.weakest()
            assert start - now == pytest.approx(1 / settings.model.attempt_rate, rel=1e-9)
        else:
            hazards.append(integral(slow, start - now))
            rates = slow.rates().reshape(-1)
            site = x * SHAPE[1] + y
            places.append((rates[:site].sum() + random.random() * rates[site]) / rates.sum())
        now = start
        distance = slow.threshold[x, y] - abs(slow.stress[x, y])
        assert events.direction[n] == np.sign(slow.stress[x, y])
        drop = slow.jump(x, y, engine.progress["candidate"] - np.uint64(1))
        assert events.distance[n] == pytest.approx(distance, abs=1e-12)
        assert events.drop[n] == pytest.approx(drop, abs=1e-12)
        if number % 50 == 0:
            update_all(engine.records, engine._state, rule, *engine._more)
            stress = on_the_lattice(engine.records.sites.stress, engine.medium)
            drive = settings.model.shear_modulus * settings.model.strain_rate
            loaded = drive * (engine.progress["now"] - engine.progress["renewed"])
            np.testing.assert_allclose(stress + loaded, slow.stress, rtol=0, atol=1e-11)
            there = on_the_lattice(engine.records.sites.threshold, engine.medium)
            np.testing.assert_allclose(there, slow.threshold, rtol=1e-11)
    assert engine.progress["violated"] == 0
    if not extremal:
        assert stats.kstest(hazards, "expon").pvalue > SIGNIFICANCE
        assert stats.kstest(places, "uniform").pvalue > SIGNIFICANCE
        assert stats.spearmanr(hazards[1:], hazards[:-1]).pvalue > SIGNIFICANCE


@pytest.mark.ci
@pytest.mark.statistics
def test_wide_tiles_follow_the_same_law(monkeypatch):
    """As large lattices and the extremal driver have them."""
    monkeypatch.setattr(engine, "tile_width", lambda *_, **__: 16)
    for name in ("weibull thresholds", "extremal, normal thresholds"):
        assert Model(configuration(**JUMPS[name])).clock._engine.medium.width == 16
        test_every_event_is_that_of_a_slow_gillespie(JUMPS[name])


def test_tiles_are_narrow_where_rates_cost_most():
    """Of thermal instantaneous events up to L = 256, of the extremal driver as of finite ones."""
    for length, wanted in ((64, (8, 8, 8)), (128, (8, 16, 16)), (288, (16, 16, 16))):
        shape = {"lattice": {"shape": (length, length)}, "tracers": {"number": 0}}
        quiet = shape | {"output": {"trajectory_every": 0.0}}
        kinds = (AT_ONCE, AT_ONCE | {"activation": "extremal"}, {"temperature": 0.03})
        found = [
            Model(configuration(**quiet, model=kind)).clock._engine.medium.width for kind in kinds
        ]
        assert tuple(found) == wanted


@every_model
def test_the_bounds_hold(changes):
    model = advanced(Model(configuration(**changes)), 300.0)
    progress = model.clock._engine.progress
    assert progress["candidate"] > 1000
    assert progress["violated"] == 0


@every_model_of_fixed_orientation
def test_the_stress_is_that_of_the_plastic_strain(changes):
    """Sigma = initial + drive + 2 mu G * plastic strain, as that of finite events.

    Of random orientations, which the strain does not tell, the oracle above keeps account.
    """
    settings = configuration(tick=7.3, **changes)
    model = Model(settings)
    propagator = settings.propagator
    kernel = oracle.stress_propagator(
        SHAPE, propagator.symbol, propagator.macroscopic, propagator.prefactor
    )
    first = model.stress.copy()
    for _ in range(8):
        model.step()
        model.observables()
        response = np.fft.ifft2(kernel * np.fft.fft2(model.plastic_strain)).real
        loaded = settings.model.strain_rate * model.time
        expected = first + settings.model.shear_modulus * (2 * response + loaded)
        np.testing.assert_allclose(model.stress, expected, rtol=0, atol=3e-13)
    assert not model.active.any()
    assert model.observables()["activity"] == model.observables()["active_time"] == 0.0


@pytest.mark.parametrize("macroscopic", ["strain", "stress"])
@pytest.mark.parametrize(("symbol", "prefactor"), [("continuum", 1.0), ("lattice", 2.0)])
def test_others_receive_the_propagator_times_the_drop(macroscopic, symbol, prefactor):
    """One event, mode by mode: -G(q) / G(r = 0), with its own zero mode."""
    settings = configuration(
        model=AT_ONCE | {"shear_modulus": 1.7, "event_strain": 3.0},
        propagator={"macroscopic": macroscopic, "symbol": symbol, "prefactor": prefactor},
    )
    model = Model(settings)
    before, engine = model.stress.copy(), model.clock._engine
    assert follow_one(engine, model.activation.rule) == 0
    update_all(engine.records, engine._state, model.activation.rule, *engine._more)
    change = on_the_lattice(engine.records.sites.stress, engine.medium) - before
    x, y = int(engine.records.events.x[0]), int(engine.records.events.y[0])
    drop = engine.records.events.direction[0] * engine.records.events.drop[0]
    assert change[x, y] == pytest.approx(-drop, rel=1e-13)
    found = np.fft.fft2(np.roll(change, (-x, -y), (0, 1))) / drop
    kernel = oracle.stress_propagator(SHAPE, symbol, macroscopic, prefactor)
    expected = kernel / -np.mean(kernel)  # G(r = 0) = -1 is the mean over all modes
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    zero = 0.0 if macroscopic == "stress" else 1 / np.mean(kernel)
    assert found[0, 0] == pytest.approx(zero, abs=1e-12)


def test_events_of_random_orientation_leave_no_mean_stress():
    """At held stress, to rounding, whatever is drawn at the start; after many flushes too."""
    for drawn in ("fourier", "site"):
        initial = {"state": "gaussian", "stress_deviation": 0.3, "drawn": drawn}
        model = Model(configuration(**JUMPS["random orientation"], initial=initial))
        first = model.observables()["stress_mean"]
        for _ in range(5):
            found = advanced(model, 60.0).observables()
            assert found["stress_mean"] == pytest.approx(first, abs=1e-14)
        assert found["events"] > 1000
        assert found["stress_variance"] > 0.05
        if drawn == "fourier":
            assert first == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
def test_an_event_of_any_orientation_turns_the_propagator(symbol):
    """Mode by mode: -(1 - cos 4 (phi - psi)) / 2, over its own value at the origin."""
    settings = configuration(**JUMPS["random orientation"] | {"propagator": {"symbol": symbol}})
    model = Model(settings)
    engine, turned = model.clock._engine, []
    for number in range(40):
        update_all(engine.records, engine._state, model.activation.rule, *engine._more)
        before = on_the_lattice(engine.records.sites.stress, engine.medium)
        assert follow_one(engine, model.activation.rule) == number
        update_all(engine.records, engine._state, model.activation.rule, *engine._more)
        change = on_the_lattice(engine.records.sites.stress, engine.medium) - before
        events = engine.records.events
        site = int(events.x[number]), int(events.y[number])
        drop = events.direction[number] * events.drop[number]
        assert change[site] == pytest.approx(-drop, rel=1e-10)
        found = np.fft.fft2(np.roll(change, (-site[0], -site[1]), (0, 1))) / drop
        angle = np.arctan2(events.sine[number], events.cosine[number]) / 4
        kernel = oriented_propagator(SHAPE, settings.propagator, angle)
        np.testing.assert_allclose(found, kernel / -np.mean(kernel), rtol=0, atol=1e-10)
        turned.append(events.cosine[number])
    assert stats.kstest(np.arccos(turned) / np.pi, "uniform").pvalue > SIGNIFICANCE


def test_residuals_and_thresholds_have_their_laws():
    random = np.random.default_rng(5)
    uniforms = random.random((2, 20000))
    shape, scale = jumps.weibull(1.2, 0.35)
    base = jumps.JumpRule(0, 0, jumps.EXPONENTIAL, 0.4, jumps.UNIFORM, 1.2, 0.35, shape, scale)

    def drawn(function, *arguments):
        return np.array([function(*arguments, *pair) for pair in uniforms.T])

    left = drawn(jumps.draw_residual, -1, 1.1, base)
    assert stats.kstest(1.1 + left, stats.expon(scale=0.4).cdf).pvalue > SIGNIFICANCE
    rule = base._replace(residual=jumps.NORMAL_STRESS)
    left = drawn(jumps.draw_residual, 1, 1.1, rule)
    assert stats.kstest(left, stats.norm(0, 0.4).cdf).pvalue > SIGNIFICANCE
    assert set(drawn(jumps.draw_threshold, base)) == {1.2}
    there = drawn(jumps.draw_threshold, base._replace(thresholds=jumps.NORMAL))
    assert stats.kstest(there, stats.norm(1.2, 0.35).cdf).pvalue > SIGNIFICANCE
    rule = base._replace(thresholds=jumps.NORMAL, deviation=2.0)
    assert drawn(jumps.draw_threshold, rule).min() == 0.0
    there = drawn(jumps.draw_threshold, base._replace(thresholds=jumps.WEIBULL))
    assert stats.kstest(there, stats.weibull_min(shape, scale=scale).cdf).pvalue > SIGNIFICANCE


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 0.1), (0.7, 0.7), (2.0, 0.004), (1.0, 10.0)])
def test_a_weibull_distribution_has_its_mean_and_deviation(mean, deviation):
    shape, scale = jumps.weibull(mean, deviation)
    law = stats.weibull_min(shape, scale=scale)
    assert law.mean() == pytest.approx(mean, rel=1e-9)
    assert law.std() == pytest.approx(deviation, rel=1e-6)


def test_initial_thresholds_have_their_law_and_are_the_same_again():
    changes = AT_ONCE | {"thresholds": "normal", "threshold_deviation": 0.2}
    settings = configuration(lattice={"shape": [64, 40]}, model=changes)
    engines = [Model(settings).clock._engine for _ in range(2)]
    first, second = (on_the_lattice(e.records.sites.threshold, e.medium) for e in engines)
    np.testing.assert_array_equal(first, second)
    assert stats.kstest(first.reshape(-1), stats.norm(1, 0.2).cdf).pvalue > SIGNIFICANCE


def test_a_pause_longer_than_times_may_be_is_no_flush():
    """Times are counted anew where nothing happens for long; the path of the stress goes on."""
    cold = AT_ONCE | {"temperature": 0.012}
    model = advanced(Model(configuration(tick=1e12, model=cold)), 1e13)
    engine = model.clock._engine
    assert model.clock._whole > 1e12
    assert 0 < engine.progress["completed"] < engine.capacity
    assert model.observables()["events"] == engine.progress["completed"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": {"clock": "steps", "step": 0.05}}, ["exact clock", "set time.clock"]),
        ({"model": AT_ONCE | {"direction": "both"}}, ["leave model.direction out"]),
        ({"model": AT_ONCE | {"event_strain": 0.0}}, ["event_strain"]),
        ({"model": AT_ONCE | {"activation": "random", "activity": 0.1}}, ['"thermal"']),
        ({"model": FINITE | {"residual_scale": 0.3}}, ["model.residual_scale = 0.3", "finite"]),
        ({"model": FINITE | {"thresholds": "normal"}}, ["'normal'", "finite"]),
        ({"model": FINITE | {"activation": "extremal"}}, ["extremal", "instantaneous"]),
        (
            {"model": FINITE | {"orientation": "random"}, "tracers": {"number": 0}},
            ["'random'", "finite"],
        ),
        ({"model": AT_ONCE | {"orientation": "random"}}, ["set tracers.number = 0"]),
        (
            {"model": AT_ONCE | {"thresholds": "uniform", "threshold_deviation": 0.1}},
            ["uniform", "0.1"],
        ),
        ({"model": AT_ONCE | {"thresholds": "normal"}}, ["set model.threshold_deviation"]),
        (
            {"model": AT_ONCE | {"thresholds": "weibull", "threshold_deviation": 1e-3}},
            ["0.001", "0.002 to 10"],
        ),
        (
            {"model": AT_ONCE | {"activation": "extremal", "strain_rate": 0.1}},
            ["strain_rate = 0.1", "extremal"],
        ),
        (
            {
                "model": AT_ONCE | {"activation": "extremal"},
                "initial": {"annealing": [[0.2, 10.0]]},
            },
            ["annealing", "no temperature"],
        ),
    ],
)
def test_what_does_not_go_together_is_reported_in_one_line(changes, words):
    sections = {"model": AT_ONCE} | changes
    with pytest.raises(ConfigError) as raised:
        configuration(**sections)
    text = str(raised.value)
    assert "\n" not in text
    assert all(word in text for word in words), text


def test_an_extremal_model_has_no_temperature():
    model = Model(configuration(**JUMPS["extremal"]))
    with pytest.raises(ConfigError, match="extremal model has no temperature"):
        model.temperature = 0.2
