"""A few coupled sites against `first_reaction`, a slow simulation by numerical integration.

What both give over many independent runs is compared by Kolmogorov and Smirnov or by chi^2, each at
a significance of 1e-3; the seeds are fixed.
"""

import numpy as np
import oracle
import pytest
from event_log import EventLog
from exact_runs import configuration
from first_reaction import FirstReaction
from scipy import stats

from epmpi.model.model import Model

pytestmark = pytest.mark.statistics

RUNS = 2000
SITES_OF_ALL_RUNS = 50_000
RESTRUCTURING_TIME = 1.4
SIGNIFICANCE = 1e-3


def near_threshold(shape, sites):
    """Return a stress that is 0 but for some sites, (x, y): stress."""
    stress = np.zeros(shape)
    for site, there in sites.items():
        stress[site] = there
    return stress


def uneven(shape):
    """Return a stress that is different at all sites, of both signs."""
    sites = shape[0] * shape[1]
    return np.linspace(-0.9, 1.1, sites)[7 * np.arange(sites) % sites].reshape(shape)


# Sites of a stress near 0 practically do not yield at these temperatures, unless they are loaded.
CASES = {
    "two sites": ((4, 5), {(1, 1): 0.85, (2, 1): 0.8}, "stress", 0.05, 0.0),
    "three sites": ((5, 4), {(1, 1): 0.8, (2, 2): -0.8, (1, 2): 0.7}, "stress", 0.06, 0.0),
    "two sites under a drive": ((4, 4), {(0, 0): 0.5, (3, 0): -0.3}, "both", 0.05, 0.08),
    "4 x 4 sites": ((4, 4), None, "stress", 0.25, 0.0),
    "4 x 4 sites, either": ((4, 4), None, "either", 0.2, 0.0),
    "4 x 4 sites, both, under a drive": ((4, 4), None, "both", 0.2, -0.1),
    "9 x 10 sites": ((9, 10), None, "stress", 0.15, 0.05),  # four tiles
    "9 x 10 sites, alpha 3/2": ((9, 10), None, "stress", 0.15, 0.05, 1.5),
    "4 x 4 sites, alpha 1/2": ((4, 4), None, "stress", 0.25, 0.0, 0.5),
}
TIMES = 1.0, 3.0, 8.0


class Sample:
    """Compared quantities at each of `TIMES`; arrays of shape (runs, ...)."""

    def __init__(self) -> None:
        self.events, self.stress, self.strain_time, self.active = [], [], [], []
        self.first = np.empty(0)


def number_of_runs(stress):
    return min(RUNS, SITES_OF_ALL_RUNS // stress.size)


def by_the_clock(stress, reading, temperature, drive, barrier="quadratic"):
    """Return a sample of the exact clock, begun anew for each run: its draws go on."""
    model = Model(
        configuration(
            lattice={"shape": stress.shape},
            model={
                "direction": reading,
                "barrier": barrier,
                "temperature": temperature,
                "restructuring_time": RESTRUCTURING_TIME,
                "strain_rate": drive,
            },
            tracers={"number": 0},
            output={"trajectory_every": 0.0},
            initial={"state": "zero", "stress_deviation": 0.0},
        )
    )
    log, sample, runs = EventLog(model), Sample(), number_of_runs(stress)
    shape = runs, *stress.shape
    sample.first = np.full(shape, np.inf)
    for _ in TIMES:
        sample.events.append(np.zeros(runs, int))
        for arrays in (sample.stress, sample.strain_time, sample.active):
            arrays.append(np.zeros(shape))
    strain_rate = model.configuration.model.event_strain / 2
    for run in range(runs):
        log.forget()
        model.step_count = 0
        model.plastic_strain[:] = 0.0
        model.set_fields(stress, np.zeros(stress.shape, np.int8))
        for n, time in enumerate(TIMES):
            while model.time < time:
                model.step()
            model.clock.complete()
            events = log.all()
            sample.events[n][run] = len(events.x)
            sample.stress[n][run] = model.stress
            sample.strain_time[n][run] = model.plastic_strain / strain_rate
            sample.active[n][run] = model.active
        np.minimum.at(sample.first[run], (events.x, events.y), events.start)
    return sample


def by_first_reaction(stress, reading, temperature, drive, barrier="quadratic"):
    """Return a sample of the slow simulation."""
    response = np.fft.ifft2(oracle.stress_propagator(stress.shape, "continuum", "strain", 1.0)).real
    many = np.repeat(stress[None], number_of_runs(stress), axis=0)
    slow = FirstReaction(
        many, response, drive, reading, temperature, RESTRUCTURING_TIME, 5, barrier
    )
    sample = Sample()
    for time in TIMES:
        slow.advance(time)
        sample.events.append(slow.events.copy())
        sample.stress.append(slow.stress.copy())
        sample.strain_time.append(slow.strain_time.copy())
        sample.active.append(slow.active.copy())
    sample.first = slow.first
    return sample


def assert_same_law(first, second):
    """Compare two samples of numbers, some of which may be infinite or alike but for rounding."""
    first, second = (np.round(np.minimum(sample, 1e3), 9) for sample in (first, second))
    assert stats.ks_2samp(first, second, method="asymp").pvalue > SIGNIFICANCE


def assert_same_counts(first, second):
    """Compare two samples of integers; rare ones are put together."""
    values = np.concatenate([first, second])
    edges = np.unique(np.quantile(values, np.linspace(0.04, 0.96, 12), method="lower"))
    table = np.array(
        [np.bincount(np.searchsorted(edges, s), minlength=len(edges) + 1) for s in (first, second)]
    )
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] > 1:
        assert stats.chi2_contingency(table, correction=False).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_samples_of_both_have_one_law(case):
    shape, sites, *rule = case
    stress = uneven(shape) if sites is None else near_threshold(shape, sites)
    found, expected = by_the_clock(stress, *rule), by_first_reaction(stress, *rule)
    assert found.events[-1].mean() > 0.5
    watched = list(sites or {(0, 0): 0, (1, 3): 0, (3, 2): 0})
    assert_same_law(found.first.min(axis=(1, 2)), expected.first.min(axis=(1, 2)))
    for site in watched:
        assert_same_law(found.first[:, *site], expected.first[:, *site])
    for n in range(len(TIMES)):
        assert_same_counts(found.events[n], expected.events[n])
        for site in watched:
            for what in ("stress", "strain_time"):
                assert_same_law(
                    getattr(found, what)[n][:, *site], getattr(expected, what)[n][:, *site]
                )
            assert_same_counts(
                found.active[n][:, *site].astype(int), expected.active[n][:, *site].astype(int)
            )
        energy = [np.mean(s.stress[n] ** 2, axis=(1, 2)) for s in (found, expected)]
        assert_same_law(*energy)
