"""Initial states: a Gaussian stress, the stationary activity of the random model.

Both are drawn site by site, counter-based: the same on any number of ranks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices import Device
from epmpi.model.elasticity import wavevectors
from epmpi.physics import randomness
from epmpi.physics.lattice import Slab
from epmpi.physics.propagators import Modes, stress_propagator
from epmpi.spectral import Transform

AT_ONCE = 1 << 16  # sites, or modes, that the host works on at a time


def gaussian_stress(configuration: Configuration, fft: Transform) -> NDArray:
    """Return a Gaussian stress of zero mean, the same on any number of ranks.  Collective.

    Drawn by site: independent numbers of the given standard deviation.  Drawn in Fourier space: the
    response G to such numbers, scaled to that standard deviation, as plastic events would leave it.

    Returns
    -------
    float array, shape (rows, Ly)
        On the device.
    """
    initial, slab = configuration.initial, fft.slab
    field = fft.device.empty(slab.shape, fft.dtype)
    draws = _draws(configuration, slab, fft.device, randomness.INITIAL_STRESS)
    for some, (radius, angle) in draws:
        normal = np.sqrt(-2.0 * np.log1p(-radius)) * np.cos(2.0 * np.pi * angle)
        field[some] = fft.device.asarray((initial.stress_deviation * normal).astype(fft.dtype))
    if initial.drawn == "site":
        return field
    spectrum = fft.forward(field[None])
    del field
    # Modes 0 < ky < Ly/2 represent their conjugates too.
    twice = np.where((fft.ky == 0) | (2 * fft.ky == slab.lattice.shape[1]), 1.0, 2.0)
    # Column by column, and exactly rounded, so that the ranks do not matter.
    mine = [np.sum(twice[some] * kernel**2, axis=1) for some, kernel in _kernel(configuration, fft)]
    columns = fft.communicator.gather_rows(np.concatenate(mine))
    total = fft.communicator.broadcast(None if columns is None else math.fsum(columns))
    scale = math.sqrt(slab.lattice.sites / total)
    for some, kernel in _kernel(configuration, fft):
        spectrum[0, some] *= fft.device.asarray((scale * kernel).astype(fft.dtype))
    return fft.backward(spectrum)[0]


def _draws(
    configuration: Configuration, slab: Slab, device: Device, stream: int
) -> Iterator[tuple[slice, list[NDArray]]]:
    """Yield two uniforms of [0, 1) for each site of a slab, a few rows (rows, Ly) at a time."""
    width = slab.lattice.shape[1]
    height = max(1, AT_ONCE // width)
    for begin in range(0, slab.rows, height):
        end = min(begin + height, slab.rows)
        site, count = slab.first_site + begin * width, (end - begin) * width
        drawn = (
            device.draw_uniforms(configuration.run.seed, stream, number, site, count)
            for number in range(2)
        )
        yield slice(begin, end), [one.reshape(-1, width) for one in drawn]


def _kernel(configuration: Configuration, fft: Transform) -> Iterator[tuple[slice, Modes]]:
    """Yield the response to an event at constant stress, a few columns (ky, Lx) at a time."""
    qx, qy = wavevectors(fft)
    height = max(1, AT_ONCE // qx.size)
    for first in range(0, len(qy), height):
        some = slice(first, first + height)
        symbol = configuration.propagator.symbol
        yield some, stress_propagator(qx, qy[some], symbol, 1.0, "stress")


def stationary_direction(
    configuration: Configuration, slab: Slab, device: Device
) -> NDArray[np.int8]:
    """Return the stationary state of the random model: each site active with probability a.

    Returns
    -------
    int8 array, shape (rows, Ly)
        0 inactive, +1 or -1 active; both directions equally likely.
    """
    direction = np.empty(slab.shape, np.int8)
    draws = _draws(configuration, slab, device, randomness.INITIAL_ACTIVITY)
    for some, (active, aside) in draws:
        sign = np.where(aside < 0.5, np.int8(1), np.int8(-1))
        direction[some] = np.where(active < configuration.model.activity, sign, np.int8(0))
    return direction
