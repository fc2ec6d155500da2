"""The propagators of an elastic medium: the response to a plastic strain, in Fourier space.

Plain functions of the wavevectors ``q = 2 pi k / L``, with -pi <= q <= pi, for the run and for the
analysis (Picard, Ajdari, Lequeux and Bocquet, Eur. Phys. J. E 15, 371, 2004).  `qx` and `qy`
broadcast to the shape of the result.  Far from an event, ``G -> cos(4 theta) / (pi r^2)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Modes = NDArray[np.floating]  # a number for each mode
NYQUIST = np.pi * (1.0 - 1e-9)  # the next lower mode is 2 pi / L away


def continuum(qx: Modes, qy: Modes) -> tuple[Modes, Modes]:
    """Return qx^2 and qy^2."""
    return qx**2, qy**2


def lattice(qx: Modes, qy: Modes) -> tuple[Modes, Modes]:
    """Return 2 - 2 cos q for both, the symbols of second differences on the lattice."""
    return 2 - 2 * np.cos(qx), 2 - 2 * np.cos(qy)


# The symbols of qx^2 and qy^2 in the stress propagator, by the value of `propagator.symbol`.
SYMBOLS: dict[str, Callable[[Modes, Modes], tuple[Modes, Modes]]] = {
    "continuum": continuum,
    "lattice": lattice,
}


def stress_propagator(
    qx: Modes, qy: Modes, symbol: str, prefactor: float, macroscopic: str
) -> Modes:
    """Return G(q), the stress response of Eq. (1): real, even.

    ``G(q) = -4 qx^2 qy^2 / q^4`` times `prefactor` for q != 0; ``G(0) = -1`` at fixed macroscopic
    strain, 0 at fixed macroscopic stress.  `symbol` and `macroscopic` as in the configuration.
    """
    x2, y2 = SYMBOLS[symbol](qx, qy)
    q4 = (x2 + y2) ** 2
    at_zero = q4 == 0.0
    propagator = -4.0 * prefactor * x2 * y2 / np.where(at_zero, 1.0, q4)
    return np.where(at_zero, -1.0 if macroscopic == "strain" else 0.0, propagator)


def oriented_propagators(
    qx: Modes, qy: Modes, symbol: str, prefactor: float, macroscopic: str
) -> Modes:
    """Return the parts of the stress response to an event of any orientation; (3, modes...).

    ``G(q) = -(1 - cos 4 (phi - psi)) / 2`` times `prefactor`, with phi the angle of q and psi that
    of the event: the first part is ``-1/2``, the others go with ``cos 4 psi`` and ``sin 4 psi`` and
    are ``cos(4 phi) / 2`` and ``sin(4 phi) / 2``.  At psi = 0 it is `stress_propagator`.  Real,
    even; ``sin 4 phi`` is 0 at Nyquist modes, where it would not be.  At q = 0 the first is that of
    `stress_propagator`, the others are 0.
    """
    x2, y2 = SYMBOLS[symbol](qx, qy)
    q4 = (x2 + y2) ** 2
    at_zero = q4 == 0.0
    q4 = np.where(at_zero, 1.0, q4)
    nyquist = (np.abs(qx) > NYQUIST) | (np.abs(qy) > NYQUIST)
    cosine = 1.0 - 8.0 * x2 * y2 / q4
    sine = 4.0 * np.sign(qx * qy) * np.sqrt(x2 * y2) * (x2 - y2) / q4
    zero_mode = -1.0 if macroscopic == "strain" else 0.0
    return np.stack(
        [
            np.where(at_zero, zero_mode, -0.5 * prefactor),
            np.where(at_zero, 0.0, 0.5 * prefactor * cosine),
            np.where(at_zero | nyquist, 0.0, 0.5 * prefactor * sine),
        ]
    )


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
    """Return the filter from values at sites to coefficients of their cubic B-spline interpolant.

    The B-spline has the values 1/6, 2/3, 1/6 at sites, hence ``3 / (2 + cos q)`` per direction.
    """
    return 9.0 / ((2.0 + np.cos(qx)) * (2.0 + np.cos(qy)))


def active_strain(event_strain: float, relaxation_time: float, time: float = 1.0) -> float:
    """Return the plastic strain of an active site in a time, ``eps0 time / (2 tau)`` of Eq. (1).

    By default in unit time: the strain rate.
    """
    return event_strain * time / (2.0 * relaxation_time)


def parity(kernel: Iterable[NDArray]) -> float:
    """Return 1 for a kernel that is even in kx, -1 for an odd one.

    Parameters
    ----------
    kernel : arrays, shape (some ky, Lx)
        Its columns, a few at a time.

    Raises
    ------
    ValueError
        If it is neither.
    """
    even = odd = True
    for columns in kernel:
        mirrored = columns[:, -np.arange(columns.shape[1]) % columns.shape[1]]
        even = even and np.array_equal(columns, mirrored)
        odd = odd and np.array_equal(columns, -mirrored)
    if even or odd:
        return 1.0 if even else -1.0
    raise ValueError("a kernel is neither even nor odd in kx, expected one or the other")
