"""Exact velocities of the random model, to which measured ones are compared.

Active sites are independent, so that the velocity variance at a site is a sum over modes,

    <v^2> = a (eps0/tau)^2 S_L,      S_L = (1/N) sum_q |K(q)|^2,      |K|^2 = cos^2(2 phi) / q^2,

K the displacement propagator of a strain rate of eps0/(2 tau), its Nyquist rows and columns left
out; phi is the angle of q.  S_L = ln(L)/(4 pi) + 0.0126 for large L.  Bilinear interpolation at a
random place weighs each mode with (2 + cos qx)(2 + cos qy)/9: ln(L)/(4 pi) - 0.034.
"""

from __future__ import annotations

import numpy as np


def velocity_sum(shape: tuple[int, int], interpolation: str) -> float | None:
    """Return S_L, weighted as the interpolation does it.

    Parameters
    ----------
    shape : (int, int)
        Sites along x and y.
    interpolation : str
        "nearest": at the sites; "bilinear"; for "stream" None is returned.
    """
    kx, ky = (np.fft.fftfreq(length, 1 / length) for length in shape)
    qx, qy = 2 * np.pi * kx[:, None] / shape[0], 2 * np.pi * ky[None, :] / shape[1]
    square = qx**2 + qy**2
    square[0, 0] = np.inf
    kernel = (qx**2 - qy**2) ** 2 / square**3
    kernel[2 * np.abs(kx) == shape[0], :] = 0
    kernel[:, 2 * np.abs(ky) == shape[1]] = 0
    if interpolation == "bilinear":
        kernel *= (2 + np.cos(qx)) * (2 + np.cos(qy)) / 9
    elif interpolation != "nearest":
        return None
    return float(kernel.sum()) / (shape[0] * shape[1])
