"""Temperature and strain rate that are set while a run goes on, beside its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError, Configuration, check_loading
from epmpi.model.activation import Activation

WITHOUT_TEMPERATURE = ("random", "extremal")


class Imposed:
    """What drives a model at present, and the macroscopic strain so far.

    A part of the state as soon as it differs from the configuration: the root keeps it.

    Parameters
    ----------
    configuration : Configuration
    activation : Activation
        Whose rule and increments follow.
    """

    def __init__(self, configuration: Configuration, activation: Activation) -> None:
        self._configuration = configuration
        self._activation = activation
        self.strain_rate = configuration.model.strain_rate
        self._strain = self._since = 0.0  # the macroscopic strain at a time, when the rate changed

    @property
    def temperature(self) -> float:
        """Of the rule; that of the random model means nothing."""
        return self._activation.rule.temperature

    def set_temperature(self, temperature: float) -> None:
        """Go on at another temperature; ConfigError if that cannot be one."""
        model = self._configuration.model
        if model.activation in WITHOUT_TEMPERATURE:
            raise ConfigError(
                f'temperature = {temperature} with model.activation = "{model.activation}": the '
                f"{model.activation} model has no temperature"
            )
        self._activation.set_temperature(replace(model, temperature=temperature).temperature)

    def set_strain_rate(self, rate: float, time: float) -> None:
        """Go on at another strain rate from a time on; ConfigError if that cannot be one."""
        model = replace(self._configuration.model, strain_rate=rate)
        check_loading(model, self._configuration.propagator)
        self._strain, self._since = self.strain(time), time
        self._set_rate(model.strain_rate)

    def _set_rate(self, rate: float) -> None:
        self.strain_rate = rate
        self._activation.set_drive(self._configuration.model.shear_modulus * rate)

    def strain(self, time: float) -> float:
        """Return the macroscopic strain at a time since the start of the run."""
        return self._strain + self.strain_rate * (time - self._since)

    def observables(self) -> dict[str, float]:
        """Return what drives the model; the same on all ranks."""
        thermal = self._configuration.model.activation not in WITHOUT_TEMPERATURE
        of_rule = {"temperature": self.temperature} if thermal else {}
        return of_rule | {"strain_rate": self.strain_rate}

    def root(self) -> Mapping[str, NDArray]:
        """Return all of it as one array."""
        numbers = self.temperature, self.strain_rate, self._strain, self._since
        return {"drive": np.array(numbers)}

    def restore(self, root: Mapping[str, NDArray]) -> None:
        """Take over what `root` has returned."""
        temperature, rate, self._strain, self._since = (float(x) for x in root["drive"])
        self._activation.set_temperature(temperature)
        self._set_rate(rate)
