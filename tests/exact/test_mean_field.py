"""Instantaneous events whose drop all other sites share alike, or none, against closed forms.

`mean_field` is the propagator that docs/extending.md adds: G(q) = -1 at every q but 0.  At held
stress each other site receives 1/(N - 1) of the drop.  Kicks of both signs add up to a stress that
vanishes as 1/sqrt(N), so N sites are a renewal process each: with the density f of the stress
after an event and the rate k(sigma),

    events of a site a unit of time   1 / int f/k
    density of the stress             rho = (f/k) / int f/k
    persistence                       F(t) = int rho exp(-k t)
    chi_4                             F (1 - F)

At held strain G is -1 at every q: no site receives anything, and all this is exact.
"""

from itertools import pairwise

import numpy as np
import pytest
from exact_runs import configuration
from scipy import stats
from scipy.integrate import quad

from epmpi.analysis import RunFile
from epmpi.analysis.bursts import below_threshold
from epmpi.analysis.persistence import measure_persistence
from epmpi.physics import propagators
from epmpi.run.simulation import Simulation

LENGTH, TEMPERATURE, SPREAD, ALPHA = 64, 0.15, 0.3, 1.5


def mean_field(qx, qy):
    one = np.where((qx == 0) & (qy == 0), 0.0, 1.0)
    return one, one


@pytest.fixture(autouse=True)
def all_alike(monkeypatch):
    monkeypatch.setitem(propagators.SYMBOLS, "continuum", mean_field)


def carried_out(path, length, macroscopic, clock, **model):
    settings = configuration(
        tick=clock["step"],
        lattice={"shape": (length, length)},
        model={"events": "instantaneous"} | model,
        propagator={"macroscopic": macroscopic},
        initial={"state": "zero", "stress_deviation": 0.0},
        tracers={"number": 0},
        time=clock,
        output={"events": True, "trajectory_every": 0.0, "fields_every": 400.0},
    )
    return Simulation(settings).run(path, progress=False)


def rate(stress):
    return np.exp(-(np.maximum(1 - np.abs(stress), 0) ** ALPHA) / TEMPERATURE)


def weight(stress):
    """Return f/k at a stress."""
    return stats.norm.pdf(stress, scale=SPREAD) / rate(stress)


TOTAL = 2 * quad(weight, 0, 3)[0]


@pytest.mark.statistics
@pytest.mark.parametrize("macroscopic", ["strain", "stress"])
def test_sites_that_share_alike_are_renewal_processes(tmp_path, macroscopic):
    """Rates, persistence, chi_4 and the density of |sigma|, to five errors and what 1/N leaves."""
    run = carried_out(
        tmp_path / "run", LENGTH, macroscopic,
        {"step": 10.0, "warmup": 4000.0, "duration": 8000.0},
        temperature=TEMPERATURE, barrier=ALPHA, residual="normal", residual_scale=SPREAD,
    )  # fmt: skip
    with RunFile(run) as file:
        events, frames = file.events(), file.clock("fields/stress").time.size
        stress = np.array([file.field("stress", n) for n in range(frames)])
    finite = 0.0 if macroscopic == "strain" else 0.01  # a kick of 1 changes k by 10/64, twice
    per_site = len(events) / LENGTH**2 / 8000.0
    error = 1.0 / np.sqrt(len(events))  # of a renewal process whose waits vary more than that
    assert per_site == pytest.approx(1 / TOTAL, rel=5 * error + finite)
    persistence = measure_persistence([events], (LENGTH, LENGTH), 8000.0)
    curve, chi_4 = persistence.curve(), persistence.chi_4()
    law = np.array(
        [2 * quad(lambda s, t=t: weight(s) * np.exp(-rate(s) * t), 0, 3)[0] for t in curve.x]
    )
    law /= TOTAL
    assert law[-1] < 0.1
    assert np.all(np.abs(curve.value - law) < 5 * curve.error + 0.003 + finite)
    middle = (law > 0.1) & (law < 0.9)
    assert np.all(np.abs(chi_4.value - law * (1 - law))[middle] < 5 * chi_4.error[middle] + 0.01)
    for low, high in pairwise(np.linspace(0, 1, 11)):
        share = 2 * quad(weight, low, high)[0] / TOTAL
        counted = ((np.abs(stress) >= low) & (np.abs(stress) < high)).mean()
        spread = 5 * np.sqrt(share / LENGTH**2 / 4)  # about four independent states
        assert abs(counted - share) < spread + finite * share


@pytest.mark.statistics
@pytest.mark.parametrize("x0", [0.3, 0.6, 0.9])
def test_the_weakest_of_sites_that_share_nothing(tmp_path, x0):
    """Below x0 a burst goes on with the chance of a new distance there: sizes are geometric.

    New distances are z, exponential, or 2 - z beyond the opposite threshold.
    """
    scale = 0.5
    run = carried_out(
        tmp_path / "run", 16, "strain", {"step": 10.0, "warmup": 0.0, "duration": 20000.0},
        activation="extremal", residual_scale=scale,
    )  # fmt: skip
    with RunFile(run) as file:
        events = file.events()
    assert len(events) == 20000
    size = below_threshold(events, (16, 16), x0).size
    chance = 1 - np.exp(-x0 / scale) + np.exp(-(2 - x0) / scale)
    number = np.bincount(np.minimum(size, 6), minlength=7)[1:]
    law = chance ** np.arange(5) * (1 - chance)
    law = np.append(law, 1 - law.sum()) * len(size)
    assert stats.chisquare(number, law).pvalue > 1e-3
