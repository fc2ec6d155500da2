"""Keys that a resumed run may change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from epmpi.config.configuration import Configuration, from_mapping
from epmpi.config.keys import ConfigError
from epmpi.config.parsing import parse_toml

# Keys that may change: the trajectory stays the same.
MAY_CHANGE = (
    "time.duration",
    "output.checkpoint_every",
    "output.writer",
    "run.device",
    "run.walltime",
    "run.stall_limit",
)
ENSEMBLE_MAY_CHANGE = (*MAY_CHANGE, "run.replicas")


def stored_configuration(text: str) -> Configuration:
    """Return the configuration from the TOML text in a run file.

    Raises
    ------
    ConfigError
        If this version cannot use it.
    """
    try:
        return from_mapping(parse_toml(text, "configuration"))
    except ConfigError as error:
        raise ConfigError(
            f"the configuration of the run cannot be used: {'; '.join(error.args)}"
        ) from None


def differing(before: Configuration, after: Configuration) -> list[str]:
    """Return the keys, section.key, whose values differ in two configurations."""
    old, new = before.to_mapping(), after.to_mapping()
    return [
        f"{section}.{key}"
        for section in new
        for key in {**old[section], **new[section]}
        if old[section].get(key) != new[section].get(key)
    ]


def changed(
    before: Configuration, overrides: Iterable[str], may_change: Sequence[str] = MAY_CHANGE
) -> Configuration:
    """Return the configuration of a run changed by overrides that a resumed run may have.

    Raises
    ------
    ConfigError
        If an override is invalid, or changes another key.
    """
    after = before.with_overrides(overrides)
    for name in differing(before, after):
        if name not in may_change:
            section, key = name.split(".")
            old, new = (each.to_mapping()[section].get(key) for each in (before, after))
            raise ConfigError(
                f"{name} = {new!r}: the run has {old!r}, and a resumed run may change "
                f"{', '.join(may_change)} only; start a new one"
            )
    return after


def extended(before: Configuration, overrides: Iterable[str]) -> Configuration:
    """Return the configuration of a resumed ensemble: longer, or of more replicas.

    Raises
    ------
    ConfigError
        If it would be shorter or smaller, or another key is changed.
    """
    after = changed(before, overrides, ENSEMBLE_MAY_CHANGE)
    for name, old, new in (
        ("run.replicas", before.run.replicas, after.run.replicas),
        ("time.duration", before.time.duration, after.time.duration),
    ):
        if new < old:
            raise ConfigError(f"{name} = {new}: the ensemble has {old}, expected no less")
    return after
