"""Elasticity, Eq. (1): the stress and the displacement that plastic events cause everywhere.

The convolutions of the local plastic strain rate with the kernels of `propagators`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.physics.propagators import (
    Modes,
    active_strain,
    displacement_propagator,
    spline_filter,
    stream_propagator,
    stress_propagator,
)
from epmpi.spectral import Convolution, Transform


def wavevectors(fft: Transform) -> tuple[Modes, Modes]:
    """Return qx, shape (1, Lx), and qy, (ky, 1), of a transform's local spectrum."""
    length, width = fft.lattice.shape
    return 2 * np.pi * fft.kx / length, 2 * np.pi * fft.ky / width


def flow_kernels(fft: Transform, interpolation: str) -> tuple[Modes, bool, tuple[int, int]]:
    """Return what tracers follow, for unit plastic strain.

    Returns
    -------
    kernels : float64 array, shape (fields, ky, Lx)
        The two components of the displacement; or, for the interpolation "stream", the B-spline
        coefficients of the stream function.
    odd : bool
        Whether the kernels are to be multiplied by i.
    halo : (before, after)
        Rows beyond its slab that the interpolation reads, within a row of the slab: the midpoints
        of paths.
    """
    q = wavevectors(fft)
    if interpolation == "stream":
        return (stream_propagator(*q) * spline_filter(*q))[None], False, (2, 3)
    return displacement_propagator(*q), True, (1, 2)


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
    strain_rate = active_strain(model.event_strain, model.relaxation_time)
    stress = stress_propagator(
        *wavevectors(fft), propagator.symbol, propagator.prefactor, propagator.macroscopic
    )
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
