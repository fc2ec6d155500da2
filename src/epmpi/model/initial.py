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

COLUMN_MODES = 1 << 22  # that are worked on at a time


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
    count = slab.rows * slab.lattice.shape[1]
    seed, stream, first = configuration.run.seed, randomness.INITIAL_STRESS, slab.first_site
    radius = fft.device.draw_uniforms(seed, stream, 0, first, count)
    angle = fft.device.draw_uniforms(seed, stream, 1, first, count)
    normal = np.sqrt(-2.0 * np.log1p(-radius)) * np.cos(2.0 * np.pi * angle)
    field = (initial.stress_deviation * normal).reshape(slab.shape).astype(fft.dtype)
    field = fft.device.asarray(field)
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


def _kernel(configuration: Configuration, fft: Transform) -> Iterator[tuple[slice, Modes]]:
    """Yield the response to an event at constant stress, a few columns (ky, Lx) at a time."""
    qx, qy = wavevectors(fft)
    height = max(1, COLUMN_MODES // qx.size)
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
    seed, count = configuration.run.seed, slab.rows * slab.lattice.shape[1]
    first = slab.first_site
    active = device.draw_uniforms(seed, randomness.INITIAL_ACTIVITY, 0, first, count)
    aside = device.draw_uniforms(seed, randomness.INITIAL_ACTIVITY, 1, first, count)
    sign = np.where(aside < 0.5, np.int8(1), np.int8(-1))
    return np.where(active < configuration.model.activity, sign, np.int8(0)).reshape(slab.shape)
