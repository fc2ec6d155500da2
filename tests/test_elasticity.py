"""The propagators against their exact results, and the response to a single event."""

import numpy as np
import pytest
from engines import apply_blockwise, every_engine, transform

from epmpi.config import from_mapping
from epmpi.elasticity import (
    ElasticResponse,
    Modes,
    accumulated_flow,
    displacement_propagator,
    flow_kernels,
    spline_filter,
    stream_propagator,
    stress_propagator,
)

SHAPES = [(16, 16), (7, 9), (8, 31), (14, 11)]


def in_real_space(kernel, shape):
    """Return an even kernel (ky, Lx) of all modes as a field (Lx, Ly)."""
    return np.fft.irfft2(kernel.T, s=shape)


def stress_field(comm, shape, symbol, prefactor=1.0, macroscopic="strain"):
    """Return G(r)."""
    modes = Modes.of(transform("numpy", shape, comm), symbol)
    return in_real_space(stress_propagator(modes, prefactor, macroscopic), shape)


@pytest.mark.parametrize(
    ("symbol", "values"),
    [("continuum", (-0.571, 0.079, -0.105)), ("lattice", (-0.637, 0.090, -0.090))],
)
def test_stress_at_the_event_and_its_neighbours(comm, symbol, values):
    """On site, nearest neighbour on the axis, diagonal neighbour, at L = 256."""
    field = stress_field(comm, (256, 256), symbol)
    assert (field[0, 0], field[1, 0], field[1, 1]) == pytest.approx(values, abs=5e-4)
    assert field[0, 1] == pytest.approx(field[1, 0], rel=1e-12)


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
@pytest.mark.parametrize(("macroscopic", "total"), [("strain", -1.0), ("stress", 0.0)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sum_over_the_lattice_is_the_zero_mode(comm, shape, symbol, macroscopic, total):
    for prefactor in (1.0, 2.0):
        field = stress_field(comm, shape, symbol, prefactor, macroscopic)
        assert field.sum() == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_axis_modes_vanish(comm, shape, symbol):
    """So the rows of G sum to G(q=0) / Lx each: events shear no line along an axis."""
    modes = Modes.of(transform("numpy", shape, comm), symbol)
    kernel = stress_propagator(modes, 1.0, "strain")
    assert kernel[0, 0] == -1.0
    assert not kernel[0, 1:].any()
    assert not kernel[1:, 0].any()
    field = in_real_space(kernel, shape)
    np.testing.assert_allclose(field.sum(axis=1), -1.0 / shape[0], atol=1e-13)
    np.testing.assert_allclose(field.sum(axis=0), -1.0 / shape[1], atol=1e-13)


def test_prefactor_multiplies_all_modes_but_the_zeroth(comm):
    modes = Modes.of(transform("numpy", (7, 10), comm))
    one, two = (stress_propagator(modes, prefactor, "strain") for prefactor in (1.0, 2.0))
    expected = 2.0 * one
    expected[0, 0] = -1.0
    np.testing.assert_array_equal(two, expected)


def test_far_field_of_the_lattice_symbol_in_all_directions(comm):
    x, y = np.meshgrid(np.arange(-40, 41), np.arange(-40, 41), indexing="ij")
    r = np.hypot(x, y)
    far = (r >= 16) & (r <= 40)
    field = stress_field(comm, (1024, 1024), "lattice")[x, y]
    expected = np.cos(4 * np.arctan2(y, x)) / np.pi
    np.testing.assert_allclose((r**2 * field)[far], expected[far], atol=0.004)


def test_far_field_of_the_continuum_symbol(comm):
    """Off the axes at every site; on an axis its zone-edge kink alternates and is averaged out."""
    field = stress_field(comm, (1024, 1024), "continuum")
    x, y = np.meshgrid(np.arange(-40, 41), np.arange(-40, 41), indexing="ij")
    r = np.hypot(x, y)
    far = (r >= 10) & (r <= 40) & (np.abs(x) > 2) & (np.abs(y) > 2)
    expected = np.cos(4 * np.arctan2(y, x)) / np.pi
    np.testing.assert_allclose((r**2 * field[x, y])[far], expected[far], atol=0.003)
    n = np.arange(16, 41)
    averaged = (field[n - 1, 0] + 2 * field[n, 0] + field[n + 1, 0]) / 4
    np.testing.assert_allclose(np.pi * n**2 * averaged, 1.0, atol=0.01)
    assert np.all(np.abs(np.pi * n**2 * field[n, 0] - 1.0) > 0.1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_displacement_has_no_divergence(comm, shape):
    modes = Modes.of(transform("numpy", shape, comm))
    along_x, along_y = displacement_propagator(modes)
    np.testing.assert_allclose(modes.qx * along_x + modes.qy * along_y, 0.0, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_displacement_gives_the_stress(comm, shape):
    """Mode by mode ``mu (d_x u_y + d_y u_x) - 2 mu eps = 2 mu G eps``, off Nyquist."""
    modes = Modes.of(transform("numpy", shape, comm))
    along_x, along_y = 1j * displacement_propagator(modes)
    strained = 1j * (modes.qx * along_y + modes.qy * along_x) - 2.0
    expected = 2.0 * stress_propagator(modes, 1.0, "strain")
    np.testing.assert_allclose(strained[modes.paired], expected[modes.paired], atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nyquist_modes_and_the_mean_do_not_move(comm, shape):
    fft = transform("numpy", shape, comm)
    modes = Modes.of(fft)
    nyquist = (2 * np.abs(fft.kx) == shape[0]) | (2 * fft.ky == shape[1])
    assert nyquist.any() == (shape[0] % 2 == 0 or shape[1] % 2 == 0)
    for kernel in (stream_propagator(modes), *displacement_propagator(modes)):
        assert not kernel[nyquist].any()
        assert kernel[0, 0] == 0.0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_displacement_is_the_curl_of_the_stream_function(comm, shape):
    """``u = (d_y psi, -d_x psi)``, by finite differences of a finely sampled psi."""
    modes = Modes.of(transform("numpy", shape, comm))
    psi, (along_x, along_y) = stream_propagator(modes), displacement_propagator(modes)
    shift = 1e-4
    difference_y = (np.exp(1j * modes.qy * shift) - np.exp(-1j * modes.qy * shift)) / (2 * shift)
    difference_x = (np.exp(1j * modes.qx * shift) - np.exp(-1j * modes.qx * shift)) / (2 * shift)
    np.testing.assert_allclose(difference_y * psi, 1j * along_x, atol=1e-7)
    np.testing.assert_allclose(-difference_x * psi, 1j * along_y, atol=1e-7)


def test_spline_filter_restores_the_values_at_the_sites(comm):
    shape = (7, 10)
    modes = Modes.of(transform("numpy", shape, comm))
    values = np.random.default_rng(1).standard_normal(shape)
    spectrum = np.fft.rfft2(values) * spline_filter(modes).T
    coefficients = np.fft.irfft2(spectrum, s=shape)
    for axis in (0, 1):
        neighbours = np.roll(coefficients, 1, axis) + np.roll(coefficients, -1, axis)
        coefficients = (4 * coefficients + neighbours) / 6
    np.testing.assert_allclose(coefficients, values, atol=1e-14)


@pytest.mark.parametrize("length", [64, 256, 512])
def test_velocity_variance_grows_with_the_logarithm_of_the_size(comm, length):
    """Exact result 4: S_L at sites, and weighted for bilinear tracers."""
    fft = transform("numpy", (length, length), comm)
    modes = Modes.of(fft)
    twice = np.where((fft.ky == 0) | (2 * fft.ky == length), 1.0, 2.0)
    power = twice * np.sum((displacement_propagator(modes) / 2) ** 2, axis=0)
    weight = (2 + np.cos(modes.qx)) * (2 + np.cos(modes.qy)) / 9
    logarithm = np.log(length) / (4 * np.pi)
    assert power.sum() / length**2 == pytest.approx(logarithm + 0.0126, abs=0.0015)
    assert (weight * power).sum() / length**2 == pytest.approx(logarithm - 0.034, abs=0.0006)


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

    velocity = np.empty((2, fft.slab.rows + 1, shape[1]))
    response.convolution.responses(response.flow_fields, velocity)
    for y in (0, 5):
        slow = -0.6 / (2 * 2.0) * slow_displacement(shape, site, (fft.slab.start, y))
        np.testing.assert_allclose(velocity[:, 0, y], slow, atol=1e-14)


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
    kernels, odd, halo = flow_kernels(
        transform("numpy", shape, comm.Split(comm.rank)), interpolation
    )
    assert convolution.halo == halo == ((1, 2) if interpolation == "stream" else (0, 1))
    assert len(kernels) == (1 if interpolation == "stream" else 2)
    factors = np.swapaxes(kernels, 1, 2) * (1j if odd else 1.0)
    whole = np.fft.irfft2(np.fft.rfft2(strain) * factors, s=shape)
    flow = np.empty((len(kernels), fft.slab.rows + sum(halo), shape[1]))
    convolution.responses(range(len(kernels)), flow)
    x = np.arange(fft.slab.start - halo[0], fft.slab.stop + halo[1]) % shape[0]
    np.testing.assert_allclose(flow, whole[:, x], atol=1e-13)
