import h5py
import numpy as np
import pytest
from known_data import ornstein_uhlenbeck

from epmpi.analysis import analyse
from epmpi.config import ConfigError, from_mapping
from epmpi.parallel import Communicator
from epmpi.run import steady
from epmpi.run.course import Course
from epmpi.run.simulation import Simulation
from epmpi.run.steady import MOST, SteadyState, judge

SETTINGS = {
    "lattice": {"shape": [12, 10]},
    "model": {"temperature": 0.3},
    "tracers": {"number": 4},
    "time": {"warmup": "auto", "duration": 20.0},
    "output": {"trajectory_every": 1.0, "waiting_times_every": 5.0},
}


def watch(activity, variance, sample_time=1.0):
    """Return how many samples pass until the warm-up is called steady, or None."""
    steady = SteadyState(sample_time, 1.0, 1)
    for number, (first, second) in enumerate(zip(activity, variance, strict=True), start=1):
        steady.add({"activity": first, "stress_variance": second})
        verdict = steady.verdict()
        if verdict is not None and verdict.steady:
            return number
    return None


def noise(samples, seed):
    return ornstein_uhlenbeck(samples, 2, 0.5, seed).T


def test_a_steady_run_is_found_soon():
    found = [watch(*(0.1 * (1 + 0.1 * noise(2000, seed)))) for seed in range(10)]
    assert None not in found
    assert max(found) <= 400


@pytest.mark.parametrize("drifting", [0, 1])
def test_a_drift_is_never_called_steady(drifting):
    """In any third the mean moves by ten errors or more."""
    for seed in range(10):
        series = 0.1 * (1 + 0.1 * noise(6000, seed))
        series[drifting] *= np.linspace(1, 100, 6000)
        assert watch(*series) is None


def test_a_relaxation_is_waited_for():
    """exp(-t/300): what is left of it at the end is within the noise."""
    for seed in range(5):
        series = 0.1 * (1 + 0.02 * noise(20000, seed))
        series *= 1 + np.exp(-np.arange(20000) / 300)
        found = watch(*series)
        assert 700 < found < 6000


def test_rare_events_make_it_wait():
    """A site must have been activated once in each third: 1/a of time."""
    series = np.array([[1e-3], [0.1]]) * (1 + 0.01 * noise(12000, 1))
    assert watch(*series) >= 3000


def test_slow_fluctuations_are_no_independent_blocks():
    slow = np.cumsum(np.random.default_rng(2).normal(size=(2, 120)), axis=1)
    verdict = judge(100 + slow, 10.0)
    assert not verdict.steady
    assert verdict.independent < 6
    assert "second and last third" in verdict.describe()["criterion"]


def test_the_exact_clock_gives_means_over_time():
    """Of rare events that no sample happens to see; and after a restart between two samples."""
    steady = SteadyState(2.0, 1.0, sites=50)
    for number in range(1, 61):
        if number == 31:
            stored, steady = steady.root(), SteadyState(2.0, 1.0, sites=50)
            steady.restore({}, {}, stored)
        steady.add({"activity": 0.0, "stress_variance": 1.0, "active_time": 7.0 + 0.3 * number})
    known = steady.blocks[0, 1 : steady.count[0]]
    np.testing.assert_allclose(known, 0.3 / (2.0 * 50))
    assert steady.blocks[0, 0] == 0.0  # of the first one only the sample is known


