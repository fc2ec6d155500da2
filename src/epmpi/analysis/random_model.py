"""Exact velocity variance of the random model, for comparison with measured ones.

Active sites are independent, so that the velocity variance at a site is a sum over modes,

    <v^2> = a (eps0/tau)^2 S_L,      S_L = (1/N) sum_q |K(q)|^2,      |K|^2 = cos^2(2 phi) / q^2,

K half the displacement propagator, for a strain rate of eps0/(2 tau), which is 0 at Nyquist rows
and columns; phi is the angle of q.  S_L = ln(L)/(4 pi) + 0.0126 for large L.  Bilinear
interpolation at a random place weighs each mode with (2 + cos qx)(2 + cos qy)/9: ln(L)/(4 pi) -
0.034.
"""

from __future__ import annotations

import numpy as np

from epmpi.physics.propagators import displacement_propagator


def velocity_sum(shape: tuple[int, int], interpolation: str) -> float | None:
    """Return S_L, with the weights of the interpolation.

    Parameters
    ----------
    shape : (int, int)
        Sites along x and y.
    interpolation : str
        "nearest" (at the sites) or "bilinear"; None is returned for "stream".
    """
    qx, qy = (2 * np.pi * np.fft.fftfreq(length) for length in shape)
    qx, qy = qx[:, None], qy[None, :]
    kernel = np.sum((displacement_propagator(qx, qy) / 2) ** 2, axis=0)
    if interpolation == "bilinear":
        kernel *= (2 + np.cos(qx)) * (2 + np.cos(qy)) / 9
    elif interpolation != "nearest":
        return None
    return float(kernel.sum()) / (shape[0] * shape[1])
