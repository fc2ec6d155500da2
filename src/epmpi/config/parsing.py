"""Reading of TOML files and overrides section.key=value to mappings {section: {key: value}}."""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from epmpi.config.keys import ConfigError, Faults, shown
from epmpi.config.kinds import did_you_mean

Table = dict[str, dict[str, Any]]
Known = Mapping[str, tuple[str, ...]]  # the keys of each section


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a TOML file, UTF-8 with or without a byte order mark.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not UTF-8 or is not TOML (with line and column).
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{shown(str(path))} cannot be read: {reason}; check the path") from None
    encoding = json.detect_encoding(content)  # by a byte order mark, or zeros: TOML has none
    if not encoding.startswith("utf-8"):
        raise ConfigError(f"{path} is {encoding[:6].upper()}; save the file as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}: line {line} is not UTF-8, perhaps Windows-1252 or Latin-1; save the file as "
            "UTF-8"
        ) from None
    return parse_toml(text, str(path))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Parse TOML; `source` names it in the ConfigError."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: not valid TOML: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError is one, integers of thousands of digits another
        raise ConfigError(f"{source}: not valid TOML: {error}") from None


def check_keys(mapping: Any, known: Known, faults: Faults) -> Table:
    """Return a copy of the known keys of a mapping.

    Unknown sections and keys, and sections that are not tables, are recorded as faults.
    """
    table: Table = {}
    with faults.noted():
        if not isinstance(mapping, Mapping):
            raise ConfigError(f"{shown(mapping)}: expected a mapping of sections to keys")
        for section, values in mapping.items():
            with faults.noted():
                check_section(section, values, known)
                table[section] = {}
                for name, value in values.items():
                    with faults.noted():
                        if name not in known[section]:
                            raise unknown_key(section, name, known)
                        table[section][name] = value
    return table


def check_section(section: Any, values: Any, known: Known) -> None:
    """Raise ConfigError for an unknown section, or one that is not a table."""
    if section not in known:
        remedy = section_of_key(section, known) or did_you_mean(section, known)
        raise ConfigError(f"unknown section {shown(section)}; {remedy}")
    if not isinstance(values, Mapping):
        expected = f"expected a table of keys, [{section}]"
        raise ConfigError(f"{section} = {shown(values)}: {expected}")


def unknown_key(section: str, name: Any, known: Known) -> ConfigError:
    """Return the error for a key that its section does not have."""
    remedy = section_of_key(name, known) or did_you_mean(name, known[section])
    return ConfigError(f"unknown key {shown(name)} in section [{section}]; {remedy}")


def section_of_key(name: Any, known: Known) -> str:
    """Return the remedy for a known key in the wrong place, else an empty text."""
    homes = [section for section, names in known.items() if name in names]
    return f'did you mean "{homes[0]}.{name}"?' if homes else ""


def apply_overrides(table: Table, overrides: Iterable[str], known: Known, faults: Faults) -> Table:
    """Return the table with all overrides section.key=value applied in order.

    Those without "=" or section, of an unknown key, or not valid TOML are recorded as faults.
    """
    result = {section: dict(values) for section, values in table.items()}
    for override in overrides:
        with faults.noted():
            section, key, value = parse_override(override, known)
            result.setdefault(section, {})[key] = value
    return result


def parse_override(override: str, known: Known) -> tuple[str, str, Any]:
    """Return section, key and value of a text section.key=value, or raise ConfigError."""
    name, equals, text = override.partition("=")
    section, dot, key = (part.strip() for part in name.partition("."))
    if not equals or not dot:
        remedy = section_of_key(name.strip(), known)
        expected = "expected section.key=value, such as model.temperature=0.2"
        raise ConfigError("; ".join(filter(None, (f"{shown(override)}: {expected}", remedy))))
    if section not in known:
        raise ConfigError(f"unknown section {shown(section)}; {did_you_mean(section, known)}")
    if key not in known[section]:
        raise unknown_key(section, key, known)
    return section, key, parse_value(text.strip(), f"{section}.{key}")


def parse_value(text: str, name: str) -> Any:
    """Return a TOML value; a bare word, without the quotes of TOML, is taken as a text.

    Raises
    ------
    ConfigError
        For an incomplete quoted text, array or table.
    """
    try:
        parsed = parse_toml(f"value = {text}", name)
    except ConfigError as error:
        # Not a bare word: an incomplete quoted text, array or table.
        if not text or text[0] in "\"'[{":
            raise ConfigError(
                f"{shown(f'{name}={text}')}: not a TOML value; {hint(text)}"
            ) from error
        return text
    return parsed["value"] if len(parsed) == 1 else text


def hint(text: str) -> str:
    """Return the remedy for an override that is not a TOML value."""
    if not text:
        return "give a value after the ="
    return "close the quotes or brackets, and quote the whole for the shell"
