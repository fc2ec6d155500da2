"""The engine of the exact clock for a configuration: finite events, or instantaneous ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices import Device, Orientation
from epmpi.model.exact.engine import Engine
from epmpi.model.exact.finite_engine import FiniteEngine
from epmpi.model.exact.jump_engine import JumpEngine
from epmpi.model.exact.response import tabulate, tile_width
from epmpi.model.expected import expected_activity
from epmpi.physics import jumps, randomness


def make_engine(
    configuration: Configuration,
    kernels: Sequence[NDArray[np.float64]],
    drive: float,
    device: Device,
) -> Engine:
    """Return the engine of a configuration, the same on all ranks.

    Parameters
    ----------
    kernels : arrays, shape (Lx, Ly)
        Stress rates while the site (0, 0) yields: one; of events of random orientation three.
    """
    seed, model = configuration.run.seed, configuration.model
    at_once = model.events == "instantaneous" and model.activation == "thermal"
    width = tile_width(kernels[0].size, expected_activity(configuration), at_once=at_once)
    medium, *others = (tabulate(kernel, width, drive) for kernel in kernels[-2:])
    if model.events == "finite":
        return FiniteEngine(medium, device.thinning(), seed)
    jump = jump_rule(configuration)
    threshold = initial_thresholds(configuration, jump, device)
    isotropic = kernels[0]
    orientation = Orientation(
        sine=others[0] if others else medium,
        own=float(isotropic[0, 0]),
        far=float(isotropic[0, 1]),  # alike at all other sites
    )
    return JumpEngine(medium, orientation, device.jumps(), seed, jump, threshold)


def jump_rule(configuration: Configuration) -> jumps.JumpRule:
    """Return the parameters of instantaneous events for a configuration."""
    model = configuration.model
    thresholds, deviation = jumps.THRESHOLDS[model.thresholds], model.threshold_deviation
    shape, scale = 1.0, 1.0
    if thresholds == jumps.WEIBULL:
        shape, scale = jumps.weibull(model.yield_stress, deviation)
    return jumps.JumpRule(
        oriented=int(model.orientation == "random"),
        driver=jumps.EXTREMAL if model.activation == "extremal" else jumps.THERMAL,
        residual=jumps.RESIDUALS[model.residual],
        residual_scale=model.residual_scale,
        thresholds=thresholds,
        mean=model.yield_stress,
        deviation=deviation,
        shape=shape,
        scale=scale,
    )


def initial_thresholds(
    configuration: Configuration, jump: jumps.JumpRule, device: Device
) -> NDArray[np.float64]:
    """Return a threshold for each site of the lattice, (Lx, Ly)."""
    shape, seed = configuration.lattice.shape, configuration.run.seed
    sites = shape[0] * shape[1]
    first, second = (
        device.draw_uniforms(seed, randomness.THRESHOLDS, step, 0, sites) for step in (0, 1)
    )
    threshold = np.empty(sites)
    device.jumps().draw_thresholds(first, second, jump, threshold)
    return threshold.reshape(shape)
