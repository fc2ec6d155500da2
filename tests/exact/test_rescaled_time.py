"""The whole path against Eqs. (1) and (2), whatever the model: time rescaled by the true rate.

The integral of the total activation rate from one activation to the next is exponential with mean
1, and the site is drawn by the rates at that time (Meyer 1971, Papangelou 1972).  Stress and rates
are computed here from the log of all events alone.  Samples are compared by Kolmogorov and Smirnov
at a significance of 1e-3; the seeds are fixed.
"""

import numpy as np
import oracle
import pytest
from event_log import EventLog
from exact_runs import SHAPE, VARIANTS, configuration
from scipy import stats

from epmpi.model.model import Model

pytestmark = pytest.mark.statistics

SIGNIFICANCE = 1e-3
NODES, WEIGHTS = np.polynomial.legendre.leggauss(6)


class Replay:
    """Stress and rates from one switch to the next, by NumPy and from the log alone."""

    def __init__(self, model):
        settings, propagator = model.configuration.model, model.configuration.propagator
        self._settings = settings
        kernel = oracle.stress_propagator(
            SHAPE, propagator.symbol, propagator.macroscopic, propagator.prefactor
        )
        strain_rate = settings.event_strain / (2 * settings.relaxation_time)
        response = 2 * settings.shear_modulus * strain_rate * np.fft.ifft2(kernel).real
        self._response = np.tile(response, (2, 2))
        self.stress = model.stress.copy()
        self.slope = np.full(SHAPE, settings.shear_modulus * settings.strain_rate)
        self.active = np.zeros(SHAPE, bool)
        for x, y in np.argwhere(model.active):
            self.switch(x, y, model.active[x, y])

    def rate(self, stress):
        """Return the activation rate of each site: Eq. (2), or that of the random model."""
        model = self._settings
        if model.activation == "random":
            on = np.full(stress.shape, model.activity / (1 - model.activity))
            return on / model.restructuring_time * ~self.active
        below = np.abs(stress) < model.yield_stress
        barrier = (model.yield_stress**2 - stress**2) / 2
        if not isinstance(model.barrier, str):
            barrier = np.maximum(model.yield_stress - np.abs(stress), 0.0) ** model.barrier
        on = np.exp(-np.maximum(barrier, 0) / model.temperature)
        if model.direction == "both":
            on = np.where(below, 2 * on, on)
        return model.attempt_rate * on * ~self.active

    def advance(self, time):
        """Advance by a time; return the integral of the total rate, by Gauss."""
        whole = 0.0
        parts = max(1, int(np.ceil(np.abs(self.slope).max() * time / 0.05)))
        for _ in range(parts):
            at = (NODES + 1) / 2 * time / parts
            rates = self.rate(self.stress + self.slope * at[:, None, None])
            whole += time / parts / 2 * np.sum(WEIGHTS * rates.sum(axis=(1, 2)))
            self.stress += self.slope * time / parts
        return whole

    def switch(self, x, y, direction):
        """Let a site begin to yield, or come to rest, by the direction of the change of n s."""
        i, j = SHAPE[0] - x, SHAPE[1] - y
        self.slope += direction * self._response[i : i + SHAPE[0], j : j + SHAPE[1]]
        self.active[x, y] = not self.active[x, y]


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_every_activation_has_its_rate(changes):
    model = Model(configuration(run={"seed": 5}, **changes))
    replay, log, random = Replay(model), EventLog(model), np.random.default_rng(3)
    while model.observables()["events"] < 4000:
        model.step()
    events = log.all()
    switches = []
    for x, y, direction, start, end in zip(*events, strict=True):
        if start > 0:
            switches.append((start, x, y, direction, True))
        if end < np.inf:
            switches.append((end, x, y, -direction, False))
    hazards, places, passed, now = [], [], 0.0, 0.0
    for time, x, y, change, begins in sorted(switches):
        passed += replay.advance(time - now)
        now = time
        if begins:
            assert_direction(changes, replay.stress[x, y], change)
            rates = replay.rate(replay.stress).reshape(-1)
            site = x * SHAPE[1] + y
            before = rates[:site].sum() + random.random() * rates[site]
            assert rates[site] > 0
            places.append(before / rates.sum())
            hazards.append(passed)
            passed = 0.0
        replay.switch(x, y, change)
    assert len(hazards) == np.sum(events.start > 0) >= 4000
    assert stats.kstest(hazards, "expon").pvalue > SIGNIFICANCE
    assert stats.kstest(places, "uniform").pvalue > SIGNIFICANCE
    # No wait depends on the one before.
    assert stats.spearmanr(hazards[1:], hazards[:-1]).pvalue > SIGNIFICANCE
    lasted = (events.end - np.maximum(events.start, 0.0))[events.start < 0.8 * model.time]
    law = stats.expon(scale=model.configuration.model.restructuring_time)
    assert stats.kstest(lasted, law.cdf).pvalue > SIGNIFICANCE


def assert_direction(changes, stress, direction):
    """By the reading `stress` it has the sign of the stress; by others where it is above 1."""
    drawn = changes.get("model", {}).get("direction") or changes.get("model", {}).get("activation")
    if drawn is None or (drawn != "random" and abs(stress) >= 1):
        assert direction == np.sign(stress)
