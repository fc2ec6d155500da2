"""Keys, and sections that check and convert their keys when they are made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import Field, field, fields
from typing import Any, ClassVar, NamedTuple

from epmpi.config.kinds import Kind


class ConfigError(ValueError):
    """An invalid configuration: what was found, what is expected, the remedy.

    `args` has a line for each error; the message of several begins with their number.
    """

    def __str__(self) -> str:
        if len(self.args) < 2:
            return super().__str__()
        head = f"{len(self.args)} errors in the configuration:"
        return "\n".join([head, *(f"  {fault}" for fault in self.args)])


class Faults:
    """All errors of a configuration, reported together."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Record a ConfigError, and continue."""
        try:
            yield
        except ConfigError as error:
            self._found += [fault for fault in error.args if fault not in self._found]

    def report(self) -> None:
        """Raise ConfigError if there are errors."""
        if self._found:
            raise ConfigError(*self._found)


class Description(NamedTuple):
    """Description of a key, as texts for a table."""

    section: str
    key: str
    type: str
    default: str
    unit: str
    range: str
    help: str


def key(default: Any, kind: Kind, unit: str, help: str) -> Any:
    """Make the dataclass field of a key; one with the default None may be left out."""
    return field(default=default, metadata={"kind": kind, "unit": unit, "help": help})


class Section:
    """Base of the sections: frozen dataclasses that check and convert their keys when made.

    Raises
    ------
    ConfigError
        For values of the wrong type or out of range, NaN and infinities included.
    """

    section: ClassVar[str]

    def __post_init__(self) -> None:
        """Check every key by its kind."""
        faults = Faults()
        for item in fields(self):  # type: ignore[arg-type]
            with faults.noted():
                self._check(item)
        faults.report()

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
        object.__setattr__(self, item.name, accepted)  # the dataclass is frozen


def as_plain(value: Any) -> Any:
    """Return arrays and numbers of NumPy, or of similar libraries, as lists and plain numbers."""
    if hasattr(value, "tolist") and hasattr(value, "ndim"):
        return value.tolist()
    return value


def default_remedy(item: Field[Any]) -> str:
    """Return the remedy that always works: the default."""
    if item.default is None:
        return "leave the key out or give such a value"
    return f"the default is {shown(item.default)}"


def shown(value: Any) -> str:
    """Return any value as a short text on one line."""
    try:
        text = " ".join(repr(value).split())
    except (ValueError, RecursionError):  # integers of thousands of digits, bottomless lists
        text = f"({type(value).__name__} too large to print)"
    return text if len(text) <= 80 else text[:77] + "..."
