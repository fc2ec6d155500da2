"""Which sides of the lattice would be faster: large prime factors make transforms slow."""

from __future__ import annotations

import numpy as np

from epmpi.config import Configuration
from epmpi.devices import Device

OF_EXACT_CLOCK = 0.25  # part of the time of the exact clock that transforms take
WORTH_A_LINE = 4 / 3  # times the time of the next fast sides


def size_advice(configuration: Configuration, device: Device) -> str:
    """Return a line that names the next fast sides where a site costs a third more; else nothing.

    Said of the transforms that `run.fft` chooses by itself.
    """
    shape, run = configuration.lattice.shape, configuration.run
    dtype = np.float64 if run.precision == "double" else np.float32
    fast, times = device.faster_shape(shape, dtype) if run.fft == "auto" else (shape, 1.0)
    if configuration.time.clock == "exact":
        times = 1 + OF_EXACT_CLOCK * (times - 1)
    if times <= WORTH_A_LINE:
        return ""
    return (
        f"{shape[0]} x {shape[1]} sites have slow transforms: a site takes about {times:.2g} times "
        f"as long as with the next fast sides, lattice.shape = [{fast[0]}, {fast[1]}] (no prime "
        "factor above 7)"
    )
