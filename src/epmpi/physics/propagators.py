"""The propagators of an elastic medium: what a plastic strain does everywhere, in Fourier space.

Plain functions of the wavevectors ``q = 2 pi k / L``, with -pi <= q <= pi, for the run and for the
analysis.  `qx` and `qy` are arrays that broadcast to the layout of the spectrum, the result's too
(Picard, Ajdari, Lequeux and Bocquet, Eur. Phys. J. E 15, 371, 2004).  Far from an event,
``G -> cos(4 theta) / (pi r^2)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Modes = NDArray[np.floating]  # one number a mode
NYQUIST = np.pi * (1.0 - 1e-9)  # the mode below lies 2 pi / L lower


def continuum(qx: Modes, qy: Modes) -> tuple[Modes, Modes]:
    """Return qx^2 and qy^2."""
    return qx**2, qy**2


def lattice(qx: Modes, qy: Modes) -> tuple[Modes, Modes]:
    """Return what second differences on the lattice put in their place, 2 - 2 cos q."""
    return 2 - 2 * np.cos(qx), 2 - 2 * np.cos(qy)


# What stands for qx^2 and qy^2 in the stress, by the word of the configuration.
SYMBOLS: dict[str, Callable[[Modes, Modes], tuple[Modes, Modes]]] = {
    "continuum": continuum,
    "lattice": lattice,
}


def stress_propagator(
    qx: Modes, qy: Modes, symbol: str, prefactor: float, macroscopic: str
) -> Modes:
    """Return G(q), the stress response of Eq. (1): real, even.

    ``G(q) = -4 qx^2 qy^2 / q^4`` times `prefactor` for q != 0; ``G(0) = -1`` when the macroscopic
    strain is held, 0 when the stress is.  Symbol and macroscopic as in the configuration.
    """
    x2, y2 = SYMBOLS[symbol](qx, qy)
    q4 = (x2 + y2) ** 2
    at_zero = q4 == 0.0
    propagator = -4.0 * prefactor * x2 * y2 / np.where(at_zero, 1.0, q4)
    return np.where(at_zero, -1.0 if macroscopic == "strain" else 0.0, propagator)


def stream_propagator(qx: Modes, qy: Modes) -> Modes:
    """Return psi(q) for eps_pl(q) = 1: the stream function of the displacement, real, even.

    ``psi = -2 (qy^2 - qx^2) / q^4``, with ``u = (d_y psi, -d_x psi)``; 0 at q = 0 and at Nyquist
    modes, which have no real counterpart in an odd kernel.
    """
    x2, y2 = qx**2, qy**2
    q4 = (x2 + y2) ** 2
    wanted = (q4 > 0.0) & (np.abs(qx) < NYQUIST) & (np.abs(qy) < NYQUIST)
    return np.where(wanted, -2.0 * (y2 - x2) / np.where(q4 > 0.0, q4, 1.0), 0.0)


def displacement_propagator(qx: Modes, qy: Modes) -> Modes:
    """Return u(q) / i for eps_pl(q) = 1, shape (2, modes...): real, odd.

    ``u(q) = i (qy, -qx) psi(q) = -2i / q^4 (qy (qy^2 - qx^2), qx (qx^2 - qy^2))``: the displacement
    of an incompressible medium, divergence-free.
    """
    psi = stream_propagator(qx, qy)
    return np.stack([qy * psi, -qx * psi])


def spline_filter(qx: Modes, qy: Modes) -> Modes:
    """Return what turns values at sites into the coefficients of their cubic B-spline interpolant.

    The B-spline's values at the sites are 1/6, 2/3, 1/6, hence ``3 / (2 + cos q)`` a direction.
    """
    return 9.0 / ((2.0 + np.cos(qx)) * (2.0 + np.cos(qy)))


def active_strain(event_strain: float, relaxation_time: float, time: float = 1.0) -> float:
    """Return the plastic strain of an active site in a time, ``eps0 time / (2 tau)`` of Eq. (1).

    By default its rate.
    """
    return event_strain * time / (2.0 * relaxation_time)
