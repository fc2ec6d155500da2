"""Advice on faster sides of the lattice: large prime factors make transforms slow."""

from __future__ import annotations

import numpy as np

from epmpi.config import Configuration
from epmpi.devices import Device

OF_EXACT_CLOCK = 0.25  # share of transforms in the time of the exact clock
WORTH_A_LINE = 4 / 3  # least factor over the time of the next fast sides for an advice


def size_advice(configuration: Configuration, device: Device) -> str:
    """Return the advice to use the next fast sides where a site costs a third more; else nothing.

    Only for the engine that `run.fft = "auto"` chooses.
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
