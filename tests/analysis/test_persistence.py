"""Persistence, chi_4 and S_4 of logs of events whose answers are known."""

import numpy as np
import pytest
from known_logs import DURATION, SHAPE, SITES, independent, log_of, rows_together

from epmpi.analysis.persistence import (
    crossing,
    measure_persistence,
    origins_and_lags,
    passages,
    peak_of,
)


def test_passages_are_the_next_events_after_an_origin():
    events = independent(1, rate=0.002)
    origins, _ = origins_and_lags(DURATION)
    site = events.x * SHAPE[1] + events.y
    for origin, found in zip(origins[::-1][:40], passages(events, SHAPE, origins), strict=False):
        for one in range(0, SITES, 37):
            later = events.start[(site == one) & (events.start > origin)]
            assert found[one] == (later.min() if later.size else np.inf)


def test_independent_sites_persist_exponentially():
    """<p> = exp(-r t), tau_alpha = ln 2 / r, and chi_4 = <p> (1 - <p>), largest at 1/4."""
    found = measure_persistence([independent(seed) for seed in range(8)], SHAPE, DURATION)
    curve, chi_4 = found.curve(), found.chi_4()
    law = np.exp(-0.05 * curve.x)
    assert np.all(np.abs(curve.value - law) < 5 * curve.error + 1e-3)
    time, error = (curve.parameters[f"relaxation_time{end}"] for end in ("", "_error"))
    assert error < 0.05
    assert abs(time - np.log(2) / 0.05) < 4 * error
    seen = (law > 0.02) & (law < 0.98)
    assert np.all(np.abs(chi_4.value - law * (1 - law))[seen] < 5 * chi_4.error[seen])
    assert abs(chi_4.parameters["peak"] - 0.25) < 4 * chi_4.parameters["peak_error"] + 0.01


def test_sites_that_yield_together_raise_chi_4():
    """By their number: chi_4 = n <p> (1 - <p>) where n yield at once."""
    found = measure_persistence([rows_together(seed) for seed in range(8)], SHAPE, DURATION)
    chi_4, law = found.chi_4(), np.exp(-0.05 * found.lag)
    seen = (law > 0.05) & (law < 0.95)
    expected = SHAPE[1] * (law * (1 - law))[seen]
    assert np.all(np.abs(chi_4.value[seen] - expected) < 5 * chi_4.error[seen])
    peak, error = chi_4.parameters["peak"], chi_4.parameters["peak_error"]
    assert error < 1.0
    assert abs(peak - SHAPE[1] / 4) < 4 * error


def test_errors_of_one_long_run_cover_the_truth():
    """Of tau_alpha, in blocks of origins: within two errors in most runs, not in all to spare."""
    deviations = []
    for seed in range(30):
        parameters = measure_persistence([independent(seed)], SHAPE, DURATION).curve().parameters
        time, error = parameters["relaxation_time"], parameters["relaxation_time_error"]
        deviations.append((time - np.log(2) / 0.05) / error)
    assert 0.4 < np.sqrt(np.mean(np.square(deviations))) < 1.8


def test_errors_of_the_peak_of_chi_4_are_fair():
    """They have the size of the deviations; the largest of noisy values lies a little too high."""
    deviations = []
    for seed in range(20):
        parameters = measure_persistence([rows_together(seed)], SHAPE, DURATION).chi_4().parameters
        deviations.append((parameters["peak"] - SHAPE[1] / 4) / parameters["peak_error"])
    assert 0.5 < np.sqrt(np.mean(np.square(deviations))) < 1.8
    assert abs(np.mean(deviations)) < 1.2


def test_a_run_shorter_than_tau_alpha_has_no_peak():
    """Whatever is largest in it, by chance."""
    for seed in range(6):
        found = measure_persistence([independent(seed, rate=2e-4)], SHAPE, DURATION)
        assert found.fraction[-1].mean() > 0.5
        parameters = found.chi_4().parameters
        assert np.isnan([value for value in parameters.values()]).all()


def test_a_window_without_events():
    """No event in the first half: the mean of 1 and of the law, finite with all errors."""
    events = independent(5)
    late = log_of(events.start / 2 + DURATION / 2, events.x * SHAPE[1] + events.y)
    found = measure_persistence([late], SHAPE, DURATION)
    curve, chi_4 = found.curve(), found.chi_4()
    origins, _ = origins_and_lags(DURATION)
    for lag, value, error in zip(curve.x, curve.value, curve.error, strict=True):
        within = np.maximum(origins + lag - np.maximum(origins, DURATION / 2), 0.0)
        assert abs(value - np.exp(-0.1 * within).mean()) < 5 * error + 1e-3
    assert np.isfinite([curve.error, chi_4.value, chi_4.error]).all()


def test_crossings_and_peaks():
    lag = np.geomspace(1, 100, 21)
    assert crossing(lag, 1 - np.log(lag) / np.log(400)) == pytest.approx(20.0)
    assert np.isnan(crossing(lag, np.full(21, 0.7)))
    assert np.isnan(crossing(lag, np.full(21, 0.3)))
    found = peak_of(lag, 7 - 2 * np.log(lag / 13) ** 2)
    np.testing.assert_allclose(found, [13, 7])
    assert np.isnan(peak_of(lag, lag)).all()
