"""A key and its section, which checks and converts its keys when it is made."""

from dataclasses import Field, field, fields
from typing import Any, ClassVar, NamedTuple

from epmpi.config.kinds import Kind


class ConfigError(ValueError):
    """Tell in one line why a configuration cannot be run: what was got, expected, the remedy."""


class Description(NamedTuple):
    """Describe one key, as texts for a table."""

    section: str
    key: str
    type: str
    default: str
    unit: str
    range: str
    help: str


def key(default: Any, kind: Kind, unit: str, help: str) -> Any:
    """Make the dataclass field of one key; a key whose default is None may be left out."""
    return field(default=default, metadata={"kind": kind, "unit": unit, "help": help})


class Section:
    """Base of the sections: frozen dataclasses that check and convert their keys when made.

    Raises
    ------
    ConfigError
        For a value of the wrong type or out of its range, NaN and infinities included.
    """

    section: ClassVar[str]

    def __post_init__(self) -> None:
        """Check every key by its kind."""
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if value is None and item.default is None:
                continue
            kind = item.metadata["kind"]
            try:
                value = kind.accept(value)
            except ValueError:
                name = f"{self.section}.{item.name} = {shown(value)}"
                expected = f"expected {kind.type}, {kind.range}"
                remedy = kind.hint(value) or default_remedy(item)
                raise ConfigError(f"{name}: {expected}; {remedy}") from None
            object.__setattr__(self, item.name, value)  # the way to convert in a frozen dataclass


def default_remedy(item: Field[Any]) -> str:
    """Return the remedy that always works: the default."""
    if item.default is None:
        return "leave the key out or give such a value"
    return f"the default is {shown(item.default)}"


def shown(value: Any) -> str:
    """Return the value as a short text on one line, whatever it is."""
    try:
        text = " ".join(repr(value).split())
    except (ValueError, RecursionError):  # integers of thousands of digits, bottomless lists
        text = f"({type(value).__name__} too large to print)"
    return text if len(text) <= 80 else text[:77] + "..."
