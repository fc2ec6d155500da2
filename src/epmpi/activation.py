"""Activation, Eq. (2): the stochastic rule by which sites yield and come to rest.

The formulas for one site are in `rules`; here a configuration becomes their parameters, and whole
blocks of rows are advanced on the device.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi import rules
from epmpi.config import Configuration
from epmpi.devices import SiteUpdate
from epmpi.lattice import Slab


class Activation:
    """The rule of a configuration, applied to the sites of a slab.

    Parameters
    ----------
    configuration : Configuration
    slab : Slab

    Attributes
    ----------
    parameters : tuple
        (reading, attempt_rate, yield_stress, temperature, rate_off, time_step) of `rules`.
    forcing : (float, float)
        What a step adds to every stress, ``mu gdot dt``, and to the plastic strain of an active
        site, ``eps0 dt / (2 tau)``.
    """

    def __init__(self, configuration: Configuration, slab: Slab) -> None:
        model, step = configuration.model, configuration.time.step
        self._slab = slab
        self._seed = configuration.run.seed
        rate_off = 1.0 / model.restructuring_time
        if model.activation == "random":
            reading, rate_on = rules.RANDOM, rate_off * _odds(model.activity)
        else:
            reading, rate_on = rules.READINGS[model.direction], model.attempt_rate
        self.parameters = (
            reading, rate_on, model.yield_stress, model.temperature, rate_off, step,
        )  # fmt: skip
        self.forcing = (
            model.shear_modulus * model.strain_rate * step,
            model.event_strain * step / (2.0 * model.relaxation_time),
        )

    def set_temperature(self, temperature: float) -> None:
        """Go on at another temperature."""
        self.parameters = (*self.parameters[:3], temperature, *self.parameters[4:])

    def update(
        self,
        stress: NDArray,
        plastic_strain: NDArray,
        direction: NDArray,
        step: NDArray[np.uint64],
        events: NDArray[np.int64],
        begun: NDArray[np.int64] | None = None,
    ) -> SiteUpdate:
        """Return the step of all sites of the slab, arrays (rows, Ly); see `SiteUpdate`."""
        return SiteUpdate(
            stress=stress,
            plastic_strain=plastic_strain,
            direction=direction,
            step=step,
            forcing=self.forcing,
            parameters=self.parameters,
            events=events,
            begun=begun,
            seed=self._seed,
            first_site=self._slab.first_site,
        )


def _odds(activity: float | None) -> float:
    """Return a / (1 - a): p_on of the random model, in units of p_off."""
    if activity is None:
        raise ValueError("activity is not given, expected the active fraction of the random model")
    return activity / (1.0 - activity)
