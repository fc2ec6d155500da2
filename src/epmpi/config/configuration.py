"""The configuration of a run: read, checked as a whole, and written back without loss."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, fields, replace
from typing import Any

from epmpi.config import parsing
from epmpi.config.checks import check_combinations, whole_multiple
from epmpi.config.defaults import adapt, explained, written_keys
from epmpi.config.keys import ConfigError, Description, Faults, shown
from epmpi.config.replica_names import replica_seed
from epmpi.config.settings import Sections


@dataclass(frozen=True)
class Configuration(Sections):
    """All settings of a run; always valid.

    Parameters
    ----------
    lattice, model, ... run
        The sections.
    written : frozenset of str
        The keys section.key that were set explicitly; by default those whose value is not the
        default.  The others are adapted where necessary (see `defaults`).

    Raises
    ------
    ConfigError
        For an invalid combination of keys.
    """

    written: InitVar[frozenset[str] | None] = None

    def __post_init__(self, written: frozenset[str] | None) -> None:
        """Check the sections together."""
        for name, kind in SECTIONS.items():
            if not isinstance(getattr(self, name), kind):
                got = shown(getattr(self, name))
                raise ConfigError(f"{name} = {got}: expected {kind.__name__}; or use from_mapping")
        sections = {name: getattr(self, name) for name in SECTIONS}
        known = written_keys(sections) if written is None else written
        # The dataclass is frozen.
        object.__setattr__(self, "_written", known)
        for name, section in adapt(sections, known).items():
            object.__setattr__(self, name, section)
        try:
            check_combinations(self)
        except ConfigError as error:
            raise ConfigError(*(explained(fault, self.adapted) for fault in error.args)) from None

    @property
    def set_keys(self) -> frozenset[str]:
        """The keys section.key that were set explicitly."""
        keys: frozenset[str] = self.__dict__["_written"]
        return keys

    @property
    def adapted(self) -> list[str]:
        """The adapted defaults, as texts section.key = value (default value)."""
        return [
            f"{name}.{item.name} = {toml_value(value)} (default {toml_value(item.default)})"
            for name, kind in SECTIONS.items()
            for item in fields(kind)
            if (value := getattr(getattr(self, name), item.name)) != item.default
            and f"{name}.{item.name}" not in self.set_keys
        ]

    def steps(self, time: float) -> int:
        """Return the number of steps in a time; 0 for 0, which as an interval means none.

        Raises
        ------
        ConfigError
            If the time is not a multiple of time.step within 1e-9 of itself.
        """
        count = whole_multiple(time, self.time.step)
        if count is None:
            raise ConfigError(f"{time} is not a whole number of time.step = {self.time.step}")
        return count

    @property
    def device(self) -> str:
        """Device of the arrays: `run.device`, except that the exact clock needs CPUs."""
        return "cpu" if self.time.clock == "exact" else self.run.device

    @property
    def annealing_steps(self) -> int:
        """Steps of the annealing, before the warm-up."""
        return sum(self.steps(duration) for _, duration in self.initial.annealing)

    @property
    def warmup_steps(self) -> int | None:
        """Steps before the measurement, annealing included; None where the run decides."""
        if not isinstance(self.time.warmup, float):
            return None
        return self.annealing_steps + self.steps(self.time.warmup)

    @property
    def known_steps(self) -> int:
        """Steps of the whole run, without a warm-up whose length the run decides."""
        return (self.warmup_steps or self.annealing_steps) + self.steps(self.time.duration)

    def replica(self, number: int) -> Configuration:
        """Return the configuration of one replica of an ensemble: that of an ordinary run."""
        seed = replica_seed(self.run.seed, number)
        run = replace(self.run, seed=seed, replicas=1)
        written = self.set_keys | {"run.seed", "run.replicas"}
        return replace(self, run=run, written=written)

    def to_mapping(self) -> dict[str, dict[str, Any]]:
        """Return {section: {key: value}} in plain TOML types, without keys that are None."""
        mapping: dict[str, dict[str, Any]] = {}
        for name, kind in SECTIONS.items():
            section = getattr(self, name)
            values = {item.name: getattr(section, item.name) for item in fields(kind)}
            mapping[name] = {
                key: plain(value) for key, value in values.items() if value is not None
            }
        return mapping

    def to_toml(self) -> str:
        """Return the TOML text of every key; reading it gives an equal configuration."""
        lines = []
        for section, values in self.to_mapping().items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {toml_value(value)}" for key, value in values.items()]
            lines.append("")
        return "\n".join(lines)

    def as_overrides(self, names: Iterable[str]) -> list[str]:
        """Return texts section.key=value that set keys to the values of this configuration."""
        mapping, texts = self.to_mapping(), []
        for name in names:
            section, key = name.split(".")
            texts.append(f"{name}={toml_value(mapping[section][key])}")
        return texts

    def with_overrides(self, overrides: Iterable[str]) -> Configuration:
        """Return the configuration changed by texts section.key=value.

        Raises
        ------
        ConfigError
            For an invalid override, or an invalid configuration.
        """
        written = {
            section: {key: v for key, v in values.items() if f"{section}.{key}" in self.set_keys}
            for section, values in self.to_mapping().items()
        }
        faults = Faults()
        return build(parsing.apply_overrides(written, overrides, KNOWN, faults), faults)


SECTIONS: dict[str, Any] = {item.name: item.default_factory for item in fields(Configuration)}
KNOWN = {name: tuple(item.name for item in fields(kind)) for name, kind in SECTIONS.items()}


def build(table: Mapping[str, Mapping[str, Any]], faults: Faults) -> Configuration:
    """Make the configuration from known keys, or raise ConfigError with all errors."""
    written = frozenset(f"{name}.{key}" for name, values in table.items() for key in values)
    sections = {}
    for name, values in table.items():
        with faults.noted():
            sections[name] = SECTIONS[name](**values)
    faults.report()
    return Configuration(**sections, written=written)


def from_mapping(mapping: Mapping[str, Mapping[str, Any]]) -> Configuration:
    """Make a configuration from {section: {key: value}}; missing keys take their defaults.

    Raises
    ------
    ConfigError
        For an unknown section or key, a wrong value, or an invalid combination.
    """
    faults = Faults()
    return build(parsing.check_keys(mapping, KNOWN, faults), faults)


def load(path: str | os.PathLike[str], overrides: Iterable[str] = ()) -> Configuration:
    """Read a TOML file, apply overrides section.key=value, and check the whole.

    Raises
    ------
    ConfigError
        For a file that cannot be read, and as `from_mapping` and `with_overrides` do.
    """
    content = parsing.read_toml(path)
    if "scan" in content:
        raise ConfigError(f"{path} is a campaign, with a section [scan]: use epmpi scan {path}")
    faults = Faults()
    table = parsing.check_keys(content, KNOWN, faults)
    return build(parsing.apply_overrides(table, overrides, KNOWN, faults), faults)


def describe() -> Iterator[Description]:
    """Yield the descriptions of all keys, in the order of the table."""
    for section, kind in SECTIONS.items():
        for item in fields(kind):
            value, rule = item.default, item.metadata["kind"]
            yield Description(
                section,
                item.name,
                rule.type,
                "" if value is None else toml_value(value),
                item.metadata["unit"],
                rule.range,
                item.metadata["help"],
            )


def plain(value: Any) -> Any:
    """Return a value with lists in place of tuples, as in TOML."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def toml_value(value: Any) -> str:
    """Return a value as TOML; floats by repr, which reads back exactly."""
    if isinstance(value, str):  # printable, as checked: no other character needs escaping
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return repr(value)
