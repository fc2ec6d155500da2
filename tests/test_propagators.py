"""The propagators against their exact results."""

import numpy as np
import pytest

from epmpi.physics.lattice import wavenumbers
from epmpi.physics.propagators import (
    active_strain,
    displacement_propagator,
    oriented_propagators,
    spline_filter,
    stream_propagator,
    stress_propagator,
)

SHAPES = [(16, 16), (7, 9), (8, 31), (14, 11)]


def modes(shape):
    """Return kx, shape (1, Lx), and ky, (Ly // 2 + 1, 1), as a run on one rank has them."""
    return wavenumbers(shape[0])[None, :], np.arange(shape[1] // 2 + 1)[:, None]


def wavevectors(shape):
    """Return qx and qy."""
    kx, ky = modes(shape)
    return 2 * np.pi * kx / shape[0], 2 * np.pi * ky / shape[1]


def nyquist(shape):
    """Tell which modes have no real counterpart in an odd kernel."""
    kx, ky = modes(shape)
    return (2 * np.abs(kx) == shape[0]) | (2 * np.abs(ky) == shape[1])


def in_real_space(kernel, shape):
    """Return an even kernel (ky, Lx) of all modes as a field (Lx, Ly)."""
    return np.fft.irfft2(kernel.T, s=shape)


def stress_field(shape, symbol, prefactor=1.0, macroscopic="strain"):
    """Return G(r)."""
    qx, qy = wavevectors(shape)
    return in_real_space(stress_propagator(qx, qy, symbol, prefactor, macroscopic), shape)


@pytest.mark.parametrize(
    ("symbol", "values"),
    [("continuum", (-0.571, 0.079, -0.105)), ("lattice", (-0.637, 0.090, -0.090))],
)
def test_stress_at_the_event_and_its_neighbours(symbol, values):
    """On site, nearest neighbour on the axis, diagonal neighbour, at L = 256."""
    field = stress_field((256, 256), symbol)
    assert (field[0, 0], field[1, 0], field[1, 1]) == pytest.approx(values, abs=5e-4)
    assert field[0, 1] == pytest.approx(field[1, 0], rel=1e-12)


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
@pytest.mark.parametrize(("macroscopic", "total"), [("strain", -1.0), ("stress", 0.0)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sum_over_the_lattice_is_the_zero_mode(shape, symbol, macroscopic, total):
    for prefactor in (1.0, 2.0):
        field = stress_field(shape, symbol, prefactor, macroscopic)
        assert field.sum() == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_axis_modes_vanish(shape, symbol):
    """So the rows of G sum to G(q=0) / Lx each: events shear no line along an axis."""
    kernel = stress_propagator(*wavevectors(shape), symbol, 1.0, "strain")
    assert kernel[0, 0] == -1.0
    assert not kernel[0, 1:].any()
    assert not kernel[1:, 0].any()
    field = in_real_space(kernel, shape)
    np.testing.assert_allclose(field.sum(axis=1), -1.0 / shape[0], atol=1e-13)
    np.testing.assert_allclose(field.sum(axis=0), -1.0 / shape[1], atol=1e-13)


@pytest.mark.parametrize("macroscopic", ["strain", "stress"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_oriented_event_has_the_propagator_turned(shape, macroscopic):
    """-(1 - cos 4 (phi - psi)) / 2, but at Nyquist modes; at psi = 0 that of all events."""
    q, factor = wavevectors(shape), 1.4
    inside = ~nyquist(shape)
    inside[0, 0] = False
    for symbol in ("continuum", "lattice"):
        parts = oriented_propagators(*q, symbol, factor, macroscopic)
        fixed = stress_propagator(*q, symbol, factor, macroscopic)
        np.testing.assert_allclose(parts[0] + parts[1], fixed, atol=1e-14)
        assert not parts[2][nyquist(shape)].any()
        components = q if symbol == "continuum" else [2 * np.sin(one / 2) for one in q]
        phi = np.arctan2(components[1], components[0])
        for psi in (0.1, -0.7, np.pi / 4):
            turned = parts[0] + parts[1] * np.cos(4 * psi) + parts[2] * np.sin(4 * psi)
            expected = -factor * (1 - np.cos(4 * (phi - psi))) / 2
            np.testing.assert_allclose(turned[inside], expected[inside], atol=1e-13)
            assert turned[0, 0] == fixed[0, 0]


def test_prefactor_multiplies_all_modes_but_the_zeroth():
    q = wavevectors((7, 10))
    one, two = (stress_propagator(*q, "continuum", factor, "strain") for factor in (1.0, 2.0))
    expected = 2.0 * one
    expected[0, 0] = -1.0
    np.testing.assert_array_equal(two, expected)


def test_far_field_of_the_lattice_symbol_in_all_directions():
    x, y = np.meshgrid(np.arange(-40, 41), np.arange(-40, 41), indexing="ij")
    r = np.hypot(x, y)
    far = (r >= 16) & (r <= 40)
    field = stress_field((1024, 1024), "lattice")[x, y]
    expected = np.cos(4 * np.arctan2(y, x)) / np.pi
    np.testing.assert_allclose((r**2 * field)[far], expected[far], atol=0.004)


def test_far_field_of_the_continuum_symbol():
    """Off the axes at every site; on an axis its zone-edge kink alternates and is averaged out."""
    field = stress_field((1024, 1024), "continuum")
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
def test_displacement_has_no_divergence(shape):
    qx, qy = wavevectors(shape)
    along_x, along_y = displacement_propagator(qx, qy)
    np.testing.assert_allclose(qx * along_x + qy * along_y, 0.0, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_displacement_gives_the_stress(shape):
    """Mode by mode ``mu (d_x u_y + d_y u_x) - 2 mu eps = 2 mu G eps``, off Nyquist."""
    qx, qy = wavevectors(shape)
    along_x, along_y = 1j * displacement_propagator(qx, qy)
    strained = 1j * (qx * along_y + qy * along_x) - 2.0
    expected = 2.0 * stress_propagator(qx, qy, "continuum", 1.0, "strain")
    paired = ~nyquist(shape)
    np.testing.assert_allclose(strained[paired], expected[paired], atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nyquist_modes_and_the_mean_do_not_move(shape):
    still, q = nyquist(shape), wavevectors(shape)
    assert still.any() == (shape[0] % 2 == 0 or shape[1] % 2 == 0)
    for kernel in (stream_propagator(*q), *displacement_propagator(*q)):
        assert not kernel[still].any()
        assert kernel[0, 0] == 0.0


@pytest.mark.parametrize("length", [*range(4, 300), 999, 1536, 10_000, 2**20 - 2, 2**20 - 1, 2**20])
def test_no_other_mode_is_still(length):
    """Whatever the rounding of 2 pi k / L; along one axis, beside a mode that moves."""
    k = wavenumbers(length)
    found = stream_propagator(2 * np.pi * k / length, np.array(0.1))
    np.testing.assert_array_equal(found == 0.0, 2 * np.abs(k) == length)
    np.testing.assert_array_equal(stream_propagator(np.array(0.1), 2 * np.pi * k / length), -found)


def test_an_active_site_strains_by_half_its_event_in_a_relaxation_time():
    assert active_strain(0.6, 2.0) == 0.15
    assert active_strain(0.6, 2.0, 2.0) == 0.3


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_displacement_is_the_curl_of_the_stream_function(shape):
    """``u = (d_y psi, -d_x psi)``, by finite differences of a finely sampled psi."""
    qx, qy = wavevectors(shape)
    psi, (along_x, along_y) = stream_propagator(qx, qy), displacement_propagator(qx, qy)
    shift = 1e-4
    difference_y = (np.exp(1j * qy * shift) - np.exp(-1j * qy * shift)) / (2 * shift)
    difference_x = (np.exp(1j * qx * shift) - np.exp(-1j * qx * shift)) / (2 * shift)
    np.testing.assert_allclose(difference_y * psi, 1j * along_x, atol=1e-7)
    np.testing.assert_allclose(-difference_x * psi, 1j * along_y, atol=1e-7)


def test_spline_filter_restores_the_values_at_the_sites():
    shape = (7, 10)
    qx, qy = wavevectors(shape)
    values = np.random.default_rng(1).standard_normal(shape)
    spectrum = np.fft.rfft2(values) * spline_filter(qx, qy).T
    coefficients = np.fft.irfft2(spectrum, s=shape)
    for axis in (0, 1):
        neighbours = np.roll(coefficients, 1, axis) + np.roll(coefficients, -1, axis)
        coefficients = (4 * coefficients + neighbours) / 6
    np.testing.assert_allclose(coefficients, values, atol=1e-14)


@pytest.mark.parametrize("length", [64, 256, 512])
def test_velocity_variance_grows_with_the_logarithm_of_the_size(length):
    """Exact result 4: S_L at sites, and weighted for bilinear tracers."""
    (_, ky), (qx, qy) = modes((length, length)), wavevectors((length, length))
    twice = np.where((ky == 0) | (2 * ky == length), 1.0, 2.0)
    power = twice * np.sum((displacement_propagator(qx, qy) / 2) ** 2, axis=0)
    weight = (2 + np.cos(qx)) * (2 + np.cos(qy)) / 9
    logarithm = np.log(length) / (4 * np.pi)
    assert power.sum() / length**2 == pytest.approx(logarithm + 0.0126, abs=0.0015)
    assert (weight * power).sum() / length**2 == pytest.approx(logarithm - 0.034, abs=0.0006)
