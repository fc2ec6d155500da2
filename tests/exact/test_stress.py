"""The stress between two flushes is that of the FFT, and the bounds hold, whatever the model."""

import numpy as np
import oracle
import pytest
from event_log import EventLog, Logged
from exact_runs import VARIANTS, configuration

from epmpi.devices.cpu.compiler import record_loop
from epmpi.devices.cpu.thinning.tiles import update_tile
from epmpi.model.model import Model


@record_loop
def update_all(now, records, state, rule):
    for tile in range(records.sites.stress.shape[0]):
        update_tile(now, tile, records, state[0], rule)


def summed_stress(model: Model) -> np.ndarray:
    """Return the stress of all sites (Lx, Ly) that the engine has summed event by event."""
    engine = model.clock._engine
    medium, width = engine.medium, engine.medium.width
    update_all(model.clock._now, engine.records, engine._state, model.activation.rule)
    tiles = engine.records.sites.stress.reshape(medium.along_x, medium.along_y, width, width)
    grid = tiles.transpose(0, 2, 1, 3).reshape(medium.along_x * width, -1)
    return grid[: medium.length, : medium.breadth]


# Of tiles twice as wide, and not as many as fit into the lattice.
WIDE = {"lattice": {"shape": (72, 136)}, "model": {"temperature": 0.06}}
CASES = VARIANTS | {"wide tiles": WIDE}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_stress_summed_event_by_event(changes):
    """Sigma = initial + drive + 2 mu G * plastic strain, to rounding, at any time."""
    model = Model(configuration(tick=7.3, **changes))
    assert model.clock._engine.medium.width == (16 if changes is WIDE else 8)
    for _ in range(10):
        model.step()
        model.observables()
        np.testing.assert_allclose(summed_stress(model), model.stress, rtol=0, atol=3e-14)


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_bounds_are_never_violated(changes):
    model = Model(configuration(**changes))
    for _ in range(300):
        model.step()
    progress = model.clock._engine.progress
    assert progress["candidate"] > 1000
    assert progress["violated"] == 0


def test_rates_of_change_return_to_nothing():
    """Sums over active sites are exact: no drift, however many events there were."""
    model = Model(configuration(model={"temperature": 0.06}))
    tiles, still = model.clock._engine.records.tiles, 0
    for _ in range(2000):
        model.step()
        if model.clock._engine.progress["active"] == 0:
            still += 1
            assert not tiles.falling.any()
            assert not tiles.rising.any()
    assert still > 10


def test_the_drive_is_linear_in_time():
    """Without plastic events: sigma = sigma(0) + mu gdot t."""
    model = Model(
        configuration(
            model={"strain_rate": 1e-3, "temperature": 1e-3, "shear_modulus": 2.0},
            initial={"state": "zero", "stress_deviation": 0.0},
        )
    )
    for _ in range(50):
        model.step()
    assert model.observables()["events"] == 0
    np.testing.assert_allclose(model.stress, 2.0 * 1e-3 * 50.0, rtol=1e-14)


def add_up(strain_time: np.ndarray, events: Logged, now: float) -> None:
    """Add the times for which sites have yielded in some events."""
    lasted = np.minimum(events.end, now) - events.start
    np.add.at(strain_time, (events.x, events.y), events.direction * lasted)


@pytest.mark.parametrize(
    "events", [100_000, pytest.param(10_000_000, marks=[pytest.mark.long, pytest.mark.slow])]
)
def test_nothing_drifts(events):
    """The stress is that of the plastic strain, and this is that of all events, in the end too."""
    shape, modulus, strain_rate = (24, 20), 0.7, 0.01
    model = Model(
        configuration(
            tick=50.0,
            lattice={"shape": shape},
            model={"temperature": 0.15, "strain_rate": strain_rate, "shear_modulus": modulus},
            tracers={"number": 0},
            output={"trajectory_every": 0.0},
        )
    )
    initial, log, strain_time = model.stress.copy(), EventLog(model), np.zeros(shape)
    while model.observables()["events"] < events:
        model.step()
        add_up(strain_time, log.forget(), model.time)
    add_up(strain_time, log.all(), model.time)
    size = np.abs(model.plastic_strain).max()
    assert size > 10
    # The sum of up to 1e5 durations a site, each from times of 1e4 tau and more.
    np.testing.assert_allclose(strain_time / 2, model.plastic_strain, rtol=0, atol=1e-11 * size)
    kernel = oracle.stress_propagator(shape, "continuum", "strain", 1.0)
    elastic = np.fft.ifft2(kernel * np.fft.fft2(model.plastic_strain)).real
    expected = initial + modulus * (strain_rate * model.time + 2 * elastic)
    # Rounding of the strain itself: it grows with the drive, the stress does not.
    rounding = 1e-14 + 3e-15 * size
    np.testing.assert_allclose(model.stress, expected, rtol=0, atol=rounding)
    np.testing.assert_allclose(summed_stress(model), expected, rtol=0, atol=rounding)
    assert model.clock._engine.progress["violated"] == 0
