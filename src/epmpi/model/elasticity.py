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


def _stress_kernel(
    configuration: Configuration,
    fft: Transform,
    propagator: Callable[..., Modes] = stress_propagator,
) -> Kernel:
    """Return the kernel from n s to the stress rate."""
    model, of = configuration.model, configuration.propagator
    factor = 2.0 * model.shear_modulus * active_strain(model.event_strain, model.relaxation_time)
    return _of_wavenumbers(
        fft,
        lambda qx, qy: factor * propagator(qx, qy, of.symbol, of.prefactor, of.macroscopic),
    )


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
    model = configuration.model
    kernels = [_stress_kernel(configuration, fft)]
    imaginary, halo = [False], (0, 0)
    if with_flow:
        strain_rate = active_strain(model.event_strain, model.relaxation_time)
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
    parts: list[Callable[..., Modes]] = [stress_propagator]
    if configuration.model.orientation == "random":
        parts = [
            lambda *of, number=number: oriented_propagators(*of)[number] for number in range(3)
        ]
    kernels = [_stress_kernel(configuration, fft, part) for part in parts]
    return [fft.convolution([kernel], [False], (0, 0)) for kernel in kernels]


def accumulated_flow(configuration: Configuration, fft: Transform) -> Convolution:
    """Return the convolution of a plastic strain increment with the displacement it causes.

    For tracers that move every few steps: the displacement is linear in the strain accumulated.
    """
    return fft.convolution(*flow_kernels(fft, configuration.tracers.interpolation))
