"""Data of both views: a small configuration, and files of unfinished runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

START = 1767225600  # 2026-01-01T00:00:00 UTC


@pytest.fixture(scope="module")
def hundred_steps() -> dict[str, Any]:
    """Give the configuration of 40 steps of warm-up and 60 of measurement, ten to a sample."""
    return {
        "lattice": {"shape": [16, 12]},
        "model": {"temperature": 0.3},
        "tracers": {"number": 0},
        "time": {"step": 0.05, "warmup": 2.0, "duration": 3.0},
        "output": {"series_every": 0.5, "trajectory_every": 0.0},
    }


@pytest.fixture
def put_back() -> Callable[..., float]:
    """Return a function that puts RUN back to the middle of its measurement, at step 70.

    It returns when run.h5 was then published, some seconds after the start.
    """

    def put(run: Path, seconds: float, stopped: str = "") -> float:
        with h5py.File(run / "run.h5", "r+") as file:
            attributes = file["parameters"].attrs
            for name in ("finished", "site_updates_per_second", "wall_time", "warmup_steps"):
                del attributes[name]
            attributes["started"] = "2026-01-01T00:00:00+00:00"
            if stopped:
                attributes["stopped"] = stopped
            for series in file["observables"].values():
                for part in ("step", "time", "value"):
                    series[part].resize(4, axis=0)
        os.utime(run / "run.h5", (START + seconds, START + seconds))
        return START + seconds

    return put
