"""Drifts are found, and stationary series marked at the stated rate."""

import io

import h5py
import numpy as np
import pytest
from known_data import ornstein_uhlenbeck
from rich.console import Console
from run_files import write_run

from epmpi.analysis import analyse
from epmpi.analysis.stationarity import CHANCE, drift
from epmpi.config import from_mapping

TRIALS = 2000


def marked(samples, replicas, correlation, change):
    """Return the fraction of series marked whose mean changes by so many standard deviations."""
    series = ornstein_uhlenbeck(samples, TRIALS * replicas, correlation, seed=1).T
    series = series.reshape(TRIALS, replicas, samples) + np.linspace(0, change, samples)
    return np.mean([drift(some.ravel(), replicas).is_marked for some in series])


@pytest.mark.parametrize(
    ("samples", "replicas", "correlation"),
    [
        (100, 1, 0.0),
        (1200, 1, 0.9),  # about 6 blocks
        (8000, 1, 0.97),
        (1000, 3, 0.9),
        (400, 8, 0.9),
        (100, 8, 0.97),  # too short for blocks: the spread of the replicas
    ],
)
@pytest.mark.statistics
def test_a_stationary_series_is_marked_at_the_stated_rate(samples, replicas, correlation):
    """A little more often, for lines follow slow fluctuations; the deviation is 0.2 %."""
    assert 0.5 * CHANCE < marked(samples, replicas, correlation, 0.0) < 2.5 * CHANCE


@pytest.mark.parametrize(
    ("samples", "replicas", "correlation", "change"),
    [(400, 1, 0.5, 2.0), (8000, 1, 0.97, 1.5), (1000, 3, 0.9, 1.5), (100, 8, 0.97, 4.0)],
)
def test_a_drift_is_found(samples, replicas, correlation, change):
    assert marked(samples, replicas, correlation, change) > 0.9


def test_its_value_is_that_of_the_line():
    """Whatever the levels of the replicas."""
    line = np.concatenate([np.linspace(1, 3, 200), np.linspace(2, 4, 200)])
    noise = np.random.default_rng(2).normal(0, 0.1, 400)
    found = drift(line + noise, 2)
    assert found.value == pytest.approx(2.0, abs=4 * found.error)
    assert found.error == pytest.approx(0.1 * np.sqrt(12 / 400), rel=0.3)


@pytest.mark.parametrize("samples", [301, 250, 97])
@pytest.mark.parametrize("replicas", [1, 6])
def test_a_constant_on_top_changes_nothing(samples, replicas):
    noise = ornstein_uhlenbeck(samples * replicas, 1, 0.5, seed=4)[:, 0]
    one, other = drift(noise, replicas), drift(noise + 1000.0, replicas)
    assert (other.value, other.error) == pytest.approx((one.value, one.error), rel=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3e5])
def test_a_constant_does_not_drift(constant):
    found = drift(np.full(200, constant))
    assert not found.is_marked
    assert found.probability == 1.0


def test_a_line_without_noise_does():
    assert drift(np.linspace(1.0, 1.1, 50)).is_marked


def test_a_short_series_says_nothing():
    for few in (np.linspace(0, 1, 3), ornstein_uhlenbeck(100, 1, 0.99, seed=3)[:, 0]):
        assert np.isnan(drift(few).probability)
        assert not drift(few).is_marked


def series(seed, change, samples=600):
    noise = ornstein_uhlenbeck(samples, 3, 0.5, seed).T
    return {
        "activity": 0.02 + 0.001 * noise[0],
        "stress_mean": 0.01 * noise[1],
        "stress_variance": 0.1 + 0.005 * noise[2] + np.linspace(0, change, samples),
    }


@pytest.mark.parametrize("replicas", [1, 8])
def test_a_drift_is_said_everywhere(tmp_path, replicas):
    run = tmp_path / "run"
    if replicas == 1:
        write_run(run, series=series(5, 0.006))
    else:
        for number in range(replicas):
            write_run(run / f"replica-{number:03d}", series=series(number, 0.003))
        text = from_mapping({"run": {"replicas": replicas}}).to_toml()
        (run / "ensemble.toml").write_text(text)
    screen = Console(file=io.StringIO(), width=300)
    [analysis] = analyse(run, console=screen, page=True)
    shown, page = screen.file.getvalue(), analysis.page.read_text()
    words = "the stress variance is not stationary: from beginning to end it drifts by 0.00"
    assert [words in text for text in (shown, page)] == [True, True]
    assert len(analysis.remarks) == 1
    assert 'time.warmup = "auto"' in shown
    assert shown.count(" !") == 1 and "! not stationary" in shown
    with h5py.File(analysis.numbers) as file:
        assert words in file.attrs["remarks"]
        found = file["averages/stress_variance"]
        assert found["drift_probability"][()] < CHANCE
        assert found["drift"].attrs["unit"] == "yield stress^2"
        assert file["averages/activity/drift_probability"][()] > CHANCE


def test_the_stress_of_the_random_model_has_another_remedy(tmp_path):
    with h5py.File(write_run(tmp_path / "run", series=series(5, 0.006)) / "run.h5", "r+") as file:
        file["parameters/model"].attrs["activation"] = "random"
    [analysis] = analyse(tmp_path / "run")
    assert "the stress of the random model has no stationary state" in analysis.remarks[0]
    assert "warmup" not in analysis.remarks[0]
