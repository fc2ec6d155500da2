"""What is said of a run in which no step ends."""

import time

import pytest

from epmpi.run.watchdog import Watchdog


def test_a_stall_is_told_once_and_with_the_last_step(capfd):
    with Watchdog(True, seconds=0.2) as watchdog:
        watchdog.alive(41)
        time.sleep(0.8)
        told = capfd.readouterr().err
        assert told.count("epmpi: no step has ended for") == 1
        assert "the last was 41: a rank may be stalled" in told
        watchdog.alive(42)
        time.sleep(0.5)
        assert "the last was 42" in capfd.readouterr().err


@pytest.mark.parametrize(("watching", "pause"), [(False, 0.6), (True, 0.05)])
def test_no_stall_is_told_on_other_ranks_or_while_steps_end(capfd, watching, pause):
    with Watchdog(watching, seconds=0.4) as watchdog:
        for step in range(round(1.2 / pause)):
            watchdog.alive(step)
            time.sleep(pause)
    assert capfd.readouterr().err == ""
