"""Sites on their own: an isolated event, and the two-state process at a held stress."""

import math

import numpy as np
import oracle
import pytest

from epmpi.config import Configuration
from epmpi.model.model import Model
from epmpi.parallel import Communicator

NEVER = ["model.yield_stress=100", "model.temperature=0.1"]  # p_on = exp(-50000) = 0


def configuration_of(*overrides):
    base = ["tracers.number=0", "output.trajectory_every=0", "time.warmup=0"]
    return Configuration().with_overrides([*base, *overrides])


@pytest.mark.mpi
@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
def test_the_stress_of_an_isolated_event_decays_at_its_own_rate(comm, symbol):
    """Exact result 6: ``d sigma / dt = -2 mu |G(r=0)| eps0 / (2 tau)`` while it lasts."""
    shape, site = (24, 32), (17, 5)
    units = ["model.shear_modulus=1.5", "model.event_strain=0.6", "model.relaxation_time=0.8"]
    units += ["model.restructuring_time=1e12", f"propagator.symbol={symbol}"]
    model = Model(configuration_of("lattice.shape=[24, 32]", *NEVER, *units), Communicator(comm))
    owned = model.slab.start <= site[0] < model.slab.stop
    if owned:
        model.active[site[0] - model.slab.start, site[1]] = 1
    model.update_response()
    for _ in range(100):
        model.step()
    propagator = oracle.stress_propagator(shape, symbol, "strain", 1.0)
    on_site = float(np.mean(propagator))  # G(r=0)
    assert on_site == pytest.approx(-0.571 if symbol == "continuum" else -0.637, abs=0.002)
    expected = -2 * 1.5 * abs(on_site) * 0.6 / (2 * 0.8) * model.time
    if owned:
        local = model.stress[site[0] - model.slab.start, site[1]]
        assert local == pytest.approx(expected, rel=1e-12)
        strain = model.plastic_strain[site[0] - model.slab.start, site[1]]
        assert strain == pytest.approx(0.6 / (2 * 0.8) * model.time)
    assert comm.allreduce(np.count_nonzero(model.active)) == 1


@pytest.mark.statistics
def test_durations_of_events_are_exponential():
    """Exact result 6: of 16384 events that start together and are never renewed."""
    lifetime, step, sites = 1.7, 0.1, 128 * 128
    model = Model(
        configuration_of(
            "lattice.shape=[128, 128]",
            *NEVER,
            "model.event_strain=0",
            f"model.restructuring_time={lifetime}",
            f"time.step={step}",
        )
    )
    model.active[:] = 1
    model.update_response()
    lasted = np.zeros((128, 128))
    for n in range(1, 401):
        lasted += model.active
        model.step()
        if n in (1, 5, 17, 34, 68):
            survived = math.exp(-n * step / lifetime)
            error = math.sqrt(survived * (1 - survived) / sites)
            assert abs(np.mean(model.active) - survived) < 4 * error
    assert not model.active.any()
    # Counted in whole steps, up to the end of the step in which it stopped.
    mean, error = step * lasted.mean(), step * lasted.std() / math.sqrt(sites)
    assert abs(mean - step / -math.expm1(-step / lifetime)) < 4 * error
    assert abs(mean - step / 2 - lifetime) < 4 * error + step**2 / lifetime / 12
    assert step * lasted.std() == pytest.approx(lifetime, rel=0.05)


STRESSES = np.array([0.0, 0.5, -0.8, 0.95, -1.0, 1.6])


def held_model(*overrides):
    """Return a model without elasticity: 8192 inactive sites at each of the stresses."""
    shape = 8 * len(STRESSES), 1024
    model = Model(
        configuration_of(
            f"lattice.shape=[{shape[0]}, {shape[1]}]",
            "model.event_strain=0",
            "model.temperature=0.2",
            "model.restructuring_time=1.5",
            "time.step=0.05",
            *overrides,
        )
    )
    model.stress[:] = np.repeat(STRESSES, 8)[:, None]
    return model


def by_stress(field):
    """Return the mean of a field over the sites of each stress."""
    return field.reshape(len(STRESSES), -1).mean(axis=1)


@pytest.mark.statistics
@pytest.mark.parametrize(("reading", "attempts"), [("stress", 1), ("either", 1), ("both", 2)])
def test_sites_at_a_held_stress_are_two_state_processes(reading, attempts):
    """Exact result 7: they relax to p_on / (p_on + p_off) at the rate p_on + p_off."""
    model = held_model(f"model.direction={reading}")
    below = np.abs(STRESSES) < 1
    on = np.where(below, attempts * np.exp((STRESSES**2 - 1) / 0.4), 1.0)
    total = on + 1 / 1.5
    for n in range(1, 101):
        model.step()
        if n in (1, 10, 40, 100):
            expected = on / total * -np.expm1(-total * n * 0.05)
            error = np.sqrt(expected * (1 - expected) / 8192)
            assert np.all(np.abs(by_stress(model.active != 0) - expected) < 4 * error)
    assert np.all(model.stress == np.repeat(STRESSES, 8)[:, None])
    assert_directions(model, drawn=below if reading != "stress" else STRESSES == 0)


def assert_directions(model, drawn):
    """Check that directions are the sign of the stress, or either alike where they are drawn."""
    for row, (stress, either) in enumerate(zip(STRESSES, drawn, strict=True)):
        taken = model.active[8 * row : 8 * row + 8]
        taken = taken[taken != 0]
        if either:
            assert abs(taken.mean()) < 4 / math.sqrt(taken.size)
        else:
            assert np.all(taken == np.sign(stress))


@pytest.mark.statistics
def test_a_stationary_site_forgets_at_the_sum_of_its_rates():
    """Exact result 7: ``<n(t) n(0)> - a^2 = a (1 - a) exp(-(p_on + p_off) t)``."""
    model = held_model()
    total = np.where(np.abs(STRESSES) < 1, np.exp((STRESSES**2 - 1) / 0.4), 1.0) + 1 / 1.5
    activity = 1 - (1 / 1.5) / total
    for _ in range(200):
        model.step()
    first = model.active != 0
    for n in range(1, 31):
        model.step()
        if n in (1, 6, 30):
            kept = np.exp(-total * n * 0.05)
            both = activity * (activity + (1 - activity) * kept)
            error = np.sqrt(both * (1 - both) / 8192)
            assert np.all(np.abs(by_stress(first & (model.active != 0)) - both) < 4 * error)