def test_merging_keeps_the_means():
    steady = SteadyState(1.0, 1.0, 1)
    values = np.random.default_rng(3).uniform(size=2 * MOST)
    for value in values:
        steady.add({"activity": value, "stress_variance": 2 * value})
    filled, inside, width, _ = steady.count
    assert (filled, inside, width) == (MOST // 2, 0, 4)
    np.testing.assert_allclose(steady.blocks[0, :filled], values.reshape(-1, 4).mean(axis=1))
    np.testing.assert_allclose(steady.blocks[1], 2 * steady.blocks[0])


@pytest.mark.mpi
def test_a_run_decides_and_says_what_it_saw(comm, shared_tmp_path):
    communicator = Communicator(comm)
    simulation = Simulation(from_mapping(SETTINGS), communicator)
    simulation.run(shared_tmp_path / "run", progress=False)
    ends = communicator.gather(simulation.warmup_steps)
    if communicator.is_root:
        assert len(set(ends)) == 1
        with h5py.File(shared_tmp_path / "run" / "run.h5") as file:
            known = file["parameters"].attrs
            assert known["warmup_steps"] == ends[0]
            assert abs(file["parameters/steady_state"].attrs["activity_deviation"]) <= 2
            assert file["particles/tracers/position/step"][0] == 0
            assert file["observables/activity/time"][-1] == 20
            assert file["warmup/observables/activity/step"][-1] < ends[0]
            assert file["histograms/waiting_times/value"][-1].sum() > 0


def test_a_restart_within_the_warmup_decides_alike(tmp_path, monkeypatch):
    Simulation(from_mapping(SETTINGS)).run(tmp_path / "whole", progress=False)
    cut = Simulation(from_mapping(SETTINGS))
    end = Course.total_steps.fget
    monkeypatch.setattr(Course, "total_steps", property(lambda course: min(end(course), 500)))
    cut.run(tmp_path / "cut", progress=False)
    assert cut.model.step_count == 500
    monkeypatch.undo()
    Simulation.resume(tmp_path / "cut").run(progress=False)
    found = []
    for name in ("whole", "cut"):
        with h5py.File(tmp_path / name / "run.h5") as file:
            steps = file["parameters"].attrs["warmup_steps"]
            seen = dict(file["parameters/steady_state"].attrs)
            found.append((steps, seen, file["observables/activity/value"][()].tolist()))
    assert found[0] == found[1]
    longer = Simulation.resume(tmp_path / "cut", ["time.duration=25.0"])
    longer.run(progress=False)
    assert longer.warmup_steps == found[0][0]


def test_annealing_goes_through_its_temperatures(tmp_path):
    settings = {
        **SETTINGS,
        "time": {"step": 0.05, "warmup": 1.0, "duration": 1.0},
        "initial": {"annealing": [[0.9, 0.5], [0.5, 1.0]]},
    }
    simulation = Simulation(from_mapping(settings))
    assert simulation.warmup_steps == 50
    seen, model = [], simulation.model
    advance = model.advance

    def spied(until):
        begin = model.step_count
        advance(until)
        seen.extend([model.activation.rule.temperature] * (model.step_count - begin))

    model.advance = spied
    simulation.run(tmp_path / "run", progress=False)
    assert seen == [0.9] * 10 + [0.5] * 20 + [0.3] * 40


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": {"warmup": "automatic"}}, "auto"),
        ({"initial": {"annealing": [[0.1]]}}, "pairs"),
        ({"initial": {"annealing": [[0.1, 0.03]]}, "time": {"step": 0.02}}, "multiple"),
        (
            {
                "initial": {"annealing": [[0.1, 1.0]]},
                "model": {"activation": "random", "activity": 0.1},
            },
            "no temperature",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(changes, words):
    with pytest.raises(ConfigError, match=words):
        from_mapping(changes)


def test_stages_and_auto_are_written_back():
    configuration = from_mapping({**SETTINGS, "initial": {"annealing": [[0.9, 0.5]]}})
    assert 'warmup = "auto"' in configuration.to_toml()
    assert "annealing = [[0.9, 0.5]]" in configuration.to_toml()
    assert from_mapping(configuration.to_mapping()) == configuration
    assert configuration.warmup_steps is None
    assert configuration.known_steps == configuration.steps(20.0 + 0.5) == 205


@pytest.mark.parametrize("clock", ["steps", "exact"])
def test_without_events_it_ends_at_its_bound_and_says_so(tmp_path, capfd, monkeypatch, clock):
    """Too cold for any event; also after a restart, which takes the end over."""
    if clock == "steps":
        monkeypatch.setattr(steady, "SHORTEST_BOUND", 300.0)
    times = {"clock": clock, "step": 0.5, "warmup": "auto", "duration": 2.0}
    cold = {"model": {"temperature": 1e-9, "attempt_rate": 0.1}, "time": times}
    cold |= {"lattice": {"shape": [12, 10]}, "tracers": {"number": 0}}
    cold |= {"output": {"trajectory_every": 0.0, "series_every": 1.0}}
    simulation = Simulation(from_mapping(cold))
    run = simulation.run(tmp_path / "run", progress=False)
    bound = steady.longest_warmup(2.0)
    assert simulation.warmup_steps * 0.5 == bound == {"steps": 300.0, "exact": 1e4}[clock]
    said = capfd.readouterr().err
    assert said.count(f"ended at its bound, without being steady, after {bound:g} (0 events") == 1
    Simulation.resume(run, ["time.duration=4.0"]).run(progress=False)
    with h5py.File(run / "run.h5") as file:
        ended = file["parameters/steady_state"].attrs["ended"]
        assert file["observables/activity/time"][-1] == 4.0
    assert ended == b"at its bound, without being steady"
    [found] = analyse(run)
    assert "the automatic warm-up ended at its bound" in " ".join(found.remarks)


def test_the_bound_grows_with_what_is_measured():
    assert [steady.longest_warmup(duration) for duration in (1.0, 500.0, 1e6)] == [1e4, 1e4, 2e7]
