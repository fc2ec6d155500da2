"""Run files with known content, in the layout that the simulation writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from epmpi.analysis.events import Events

STEP = 0.05
COMPLETE = {"finished": "2026-01-01T00:00:00+00:00"}


def put_frames(file: h5py.File, path: str, step: ArrayLike, value: ArrayLike) -> None:
    """Write a {step, time, value} group."""
    group = file.create_group(path)
    group["step"] = np.asarray(step, dtype=np.int64)
    group["time"] = np.asarray(step) * STEP
    group["value"] = value


def write_run(
    directory: Path,
    *,
    shape: tuple[int, int] = (16, 24),
    position: NDArray[np.float64] | None = None,
    position_step: ArrayLike | None = None,
    fields: Mapping[str, NDArray[Any]] | None = None,
    series: Mapping[str, NDArray[np.float64]] | None = None,
    warmup: Mapping[str, NDArray[np.float64]] | None = None,
    waiting_times: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None,
    events: Events | None = None,
    model: Mapping[str, Any] | None = None,
    ended: Mapping[str, str] = COMPLETE,
) -> Path:
    """Write RUN/run.h5; position has shape (frames, tracers, 2), fields (frames, Lx, Ly).

    waiting_times holds edges in steps and cumulative counts, (frames, bins).
    """
    directory.mkdir(parents=True, exist_ok=True)
    with h5py.File(directory / "run.h5", "w") as file:
        file.create_group("h5md").attrs["version"] = [1, 1]
        file.create_group("h5md/creator").attrs.update({"name": "epmpi", "version": "0"})
        known = {"seed": 7, "configuration": "# toml", **ended}
        file.create_group("parameters").attrs.update(known)
        file.create_group("parameters/time").attrs["duration"] = 1000.0
        file.create_group("parameters/lattice").attrs["shape"] = shape
        file.create_group("parameters/model").attrs.update(
            {"activation": "thermal", "temperature": 0.1, "shear_modulus": 1.0}
        )
        file["parameters/model"].attrs.update(model or {})
        if events is not None:
            for name, column in vars(events).items():
                if column is not None:
                    file[f"events/{name}"] = column
        for name, values in (series or {}).items():
            put_frames(file, f"observables/{name}", 10 * np.arange(len(values)), values)
        for name, values in (warmup or {}).items():
            put_frames(file, f"warmup/observables/{name}", 10 * np.arange(len(values)), values)
        for name, values in (fields or {}).items():
            put_frames(file, f"fields/{name}", 100 * np.arange(len(values)), values)
        if waiting_times is not None:
            edges, counts = waiting_times
            file.create_group("parameters/waiting_times").attrs["edges"] = edges
            put_frames(file, "histograms/waiting_times", 1000 * np.arange(len(counts)), counts)
        if position is not None:
            step = 10 * np.arange(len(position)) if position_step is None else position_step
            flat = np.concatenate([position, np.zeros_like(position[..., :1])], axis=2)
            put_frames(file, "particles/tracers/position", step, flat)
    return directory


def brownian(
    frames: int, tracers: int, coefficient: float, seed: int, interval: float = 10 * STEP
) -> NDArray[np.float64]:
    """Return independent walkers with <dr^2> = 4 D t, shape (frames, tracers, 2)."""
    random = np.random.default_rng(seed)
    kicks = random.normal(0, np.sqrt(2 * coefficient * interval), (frames - 1, tracers, 2))
    start = random.uniform(0, 16, (1, tracers, 2))
    return np.concatenate([start, start + np.cumsum(kicks, axis=0)])
