"""Plastic strain and stress of a slab at any time, from the events since the last flush.

The stress is always that of the whole plastic strain, by FFT: no sum over single events is carried
from one flush to the next, so nothing drifts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.model.elasticity import ElasticResponse
from epmpi.model.exact.response import on_all_ranks, response_to, response_to_one_site
from epmpi.spectral import Transform


class SlabStress:
    """Eq. (1) for the slab of a rank.  Making one is collective.

    Parameters
    ----------
    configuration : Configuration
    fft : Transform
    drive : float
        mu gdot, stress a unit of time.

    Attributes
    ----------
    initial_stress : float64 array, shape (rows, Ly)
        Without plastic strain, when the drive was last set.
    strain_at_flush : float64 array, shape (rows, Ly)
        Plastic strain.
    drive, since : float
        The drive, and when it was set.
    """

    def __init__(self, configuration: Configuration, fft: Transform, drive: float) -> None:
        model = configuration.model
        self._slab = fft.slab
        self._strain_rate = model.event_strain / (2.0 * model.relaxation_time)
        self._response = ElasticResponse(configuration, fft, with_flow=False).convolution
        self.initial_stress = np.zeros(fft.slab.shape)
        self.strain_at_flush = np.zeros(fft.slab.shape)
        self.drive, self.since = drive, 0.0

    def kernel(self, fft: Transform) -> NDArray[np.float64]:
        """Return the stress rate (Lx, Ly) while the site (0, 0) yields, on all ranks.  Collective.

        In the positive direction; stress a unit of time.
        """
        return on_all_ranks(fft, response_to_one_site(self._response))

    def begin(self, stress: NDArray, strain: NDArray[np.float64], time: float) -> None:
        """Begin with the stress and the plastic strain (rows, Ly) of a time.  Collective."""
        self.strain_at_flush[:] = strain
        self.initial_stress[:] = stress - self._response_to(self.strain_at_flush)
        self.since = time

    def set_drive(self, drive: float, time: float) -> None:
        """Let the stress of every site grow at another rate from a time on."""
        self.initial_stress += self.drive * (time - self.since)
        self.drive, self.since = drive, time

    def strain(self, site: NDArray[np.int64], duration: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the plastic strain (rows, Ly) after what `Engine.yielded` has returned."""
        first = self._slab.first_site
        here = (site >= first) & (site < first + self.strain_at_flush.size)
        strain = self.strain_at_flush.copy()
        np.add.at(strain.reshape(-1), site[here] - first, self._strain_rate * duration[here])
        return strain

    def stress(self, strain: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        """Return sigma (rows, Ly) for the plastic strain of a time.  Collective."""
        return self.initial_stress + self._response_to(strain) + self.drive * (time - self.since)

    def _response_to(self, strain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 2 mu G * eps_pl.  Collective."""
        rate = self._strain_rate  # the convolution is that of directions n s
        return response_to(self._response, strain / rate if rate else np.zeros_like(strain))

    def fields(self) -> Mapping[str, NDArray]:
        """Return the arrays by site that stress and strain are made of."""
        return {"initial_stress": self.initial_stress, "strain_at_flush": self.strain_at_flush}
