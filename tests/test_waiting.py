"""Waiting times: against a slow count, on any number of ranks, and after a restart."""

import h5py
import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.model.model import Model
from epmpi.model.state import Accumulator
from epmpi.model.waiting import ONE_BIN_EACH, WaitingTimes, bin_edges
from epmpi.parallel import Communicator
from epmpi.run.simulation import Simulation

SETTINGS = {
    "lattice": {"shape": [13, 10]},
    "model": {"activation": "random", "activity": 0.2},
    "tracers": {"number": 5},
    "time": {"step": 0.05, "warmup": 5.0, "duration": 60.0},
    "output": {"waiting_times_every": 10.0, "trajectory_every": 0.0, "series_every": 0.0},
}


class Log(Accumulator):
    """Keeps every event; the plain accumulator to compare with."""

    def __init__(self):
        self.events = []

    def take(self, begun, events, first_site, step):
        self.events += [(int(step[0]), first_site + int(site)) for site in begun[: events[0]]]


def slow_count(events, first_step, edges):
    """Return the histogram of waits by a dictionary of last events."""
    last, counts = {}, np.zeros(edges.size - 1, np.int64)
    for step, site in events:
        if step < first_step:
            continue
        if site in last:
            counts[np.flatnonzero(edges > step - last[site])[0] - 1] += 1
        last[site] = step
    return counts


def test_the_bins_hold_whole_steps():
    edges = bin_edges()
    assert np.all(edges % 1 == 0.5)
    np.testing.assert_array_equal(edges[: ONE_BIN_EACH + 1], np.arange(ONE_BIN_EACH + 1) + 0.5)
    assert np.all(np.diff(edges) >= 1)
    assert edges[-1] > 1e12 - 1


def run_model(communicator, steps=400, warmup_steps=100):
    model = Model(from_mapping(SETTINGS), communicator)
    log, waits = Log(), WaitingTimes(model.slab.shape, warmup_steps, model.device)
    model.accumulate("log", log)
    model.accumulate("waiting_times", waits)
    for _ in range(steps):
        before = len(log.events)
        model.step()
        sites = [site for _, site in log.events[before:]]
        assert np.all(model.active.reshape(-1)[sites] != 0)
    return model, log, waits


@pytest.mark.mpi
def test_waits_are_those_of_the_events(comm):
    communicator = Communicator(comm)
    model, log, waits = run_model(communicator)
    assert communicator.sum(len(log.events)) == communicator.sum(model.clock.counts()["events"])
    assert communicator.sum(len(log.events)) > 300
    np.testing.assert_array_equal(waits.number, slow_count(log.events, 100, waits.edges))


@pytest.mark.mpi
def test_the_counts_are_the_same_on_any_ranks(comm):
    communicator = Communicator(comm)
    together = run_model(communicator)[2]
    alone = run_model(communicator.split(communicator.rank))[2]
    np.testing.assert_array_equal(communicator.sum(together.number), alone.number)


@pytest.mark.statistics
def test_random_sites_wait_for_two_exponential_stays():
    """The mean wait is tau_res (1 + (1 - a)/a): an event, then a stay at rest."""
    settings = {**SETTINGS, "lattice": {"shape": [40, 30]}, "tracers": {"number": 0}}
    model = Model(from_mapping(settings))
    waits = WaitingTimes(model.slab.shape, 0, model.device)
    model.accumulate("waiting_times", waits)
    for _ in range(2000):
        model.step()
    # Within one exact bin per step, where the run is long enough to see every wait.
    middle = (waits.edges[1:] + waits.edges[:-1]) / 2
    number = waits.number
    # An event that renews within a step counts from the first one; waits above 60 are seldom.
    mean = 0.05 * np.average(middle, weights=number)
    deviation = 0.05 * np.sqrt(np.average((middle - mean / 0.05) ** 2, weights=number))
    assert mean == pytest.approx(5.0, abs=0.1 + 5 * deviation / np.sqrt(number.sum()))


def test_a_restart_goes_on_counting(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    Simulation(from_mapping(SETTINGS)).run(whole, progress=False)
    half = from_mapping({**SETTINGS, "time": {**SETTINGS["time"], "duration": 30.0}})
    Simulation(half).run(cut, progress=False)
    Simulation.resume(cut, ["time.duration=60.0"]).run(progress=False)
    counts = [read_histogram(path) for path in (whole, cut)]
    assert counts[0].sum() > 100
    assert np.all(np.diff(counts[0].sum(axis=1)) > 0)
    np.testing.assert_array_equal(*counts)


def read_histogram(run):
    with h5py.File(run / "run.h5") as file:
        group = file["histograms/waiting_times"]
        assert group["value"].attrs["units"] == "1"
        edges = file["parameters/waiting_times"].attrs["edges"]
        np.testing.assert_array_equal(edges, bin_edges())
        assert np.all(np.diff(group["step"]) == 200)
        return group["value"][()]
