import numpy as np
import pytest

from epmpi.analysis.random_model import velocity_sum


def test_the_sum_over_modes_is_a_sum_over_sites():
    """Parseval: the squared velocities around one active site, (1/N) sum_q K e^iqr."""
    shape = (24, 16)
    kx, ky = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape), indexing="ij")
    qx, qy = 2 * np.pi * kx / shape[0], 2 * np.pi * ky / shape[1]
    q4 = (qx**2 + qy**2) ** 2
    q4[0, 0] = np.inf
    odd = (kx == -shape[0] / 2) | (ky == -shape[1] / 2)
    u = [-2j * 0.5 / q4 * qy * (qy**2 - qx**2), -2j * 0.5 / q4 * qx * (qx**2 - qy**2)]
    field = [np.fft.ifft2(np.where(odd, 0, part)).real for part in u]
    assert velocity_sum(shape, "nearest") == pytest.approx(np.square(field).sum(), rel=1e-12)


@pytest.mark.parametrize(("interpolation", "offset"), [("nearest", 0.0126), ("bilinear", -0.034)])
def test_large_lattices(interpolation, offset):
    found = velocity_sum((512, 512), interpolation)
    assert found == pytest.approx(np.log(512) / (4 * np.pi) + offset, abs=5e-4)


def test_no_sum_for_the_stream_function():
    assert velocity_sum((8, 8), "stream") is None
