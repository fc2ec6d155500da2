"""Elasticity, Eq. (1): the stress and the displacement that plastic events cause everywhere.

The convolutions of the local plastic strain rate with the kernels of `propagators`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from epmpi.config import Configuration
from epmpi.physics.propagators import (
    Modes,
    active_strain,
    oriented_propagators,
    spline_filter,
    stream_propagator,
    stress_propagator,
)
from epmpi.spectral import Convolution, Kernel, Transform


def wavevectors(fft: Transform) -> tuple[Modes, Modes]:
    """Return qx, shape (1, Lx), and qy, (ky, 1), of a transform's local spectrum."""
    length, width = fft.lattice.shape
    return 2 * np.pi * fft.kx / length, 2 * np.pi * fft.ky / width


def _of_wavenumbers(fft: Transform, propagator: Callable[[Modes, Modes], Modes]) -> Kernel:
    """Return a function of wavevectors as one of wavenumbers."""
    length, width = fft.lattice.shape
    return lambda kx, ky: propagator(2 * np.pi * kx / length, 2 * np.pi * ky / width)


def flow_kernels(
    fft: Transform, interpolation: str, rate: float = 1.0
) -> tuple[list[Kernel], list[bool], tuple[int, int]]:
    """Return the kernels of the flow that tracers follow, for unit plastic strain times `rate`.

    Returns
    -------
    kernels : list of Kernel
        The two components of the displacement; or, for the interpolation "stream", the B-spline
        coefficients of the stream function.
    imaginary : list of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond its slab that the interpolation reads, at midpoints up to a row away from it.
    """
    if interpolation == "stream":
        coefficients = _of_wavenumbers(
            fft, lambda qx, qy: rate * (stream_propagator(qx, qy) * spline_filter(qx, qy))
        )
        return [coefficients], [False], (2, 3)
    components = [
        _of_wavenumbers(fft, lambda qx, qy: rate * (qy * stream_propagator(qx, qy))),
        _of_wavenumbers(fft, lambda qx, qy: rate * (-qx * stream_propagator(qx, qy))),
    ]
    return components, [True, True], (1, 2)


def elastic_kernels(
    configuration: Configuration, fft: Transform, *, with_flow: bool
) -> tuple[list[Kernel], list[bool], tuple[int, int]]:
    """Return the kernels from n s to the stress rate and, with it, the flow.

    A site strains at the rate ``n s eps0 / (2 tau)``; its stress response is ``2 mu G *`` that, by
    Eq. (1).

    Returns
    -------
    kernels : list of Kernel
        1 + those of the flow.
    imaginary : list of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond its slab that the tracers read.
    """
    model, propagator = configuration.model, configuration.propagator
    strain_rate = active_strain(model.event_strain, model.relaxation_time)
    factor = 2.0 * model.shear_modulus * strain_rate

    def stress(qx: Modes, qy: Modes) -> Modes:
        return factor * stress_propagator(
            qx, qy, propagator.symbol, propagator.prefactor, propagator.macroscopic
        )

    kernels = [_of_wavenumbers(fft, stress)]
    imaginary, halo = [False], (0, 0)
    if with_flow:
        flow, of_flow, halo = flow_kernels(fft, configuration.tracers.interpolation, strain_rate)
        kernels, imaginary = kernels + flow, imaginary + of_flow
    return kernels, imaginary, halo


class ElasticResponse:
    """The stress rate, and the flow, that the yielding sites cause; see `elastic_kernels`.

    Parameters
    ----------
    with_flow : bool
        Whether to compute the velocity (or the stream function, for the interpolation "stream")
        too.

    Attributes
    ----------
    convolution : Convolution
        Of n s with [stress rate, flow...].
    flow_fields : range
        Which of its responses are the flow.
    """

    STRESS_RATE = 0

    def __init__(self, configuration: Configuration, fft: Transform, *, with_flow: bool) -> None:
        kernels = elastic_kernels(configuration, fft, with_flow=with_flow)
        self.convolution: Convolution = fft.convolution(*kernels)
        self.flow_fields = range(1, self.convolution.count)


def stress_responses(configuration: Configuration, fft: Transform) -> list[Convolution]:
    """Return the convolutions whose sum is the stress rate, each of a source of its own.

    One, of n s, as in `ElasticResponse`; or, for events of random orientation, of
    n s, of n s cos 4 psi, and of n s sin 4 psi.
    """
    model, propagator = configuration.model, configuration.propagator
    if model.orientation == "fixed":
        return [ElasticResponse(configuration, fft, with_flow=False).convolution]
    factor = 2.0 * model.shear_modulus * active_strain(model.event_strain, model.relaxation_time)

    def part(number: int) -> Kernel:
        return _of_wavenumbers(
            fft,
            lambda qx, qy: (
                factor
                * oriented_propagators(
                    qx, qy, propagator.symbol, propagator.prefactor, propagator.macroscopic
                )[number]
            ),
        )

    return [fft.convolution([part(number)], [False], (0, 0)) for number in range(3)]


def accumulated_flow(configuration: Configuration, fft: Transform) -> Convolution:
    """Return the convolution of a plastic strain increment with the displacement it causes.

    For tracers that move every few steps: the displacement is linear in the strain accumulated.
    """
    return fft.convolution(*flow_kernels(fft, configuration.tracers.interpolation))
