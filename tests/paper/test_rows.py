import numpy as np
import pytest

from epmpi.paper.rows import Row, exact_mean_wait


def test_the_mean_wait_of_a_two_state_process_seen_at_every_step():
    """In a steady state one wait goes by for each activation: <tau> = dt/((1 - a) P01)."""
    for activity in (1e-4, 0.13):
        for step in (0.05, 0.4):
            on = activity / (1 - activity)
            seen = on / (on + 1) * -np.expm1(-(on + 1) * step)
            wait = step / ((1 - activity) * seen)
            assert exact_mean_wait(activity, step) == pytest.approx(activity * wait, rel=1e-12)
    assert exact_mean_wait(0.1, 1e-6) == pytest.approx(1, abs=1e-6)


def test_deviations_count_the_window():
    row = Row("n_I", "", 1.5, 0.3, window=0.4, reference=1.0)
    assert row.deviation == pytest.approx(1.0)
    assert np.isnan(Row("n_I", "", 1.5, 0.0).deviation)
