"""Activation, Eq. (2): the stochastic rule by which sites yield and come to rest.

The formulas for one site are in `rules`; here a configuration becomes their parameters, and whole
blocks of rows are advanced on the device.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices import SiteUpdate
from epmpi.physics.lattice import Slab
from epmpi.physics.propagators import active_strain
from epmpi.physics.rules import READINGS, Increments, SwitchingRule


class Activation:
    """The rule of a configuration, applied to the sites of a slab.

    Attributes
    ----------
    drive : float
        ``mu gdot``, the stress that the macroscopic strain adds to every site per unit of time.
    """

    def __init__(self, configuration: Configuration, slab: Slab) -> None:
        model, step = configuration.model, configuration.time.step
        self.drive = model.shear_modulus * model.strain_rate
        self._slab = slab
        self._seed = configuration.run.seed
        self.rule = switching_rule(configuration)
        self.increments = Increments(
            time=step,
            stress=self.drive * step,
            strain=active_strain(model.event_strain, model.relaxation_time, step),
        )

    def set_temperature(self, temperature: float) -> None:
        """Change the temperature from now on."""
        self.rule = self.rule._replace(temperature=temperature)

    def set_drive(self, drive: float) -> None:
        """Change the rate at which the stress of every site grows."""
        self.drive = drive
        self.increments = self.increments._replace(stress=drive * self.increments.time)

    def update(
        self,
        stress: NDArray,
        plastic_strain: NDArray,
        active: NDArray,
        step: NDArray[np.uint64],
        events: NDArray[np.int64],
        begun: NDArray[np.int64] | None = None,
    ) -> SiteUpdate:
        """Return the step of all sites of the slab, arrays (rows, Ly); see `SiteUpdate`."""
        return SiteUpdate(
            stress=stress,
            plastic_strain=plastic_strain,
            active=active,
            step=step,
            rule=self.rule,
            increments=self.increments,
            events=events,
            begun=begun,
            seed=self._seed,
            first_site=self._slab.first_site,
        )


def switching_rule(configuration: Configuration) -> SwitchingRule:
    """Return the parameters of Eq. (2), or of the random model, for a configuration."""
    model = configuration.model
    from_stress = model.activation in ("thermal", "extremal")
    rate_off, attempt_rate = 1.0 / model.restructuring_time, model.attempt_rate
    if model.activity is not None:  # of the random model, with p_on in units of p_off
        attempt_rate = rate_off * (model.activity / (1.0 - model.activity))
    return SwitchingRule(
        reading=READINGS[model.direction if from_stress else model.activation],
        attempt_rate=attempt_rate,
        yield_stress=model.yield_stress,
        temperature=model.temperature,
        rate_off=rate_off,
        exponent=0.0 if isinstance(model.barrier, str) else model.barrier,
    )
