"""The configuration of a run: every key with its default, unit, range and help line.

`load` reads a TOML file, `from_mapping` a dictionary; every `Configuration` is valid.
"""

from epmpi.config.checks import (
    check_loading,
    check_ranks,
    most_ranks,
    shortest_time,
    whole_multiple,
)
from epmpi.config.configuration import Configuration, describe, from_mapping, load
from epmpi.config.keys import ConfigError, Description
from epmpi.config.replica_names import (
    ENSEMBLE,
    expected_run,
    is_ensemble,
    replica_name,
    replica_seed,
)
from epmpi.config.resuming import (
    ENSEMBLE_MAY_CHANGE,
    MAY_CHANGE,
    changed,
    differing,
    extended,
    stored_configuration,
)
from epmpi.config.settings import (
    DEVICES,
    FFT_ENGINES,
    InitialSettings,
    LatticeSettings,
    ModelSettings,
    OutputSettings,
    PropagatorSettings,
    RunSettings,
    TimeSettings,
    TracerSettings,
)

__all__ = [
    "DEVICES",
    "ENSEMBLE",
    "ENSEMBLE_MAY_CHANGE",
    "FFT_ENGINES",
    "MAY_CHANGE",
    "ConfigError",
    "Configuration",
    "Description",
    "InitialSettings",
    "LatticeSettings",
    "ModelSettings",
    "OutputSettings",
    "PropagatorSettings",
    "RunSettings",
    "TimeSettings",
    "TracerSettings",
    "changed",
    "check_loading",
    "check_ranks",
    "describe",
    "differing",
    "expected_run",
    "extended",
    "from_mapping",
    "is_ensemble",
    "load",
    "most_ranks",
    "replica_name",
    "replica_seed",
    "shortest_time",
    "stored_configuration",
    "whole_multiple",
]
