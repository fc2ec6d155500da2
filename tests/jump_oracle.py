"""A slow, obvious Gillespie of instantaneous events: the whole lattice, every formula written out.

It shares with the package the draws (a function of seed, stream, candidate) and nothing else.
Fields are (Lx, Ly) in double precision; each event is a complex Fourier transform.
"""

import math

import numpy as np
import oracle

from epmpi.physics import randomness


class JumpOracle:
    """Stress and thresholds of all sites, and the rates that follow from them.

    Attributes
    ----------
    stress, threshold : float64 arrays, shape (Lx, Ly)
    """

    def __init__(self, configuration, stress, threshold):
        self.model = configuration.model
        propagator = configuration.propagator
        shape = configuration.lattice.shape
        self.seed = np.uint64(configuration.run.seed)
        self.propagator = propagator
        self.shape = shape
        self.stress, self.threshold = stress.copy(), threshold.copy()

    def rates(self):
        """Return the rate of each site."""
        distance = self.threshold - np.abs(self.stress)
        if self.model.barrier == "quadratic":
            barrier = (self.threshold**2 - self.stress**2) / 2
        else:
            barrier = np.maximum(distance, 0) ** self.model.barrier
        return self.model.attempt_rate * np.exp(-np.maximum(barrier, 0) / self.model.temperature)

    def weakest(self):
        """Return the site that is nearest to its threshold, or farthest beyond."""
        distance = self.threshold - np.abs(self.stress)
        return np.unravel_index(np.argmin(distance), distance.shape)

    def load(self, time):
        """Load all sites for a time."""
        self.stress += self.model.shear_modulus * self.model.strain_rate * time

    def draws(self, candidate, block):
        """Return two uniforms."""
        words = randomness.words(
            self.seed, np.uint64(randomness.CANDIDATES), np.uint64(candidate), np.uint64(block)
        )
        high, low = np.array(words[::2], float), np.array(words[1::2], float)
        return (high * 2.0**21 + np.floor(low / 2.0**11)) / 2.0**53

    def jump(self, x, y, candidate):
        """Let a site yield, by the draws of a candidate; return by how much its stress drops."""
        model, before = self.model, self.stress[x, y]
        first, second = self.draws(candidate, 2)
        normal = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
        if model.thresholds == "normal":
            new = model.yield_stress + model.threshold_deviation * normal
            self.threshold[x, y] = max(new, 0.0)
        elif model.thresholds == "weibull":
            self.threshold[x, y] = weibull_quantile(
                first, model.yield_stress, model.threshold_deviation
            )
        first, second = self.draws(candidate, 1)
        if model.residual == "normal":
            after = math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
            after *= model.residual_scale
        else:
            distance = -model.residual_scale * math.log(1 - first)
            after = math.copysign(1, before) * (self.threshold[x, y] - distance)
        source = np.zeros(self.stress.shape)
        source[x, y] = before - after
        angle = 0.0
        if model.orientation == "random":
            angle = 2 * math.pi * self.draws(candidate, 3)[0] / 4
        kernel = oriented_propagator(self.shape, self.propagator, angle)
        kernel = kernel / abs(np.fft.ifft2(kernel).real[0, 0])  # G(r = 0) = -1
        self.stress += np.fft.ifft2(kernel * np.fft.fft2(source)).real
        return math.copysign(1, before) * (before - after)


def oriented_propagator(shape, propagator, angle):
    """Return -(1 - cos 4 (phi - psi)) / 2 for an event of orientation psi, with its zero mode.

    At Nyquist modes the mean over both signs of the wavevector's component.
    """
    qx, qy = oracle.wavevectors(shape)
    if propagator.symbol == "lattice":
        qx, qy = (np.sign(q) * np.sqrt(2 - 2 * np.cos(q)) for q in (qx, qy))
    phi = np.arctan2(qy, qx)
    kernel = -(1 - np.cos(4 * (phi - angle))) / 2
    mirrored = -(1 - np.cos(4 * (np.arctan2(qy, -qx) - angle))) / 2
    for axis in (0, 1):
        if shape[axis] % 2 == 0:
            row = (shape[axis] // 2, slice(None)) if axis == 0 else (slice(None), shape[axis] // 2)
            kernel[row] = (kernel[row] + mirrored[row]) / 2
    kernel *= propagator.prefactor
    kernel[0, 0] = -1.0 if propagator.macroscopic == "strain" else 0.0
    return kernel


def weibull_quantile(uniform, mean, deviation):
    """Return the quantile of the Weibull distribution with a mean and a standard deviation."""
    from scipy.optimize import brentq
    from scipy.stats import weibull_min

    def excess(shape):
        return weibull_min(shape).std() / weibull_min(shape).mean() - deviation / mean

    shape = brentq(excess, 0.2, 200, xtol=1e-13, rtol=1e-14)
    return weibull_min(shape).ppf(uniform) * mean / weibull_min(shape).mean()
