"""The response to the plastic strain rate: to a single event, and to strain that accumulates."""

import numpy as np
import pytest
from engines import apply_blockwise, every_engine, transform

from epmpi.config import from_mapping
from epmpi.model.elasticity import ElasticResponse, accumulated_flow, flow_kernels


def slow_displacement(shape, site, at):
    """Return u(at) for unit plastic strain at one site of an odd lattice, mode by mode."""
    u = np.zeros(2)
    for kx in range(-(shape[0] // 2), shape[0] // 2 + 1):
        for ky in range(-(shape[1] // 2), shape[1] // 2 + 1):
            if kx == ky == 0:
                continue
            qx, qy = 2 * np.pi * kx / shape[0], 2 * np.pi * ky / shape[1]
            kernel = np.array([qy * (qy**2 - qx**2), qx * (qx**2 - qy**2)])
            phase = np.exp(1j * (qx * (at[0] - site[0]) + qy * (at[1] - site[1])))
            u += (-2j * kernel / (qx**2 + qy**2) ** 2 * phase).real
    return u / (shape[0] * shape[1])


@pytest.mark.mpi
@every_engine
def test_response_to_one_event(comm, engine):
    """Rates ``2 mu G eps0 / (2 tau)`` of the stress, and the velocity, around an active site."""
    shape, site = (45, 75) if engine == "vector" else (7, 9), (4, 2)
    configuration = from_mapping(
        {
            "lattice": {"shape": shape},
            "model": {"shear_modulus": 1.5, "event_strain": 0.6, "relaxation_time": 2.0},
            "propagator": {"prefactor": 2.0, "macroscopic": "stress"},
            "tracers": {"number": 4},
        }
    )
    fft = transform(engine, shape, comm)
    response = ElasticResponse(configuration, fft, with_flow=True)
    source = np.zeros(shape)
    source[site] = -1.0
    apply_blockwise(response.convolution, source[fft.slab.start : fft.slab.stop])

    qx = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    qy = 2 * np.pi * np.fft.fftfreq(shape[1])[None, :]
    q4 = (qx**2 + qy**2) ** 2
    q4[0, 0] = 1.0
    expected = np.fft.ifft2(np.fft.fft2(source) * 2.0 * -4 * qx**2 * qy**2 / q4).real
    rate = response.convolution.response_block(response.STRESS_RATE, 0, 1)
    factor = 2 * 1.5 * 0.6 / (2 * 2.0)
    np.testing.assert_allclose(rate[0], factor * expected[fft.slab.start], atol=1e-14)

    velocity = np.empty((2, fft.slab.rows + 3, shape[1]))
    response.convolution.responses(response.flow_fields, velocity)
    for y in (0, 5):
        slow = -0.6 / (2 * 2.0) * slow_displacement(shape, site, (fft.slab.start, y))
        np.testing.assert_allclose(velocity[:, 1, y], slow, atol=1e-14)


@pytest.mark.mpi
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "stream"])
def test_accumulated_flow_is_the_displacement_of_a_strain(comm, interpolation):
    shape = (11, 14)
    configuration = from_mapping(
        {"lattice": {"shape": shape}, "tracers": {"number": 4, "interpolation": interpolation}}
    )
    fft = transform("numpy", shape, comm)
    strain = np.random.default_rng(2).standard_normal(shape)
    convolution = accumulated_flow(configuration, fft)
    apply_blockwise(convolution, strain[fft.slab.start : fft.slab.stop])
    alone = transform("numpy", shape, comm.Split(comm.rank))
    flow, imaginary, halo = flow_kernels(alone, interpolation)
    kernels = np.stack([kernel(alone.kx, alone.ky) for kernel in flow])
    assert convolution.halo == halo == ((2, 3) if interpolation == "stream" else (1, 2))
    assert len(kernels) == (1 if interpolation == "stream" else 2)
    factors = np.swapaxes(kernels, 1, 2) * (1j if imaginary[0] else 1.0)
    whole = np.fft.irfft2(np.fft.rfft2(strain) * factors, s=shape)
    flow = np.empty((len(kernels), fft.slab.rows + sum(halo), shape[1]))
    convolution.responses(range(len(kernels)), flow)
    x = np.arange(fft.slab.start - halo[0], fft.slab.stop + halo[1]) % shape[0]
    np.testing.assert_allclose(flow, whole[:, x], atol=1e-13)
