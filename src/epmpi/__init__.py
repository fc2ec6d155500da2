"""Thermally activated elastoplastic models of yield stress materials, on MPI."""

from importlib.metadata import version

__version__ = version("epmpi")

from epmpi.config import ConfigError, Configuration, from_mapping, load
from epmpi.ensemble import Ensemble
from epmpi.model import Model
from epmpi.output import OutputError
from epmpi.simulation import Simulation

__all__ = [
    "ConfigError",
    "Configuration",
    "Ensemble",
    "Model",
    "OutputError",
    "Simulation",
    "__version__",
    "from_mapping",
    "load",
]
