"""The same step as a competent user of NumPy and SciPy would write it: the yardstick of the shelf.

Whole arrays, one thread, two-dimensional transforms of scipy.fft, a generator with a state.
"""

from __future__ import annotations

import time

import numpy as np
import scipy.fft
from scipy.ndimage import map_coordinates


class NumpyModel:
    """The thermal model on one core, with bilinear tracers.

    Parameters
    ----------
    length : int
        L, of a square lattice.
    temperature, time_step : float
    tracers : int

    Attributes
    ----------
    stress : float64 array, shape (L, L)
    active : float64 array, shape (L, L)
        n s.
    position : float64 array, shape (2, tracers)
    """

    def __init__(self, length: int, temperature: float, time_step: float, tracers: int) -> None:
        self.temperature, self.time_step = temperature, time_step
        self.random = np.random.default_rng(1)
        self.stress, self.active = np.zeros((2, length, length))
        self.position = self.random.uniform(0, length, (2, tracers))
        qx = 2 * np.pi * scipy.fft.fftfreq(length)[:, None]
        qy = 2 * np.pi * scipy.fft.rfftfreq(length)[None, :]
        square = qx**2 + qy**2
        square[0, 0] = 1.0
        self.propagator = -4 * qx**2 * qy**2 / square**2
        self.propagator[0, 0] = -1.0  # the macroscopic strain is held
        inside = (abs(qx) < np.pi) & (qy < np.pi)
        self.velocity_x = np.where(inside, -1j * qy * (qy**2 - qx**2) / square**2, 0)
        self.velocity_y = np.where(inside, -1j * qx * (qx**2 - qy**2) / square**2, 0)

    def step(self) -> None:
        """Advance by one time step: elastic response, stress, tracers, then the rule (Eq. 2)."""
        spectrum = scipy.fft.rfft2(self.active)
        shape = self.stress.shape
        self.stress += self.time_step * scipy.fft.irfft2(self.propagator * spectrum, shape)
        if self.position.size:
            for axis, kernel in enumerate((self.velocity_x, self.velocity_y)):
                velocity = scipy.fft.irfft2(kernel * spectrum, shape)
                at = map_coordinates(velocity, self.position, order=1, mode="grid-wrap")
                self.position[axis] += self.time_step * at
        draw = self.random.random(shape)
        barrier = (1 - self.stress**2) / (2 * self.temperature)
        rate = np.exp(-np.maximum(barrier, 0))
        relaxed = -np.expm1(-(rate + 1) * self.time_step) / (rate + 1)
        yielding = self.active != 0
        begins = ~yielding & (draw < rate * relaxed)
        self.active[yielding & (draw < relaxed)] = 0
        self.active[begins] = np.sign(self.stress[begins])
        drawn = begins & (self.stress == 0)
        self.active[drawn] = self.random.choice((-1, 1), np.count_nonzero(drawn))


class NumpyPeer:
    """Times `NumpyModel`, which is kept from one round to the next."""

    def __init__(self) -> None:
        self._models: dict[tuple, NumpyModel] = {}

    def step_seconds(
        self, length: int, temperature: float, time_step: float, steps: int, warm: int, tracers: int
    ) -> tuple[float, float]:
        """Return seconds a step and the activity, after `warm` steps once."""
        key = length, temperature, time_step, tracers
        if key not in self._models:
            self._models = {key: NumpyModel(*key)}
            for _ in range(warm):
                self._models[key].step()
        model = self._models[key]
        start = time.perf_counter()
        for _ in range(steps):
            model.step()
        seconds = (time.perf_counter() - start) / steps
        return seconds, float(np.mean(model.active != 0))
