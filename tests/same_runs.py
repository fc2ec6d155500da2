"""Bitwise comparison of what two runs have left: every dataset of run.h5, and the final state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

GROUPS = ("observables", "particles", "fields", "histograms", "events", "warmup")  # of run.h5
STATE = ("fields", "tracers", "counts", "checksums")


def contents(path: Path, groups: tuple[str, ...]) -> dict[str, bytes]:
    """Return the type, shape and bytes of every dataset in some groups of a file."""
    found: dict[str, bytes] = {}
    with h5py.File(path, "r") as file:

        def keep(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and name.startswith(groups):
                values = np.asarray(item[()])
                found[name] = f"{values.dtype.str} {values.shape} ".encode() + values.tobytes()

        file.visititems(keep)
    return found


def differences(one: Path, other: Path) -> list[str]:
    """Return the names of the datasets in which two finished runs differ, or that one lacks.

    The other's file may be one that cannot be read, which is then the difference.
    """
    wrong = []
    for name, chosen in (("run.h5", GROUPS), ("checkpoint.h5", STATE)):
        left = contents(one / name, chosen)
        try:
            right = contents(other / name, chosen)
        except (OSError, RuntimeError) as error:
            return [f"{name} cannot be read: {error}"]
        assert left
        wrong += [
            f"{name}:{key}" for key in sorted({*left, *right}) if left.get(key) != right.get(key)
        ]
    return wrong
