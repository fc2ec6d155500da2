"""Elasticity, Eq. (1): the stress and the displacement that plastic events cause everywhere.

The propagators in Fourier space, with ``q = 2 pi k / L`` (Picard, Ajdari, Lequeux and Bocquet, Eur.
Phys. J. E 15, 371, 2004), and the response to the local plastic strain rate.  Far from an event,
``G -> cos(4 theta) / (pi r^2)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.lattice import is_nyquist
from epmpi.spectral import Convolution, Transform


@dataclass(frozen=True)
class Modes:
    """The modes of a spectrum: wavevectors that broadcast to the spectrum's layout.

    Attributes
    ----------
    qx, qy : float arrays
        Continuum wavevectors 2 pi k / L.
    symbol_x, symbol_y : float arrays
        What stands for qx^2 and qy^2 in the stress: the squares, or 2 - 2 cos q on the lattice.
    paired : bool array
        False at the Nyquist modes, which have no real counterpart in an odd kernel.
    """

    qx: NDArray[np.float64]
    qy: NDArray[np.float64]
    symbol_x: NDArray[np.float64]
    symbol_y: NDArray[np.float64]
    paired: NDArray[np.bool_]

    @classmethod
    def of(cls, fft: Transform, symbol: str = "continuum") -> Modes:
        """Return the modes of a transform's local spectrum; `symbol` as in the configuration."""
        length, width = fft.lattice.shape
        qx, qy = 2 * np.pi * fft.kx / length, 2 * np.pi * fft.ky / width
        paired = ~(is_nyquist(fft.kx, length) | is_nyquist(fft.ky, width))
        if symbol == "lattice":
            return cls(qx, qy, 2 - 2 * np.cos(qx), 2 - 2 * np.cos(qy), paired)
        return cls(qx, qy, qx**2, qy**2, paired)


def stress_propagator(modes: Modes, prefactor: float, macroscopic: str) -> NDArray[np.float64]:
    """Return G(q), the stress response of Eq. (1): real, even.

    ``G(q) = -4 qx^2 qy^2 / q^4`` times `prefactor` for q != 0; ``G(0) = -1`` when the macroscopic
    strain is held, 0 when the stress is.

    Returns
    -------
    float64 array
        Over the modes.
    """
    x2, y2 = modes.symbol_x, modes.symbol_y
    q4 = (x2 + y2) ** 2
    at_zero = q4 == 0.0
    propagator = -4.0 * prefactor * x2 * y2 / np.where(at_zero, 1.0, q4)
    return np.where(at_zero, -1.0 if macroscopic == "strain" else 0.0, propagator)


def stream_propagator(modes: Modes) -> NDArray[np.float64]:
    """Return psi(q) for eps_pl(q) = 1: the stream function of the displacement, real, even.

    ``psi = -2 (qy^2 - qx^2) / q^4``, with ``u = (d_y psi, -d_x psi)``; 0 at q = 0 and at Nyquist
    modes.
    """
    x2, y2 = modes.qx**2, modes.qy**2
    q4 = (x2 + y2) ** 2
    wanted = (q4 > 0.0) & modes.paired
    return np.where(wanted, -2.0 * (y2 - x2) / np.where(q4 > 0.0, q4, 1.0), 0.0)


def displacement_propagator(modes: Modes) -> NDArray[np.float64]:
    """Return u(q) / i for eps_pl(q) = 1, shape (2, modes...): real, odd.

    ``u(q) = i (qy, -qx) psi(q) = -2i / q^4 (qy (qy^2 - qx^2), qx (qx^2 - qy^2))``: the displacement
    of an incompressible medium, divergence-free.
    """
    psi = stream_propagator(modes)
    return np.stack([modes.qy * psi, -modes.qx * psi])


def spline_filter(modes: Modes) -> NDArray[np.float64]:
    """Return what turns values at sites into the coefficients of their cubic B-spline interpolant.

    The B-spline's values at the sites are 1/6, 2/3, 1/6, hence ``3 / (2 + cos q)`` a direction.
    """
    return 9.0 / ((2.0 + np.cos(modes.qx)) * (2.0 + np.cos(modes.qy)))


def flow_kernels(
    fft: Transform, interpolation: str
) -> tuple[NDArray[np.float64], bool, tuple[int, int]]:
    """Return what tracers follow, for unit plastic strain.

    Returns
    -------
    kernels : float64 array, shape (fields, ky, Lx)
        The two components of the displacement; or, for the interpolation "stream", the B-spline
        coefficients of the stream function.
    odd : bool
        Whether the kernels are to be multiplied by i.
    halo : (before, after)
        Rows beyond its slab that the interpolation reads.
    """
    modes = Modes.of(fft)
    if interpolation == "stream":
        return (stream_propagator(modes) * spline_filter(modes))[None], False, (1, 2)
    return displacement_propagator(modes), True, (0, 1)


def elastic_kernels(
    configuration: Configuration, fft: Transform, *, with_flow: bool
) -> tuple[NDArray[np.float64], list[bool], tuple[int, int]]:
    """Return the kernels from directions n s to the stress rate and, with it, the flow.

    A site strains at the rate ``n s eps0 / (2 tau)``; its stress response is ``2 mu G *`` that, by
    Eq. (1).

    Returns
    -------
    kernels : float64 array, shape (1 + fields of the flow, ky, Lx)
    imaginary : list of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond its slab that the tracers read.
    """
    model, propagator = configuration.model, configuration.propagator
    strain_rate = model.event_strain / (2.0 * model.relaxation_time)
    modes = Modes.of(fft, propagator.symbol)
    stress = stress_propagator(modes, propagator.prefactor, propagator.macroscopic)
    kernels = [2.0 * model.shear_modulus * strain_rate * stress]
    imaginary, halo = [False], (0, 0)
    if with_flow:
        flow, odd, halo = flow_kernels(fft, configuration.tracers.interpolation)
        kernels += [strain_rate * kernel for kernel in flow]
        imaginary += [odd] * len(flow)
    return np.stack(kernels), imaginary, halo


class ElasticResponse:
    """The stress rate, and the flow, that the yielding sites cause; see `elastic_kernels`.

    Parameters
    ----------
    configuration : Configuration
    fft : Transform
    with_flow : bool
        Whether the velocity (or the stream function, for the interpolation "stream") is wanted in
        each step beside the stress rate.

    Attributes
    ----------
    convolution : Convolution
        Of the directions n s with [stress rate, flow...].
    flow_fields : range
        Which of its responses are the flow.
    """

    STRESS_RATE = 0

    def __init__(self, configuration: Configuration, fft: Transform, *, with_flow: bool) -> None:
        kernels, imaginary, halo = elastic_kernels(configuration, fft, with_flow=with_flow)
        self.convolution: Convolution = fft.convolution(kernels, imaginary, halo)
        self.flow_fields = range(1, len(kernels))


def accumulated_flow(configuration: Configuration, fft: Transform) -> Convolution:
    """Return the convolution of a plastic strain increment with the displacement it causes.

    For tracers that move every few steps: the displacement is linear in the strain accumulated.
    """
    kernels, odd, halo = flow_kernels(fft, configuration.tracers.interpolation)
    return fft.convolution(kernels, [odd] * len(kernels), halo)
