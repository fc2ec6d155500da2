"""A key and its section, which checks and converts its keys when it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import Field, field, fields
from typing import Any, ClassVar, NamedTuple

from epmpi.config.kinds import Kind


class ConfigError(ValueError):
    """Tell why a configuration cannot be run: what was got, expected, the remedy.

    A line for each fault, which are `args`; with several, a line that counts them comes first.
    """

    def __str__(self) -> str:
        if len(self.args) < 2:
            return super().__str__()
        head = f"{len(self.args)} errors in the configuration:"
        return "\n".join([head, *(f"  {fault}" for fault in self.args)])


class Faults:
    """What is wrong with a configuration, all of it: a user mends it in one go."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take note of a ConfigError, and go on."""
        try:
            yield
        except ConfigError as error:
            self._found += [fault for fault in error.args if fault not in self._found]

    def tell(self) -> None:
        """Raise ConfigError if anything is wrong."""
        if self._found:
            raise ConfigError(*self._found)


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
        For values of the wrong type or out of their range, NaN and infinities included.
    """

    section: ClassVar[str]

    def __post_init__(self) -> None:
        """Check every key by its kind."""
        faults = Faults()
        for item in fields(self):  # type: ignore[arg-type]
            with faults.noted():
                self._check(item)
        faults.tell()

    def _check(self, item: Field[Any]) -> None:
        value, kind = getattr(self, item.name), item.metadata["kind"]
        if value is None and item.default is None:
            return
        try:
            accepted = kind.accept(as_plain(value))
        except ValueError:
            name = f"{self.section}.{item.name} = {shown(value)}"
            expected = f"expected {kind.type}, {kind.range}"
            remedy = kind.hint(value) or default_remedy(item)
            raise ConfigError(f"{name}: {expected}; {remedy}") from None
        object.__setattr__(self, item.name, accepted)  # the way to convert in a frozen dataclass


def as_plain(value: Any) -> Any:
    """Return an array or a number of NumPy, or of its like, as lists and plain numbers."""
    if hasattr(value, "tolist") and hasattr(value, "ndim"):
        return value.tolist()
    return value


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
