"""Devices: where arrays live and loops run.  The only place that knows Numba and CuPy."""

from __future__ import annotations

from epmpi.devices.cpu import CPU


def choose(name: str) -> CPU:
    """Return the device of a configuration's name ("auto" or "cpu")."""
    if name not in ("auto", "cpu"):
        raise ValueError(f"device is '{name}', expected 'auto' or 'cpu'")
    return CPU()
