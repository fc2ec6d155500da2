"""Plastic strain and stress of a slab at any time, from the events since the last flush.

The stress is always that of the whole plastic strain, by FFT: no sum over single events is carried
from one flush to the next, so nothing drifts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.model.elasticity import stress_responses
from epmpi.model.exact.response import on_all_ranks, response_to
from epmpi.spectral import Transform

PARTS = ("strain_at_flush", "cosine_strain_at_flush", "sine_strain_at_flush")


class SlabStress:
    """Eq. (1) for the slab of a rank.  Making one is collective.

    Parameters
    ----------
    drive : float
        mu gdot, stress a unit of time.

    Attributes
    ----------
    initial_stress : float64 array, shape (rows, Ly)
        Without plastic strain, when the drive was last set.
    sources_at_flush : float64 array, shape (sources, rows, Ly)
        Plastic strain; for events of random orientation also times cos 4 psi, and sin 4 psi.
    drive, since : float
        The drive, and when it was set.
    """

    def __init__(self, configuration: Configuration, fft: Transform, drive: float) -> None:
        model = configuration.model
        self._slab = fft.slab
        self._strain_rate = model.event_strain / (2.0 * model.relaxation_time)
        self._responses = stress_responses(configuration, fft)
        self.initial_stress = np.zeros(fft.slab.shape)
        self.sources_at_flush = np.zeros((len(self._responses), *fft.slab.shape))
        self.drive, self.since = drive, 0.0

    def kernels(self, fft: Transform) -> list[NDArray[np.float64]]:
        """Return the stress rates (Lx, Ly) while the site (0, 0) yields, on all ranks.  Collective.

        In the positive direction; stress a unit of time; one for each source.
        """
        source = np.zeros(fft.slab.shape)
        if fft.slab.start == 0:
            source[0, 0] = 1.0
        return [on_all_ranks(fft, response_to(one, source)) for one in self._responses]

    def begin(self, stress: NDArray, strain: NDArray[np.float64], time: float) -> None:
        """Begin with the stress and the plastic strain (rows, Ly) of a time.  Collective.

        How that is oriented does not matter: only the stress that comes from it later does.
        """
        self.sources_at_flush[0], self.sources_at_flush[1:] = strain, 0.0
        self.initial_stress[:] = stress - self._response_to(self.sources_at_flush)
        self.since = time

    def set_drive(self, drive: float, time: float) -> None:
        """Let the stress of every site grow at another rate from a time on."""
        self.initial_stress += self.drive * (time - self.since)
        self.drive, self.since = drive, time

    def sources(
        self, site: NDArray[np.int64], duration: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return all sources (sources, rows, Ly) after what `Engine.yielded` has returned."""
        first = self._slab.first_site
        here = (site >= first) & (site < first + self.initial_stress.size)
        sources = self.sources_at_flush.copy()
        for source, lasted in zip(sources, np.atleast_2d(duration), strict=True):
            np.add.at(source.reshape(-1), site[here] - first, self._strain_rate * lasted[here])
        return sources

    def stress(self, sources: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        """Return sigma (rows, Ly) for the sources of a time.  Collective."""
        return self.initial_stress + self._response_to(sources) + self.drive * (time - self.since)

    def _response_to(self, sources: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 2 mu G * eps_pl.  Collective."""
        rate = self._strain_rate  # the convolution is that of n s
        parts = [
            response_to(response, source / rate if rate else np.zeros_like(source))
            for response, source in zip(self._responses, sources, strict=True)
        ]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1] + parts[2]

    def fields(self) -> Mapping[str, NDArray]:
        """Return the arrays by site that stress and strain are made of."""
        of_flush = dict(zip(PARTS, self.sources_at_flush, strict=False))
        return {"initial_stress": self.initial_stress, **of_flush}
