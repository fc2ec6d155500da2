"""Elastic response to plastic strain, for the maps: displacement and stress change.

This is the analysis' own short form of the kernels, with `numpy.fft` on the whole lattice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.reading import RunFile


@dataclass(frozen=True)
class Medium:
    """What the response of a run's medium depends on; defaults are those of the model."""

    shear_modulus: float = 1.0
    symbol: str = "continuum"
    macroscopic: str = "strain"
    prefactor: float = 1.0
    relaxation_time: float = 1.0
    event_strain: float = 1.0

    @classmethod
    def of(cls, run: RunFile) -> Medium:
        """Return the medium that a run file states."""
        values = {
            "shear_modulus": run.parameter("model", "shear_modulus"),
            "relaxation_time": run.parameter("model", "relaxation_time"),
            "event_strain": run.parameter("model", "event_strain"),
            "symbol": run.parameter("propagator", "symbol"),
            "macroscopic": run.parameter("propagator", "macroscopic"),
            "prefactor": run.parameter("propagator", "prefactor"),
        }
        return cls(**{key: value for key, value in values.items() if value is not None})

    def strain_rate(self, active: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return d(eps_pl)/dt = n s eps0 / (2 tau) from `active` = n s, in 1/tau."""
        return active * (self.event_strain / (2 * self.relaxation_time))


def displacement(plastic_strain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the displacement of an incompressible medium to plastic strain on the lattice.

    u(q) = -2i eps_pl(q)/q^4 (qy (qy^2 - qx^2), qx (qx^2 - qy^2)), u(q=0) = 0; Nyquist rows and
    columns vanish, for this odd kernel has no real value there.  G. Picard et al., Eur. Phys. J. E
    15, 371 (2004).

    Parameters
    ----------
    plastic_strain : array, shape (Lx, Ly)
        Or its rate: the map is linear, and gives the velocity then.

    Returns
    -------
    array of float64, shape (2, Lx, Ly)
        (ux, uy) in lattice spacings.
    """
    shape = plastic_strain.shape
    qx, qy, square = _wavevectors(shape)
    kernel = -2j / square**2 * np.stack([qy * (qy**2 - qx**2), qx * (qx**2 - qy**2)])
    if shape[0] % 2 == 0:
        kernel[:, shape[0] // 2, :] = 0
    if shape[1] % 2 == 0:
        kernel[:, :, shape[1] // 2] = 0
    kernel[:, 0, 0] = 0
    return np.fft.irfft2(kernel * np.fft.rfft2(plastic_strain), s=shape)


def stress_change(plastic_strain: NDArray[np.float64], medium: Medium) -> NDArray[np.float64]:
    """Return 2 mu (G * eps_pl), the stress that plastic strain adds, shape (Lx, Ly).

    G(q) = -4 qx^2 qy^2/q^4 times the prefactor; G(0) = -1 where the macroscopic strain is held,
    0 where the stress is.  The lattice symbol replaces qi^2 by 2 - 2 cos qi.
    """
    qx, qy, square = _wavevectors(plastic_strain.shape)
    if medium.symbol == "lattice":
        square_x, square_y = 2 - 2 * np.cos(qx), 2 - 2 * np.cos(qy)
        square = square_x + square_y
        square[0, 0] = 1.0
    else:
        square_x, square_y = qx**2, qy**2
    propagator = -4 * medium.prefactor * square_x * square_y / square**2
    propagator[0, 0] = -1.0 if medium.macroscopic == "strain" else 0.0
    spectrum = propagator * np.fft.rfft2(plastic_strain)
    return 2 * medium.shear_modulus * np.fft.irfft2(spectrum, s=plastic_strain.shape)


def _wavevectors(shape: tuple[int, ...]) -> tuple[NDArray, NDArray, NDArray]:
    """Return qx, qy and q^2 of the half spectrum, with q^2 = 1 in place of 0."""
    qx = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    qy = 2 * np.pi * np.fft.rfftfreq(shape[1])[None, :]
    square = qx**2 + qy**2
    square[0, 0] = 1.0
    return qx, qy, square
