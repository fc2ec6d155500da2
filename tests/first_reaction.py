"""A slow, obvious simulation of the model in continuous time, of many small lattices at once.

First reaction: each site has a number drawn from the exponential law, and switches when the
integral of its rate has come to it.  The integral is numerical, in steps of `STEP` by Simpson's
rule, cut short where a site switches.  It shares nothing with the exact clock, nor its draws.
"""

import numpy as np

STEP = 0.02


class FirstReaction:
    """Many independent lattices; arrays of shape (runs, Lx, Ly).

    Parameters
    ----------
    stress : array, shape (runs, Lx, Ly)
        At time 0, when all sites are inactive.
    response : array, shape (Lx, Ly)
        Stress rate at (x, y) while (0, 0) yields in the positive direction.
    drive : float
        Stress rate that is imposed everywhere.
    reading : str
    temperature, restructuring_time : float
        The yield stress and the attempt rate are 1.
    barrier : float or "quadratic"
    seed : int

    Attributes
    ----------
    events : array, shape (runs,)
        That have begun.
    first : array, shape (runs, Lx, Ly)
        Time of the first activation of each site; infinite before.
    """

    def __init__(
        self, stress, response, drive, reading, temperature, restructuring_time, seed, barrier
    ):
        self.stress = stress.copy()
        self.active = np.zeros(stress.shape, int)
        self.strain_time = np.zeros(stress.shape)  # for which it has yielded, signed
        self.first = np.full(stress.shape, np.inf)
        self.events = np.zeros(len(stress), int)
        self.time = np.zeros(len(stress))
        self.drive, self.reading = drive, reading
        self.temperature, self.restructuring_time = temperature, restructuring_time
        self.barrier = barrier
        self._random = np.random.default_rng(seed)
        self._spectrum = np.fft.rfft2(response)
        self._left = self._random.exponential(size=stress.shape)

    def stress_rate(self):
        """Eq. (1): the drive, and the responses to all active sites, summed by FFT."""
        spectrum = self._spectrum * np.fft.rfft2(self.active)
        return self.drive + np.fft.irfft2(spectrum, self.stress.shape[1:])

    def rate(self, stress):
        """Return the rate at which each site switches, at a stress of all of them: Eq. (2)."""
        if self.barrier == "quadratic":
            on = np.exp(np.minimum((stress**2 - 1) / (2 * self.temperature), 0))
        else:
            on = np.exp(-(np.maximum(1 - np.abs(stress), 0) ** self.barrier) / self.temperature)
        if self.reading == "both":
            on = np.where(np.abs(stress) < 1, 2 * on, on)
        return np.where(self.active == 0, on, 1 / self.restructuring_time)

    def advance(self, until):
        """Advance all lattices to a time."""
        slope = self.stress_rate()
        while np.any(self.time < until):
            step = np.minimum(STEP, until - self.time)
            passed = self.integral(slope, step)
            share = np.min(self._left / np.maximum(passed, 1e-300), axis=(1, 2))
            switching = (share < 1) & (step > 0)
            # The integral is a straight line within a step, but for the curvature of the rate.
            step = np.where(switching, share * step, step)
            left = self._left - self.integral(slope, step)
            ready = np.unravel_index(left.reshape(len(left), -1).argmin(axis=1), left.shape[1:])
            self._left = left
            self.stress += slope * step[:, None, None]
            self.strain_time += self.active * step[:, None, None]
            self.time = np.where(switching, self.time + step, np.minimum(self.time + STEP, until))
            runs = np.flatnonzero(switching)
            if len(runs):
                self.switch(runs, ready[0][runs], ready[1][runs])
                slope = self.stress_rate()

    def integral(self, slope, step):
        """Return the integrals of all rates over a time of each lattice."""
        step = step[:, None, None]
        begin, end = self.rate(self.stress), self.rate(self.stress + slope * step)
        return step / 6 * (begin + 4 * self.rate(self.stress + slope * step / 2) + end)

    def switch(self, runs, x, y):
        """Let one site of each of these lattices begin to yield, or come to rest."""
        before = self.active[runs, x, y]
        stress = self.stress[runs, x, y]
        drawn = np.where(self._random.random(len(runs)) < 0.5, 1, -1)
        by_stress = (self.reading == "stress") | (np.abs(stress) >= 1)
        new = np.where(by_stress & (stress != 0), np.sign(stress), drawn)
        self.active[runs, x, y] = np.where(before == 0, new, 0)
        self._left[runs, x, y] = self._random.exponential(size=len(runs))
        begun, first = before == 0, self.first[runs, x, y]
        self.events[runs] += begun
        self.first[runs, x, y] = np.where(begun & np.isinf(first), self.time[runs], first)
