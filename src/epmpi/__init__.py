"""Thermally activated elastoplastic models of yield stress materials, on MPI."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

try:
    __version__ = version("epmpi")
except PackageNotFoundError:  # a source tree on the path
    __version__ = "0+uninstalled"

from epmpi.config import ConfigError, Configuration, from_mapping, load

if TYPE_CHECKING:
    from epmpi.ensemble import Ensemble
    from epmpi.model.model import Model
    from epmpi.output import OutputError
    from epmpi.run.simulation import Simulation

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

# Imported when they are asked for: most commands need no compiler.
_HOMES = {
    "Ensemble": "epmpi.ensemble",
    "Model": "epmpi.model.model",
    "OutputError": "epmpi.output",
    "Simulation": "epmpi.run.simulation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
