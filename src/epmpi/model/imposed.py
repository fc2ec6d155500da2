"""Temperature and strain rate that a user changes during a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from epmpi.config import ConfigError, Configuration, check_loading
from epmpi.model.activation import Activation
from epmpi.model.state import Arrays, Part

WITHOUT_TEMPERATURE = ("random", "extremal")


class Imposed(Part):
    """The present temperature and strain rate of a model, and the macroscopic strain so far.

    Part of the state, kept by the root, as soon as a user may change them.

    Parameters
    ----------
    activation : Activation
        Its rule and increments are changed.
    """

    def __init__(self, configuration: Configuration, activation: Activation) -> None:
        self._configuration = configuration
        self._activation = activation
        self.strain_rate = configuration.model.strain_rate
        self._strain = self._since = 0.0  # the macroscopic strain at a time, when the rate changed

    @property
    def temperature(self) -> float:
        """Temperature of the rule; meaningless for the random model."""
        return self._activation.rule.temperature

    def set_temperature(self, temperature: float) -> None:
        """Change the temperature; ConfigError if it is invalid."""
        model = self._configuration.model
        if model.activation in WITHOUT_TEMPERATURE:
            raise ConfigError(
                f'temperature = {temperature} with model.activation = "{model.activation}": the '
                f"{model.activation} model has no temperature"
            )
        self._activation.set_temperature(replace(model, temperature=temperature).temperature)

    def set_strain_rate(self, rate: float, time: float) -> None:
        """Change the strain rate at a time; ConfigError if it is invalid."""
        model = replace(self._configuration.model, strain_rate=rate)
        for fault in check_loading(model, self._configuration.propagator):
            raise ConfigError(fault)
        self._strain, self._since = self.strain(time), time
        self._set_rate(model.strain_rate)

    def _set_rate(self, rate: float) -> None:
        self.strain_rate = rate
        self._activation.set_drive(self._configuration.model.shear_modulus * rate)

    def strain(self, time: float) -> float:
        """Return the macroscopic strain at a time since the start of the run."""
        return self._strain + self.strain_rate * (time - self._since)

    def observables(self) -> dict[str, float]:
        """Return temperature and strain rate; the same on all ranks."""
        thermal = self._configuration.model.activation not in WITHOUT_TEMPERATURE
        of_rule = {"temperature": self.temperature} if thermal else {}
        return of_rule | {"strain_rate": self.strain_rate}

    def root(self) -> Arrays:
        """Return all of it as one array."""
        numbers = self.temperature, self.strain_rate, self._strain, self._since
        return {"drive": np.array(numbers)}

    def restore(self, fields: Arrays, counts: Arrays, root: Arrays) -> None:
        """Take over what `root` has returned."""
        temperature, rate, self._strain, self._since = (float(x) for x in root["drive"])
        self._activation.set_temperature(temperature)
        self._set_rate(rate)
