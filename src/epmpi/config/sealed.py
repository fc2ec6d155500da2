"""Objects without new attributes: setting a misspelt one is an error."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any


class Sealed:
    """Base of objects that refuse new attributes after `seal`."""

    _sealed = False

    def seal(self) -> None:
        """Refuse new attributes from now on; called last in `__init__`."""
        self._sealed = True

    if not TYPE_CHECKING:  # type checkers refuse unknown attributes themselves

        def __setattr__(self, name: str, value: Any) -> None:
            """Set an existing attribute; otherwise raise AttributeError with a suggestion."""
            if self._sealed and not hasattr(self, name):
                kind, known = type(self).__name__, [n for n in dir(self) if not n.startswith("_")]
                near = get_close_matches(name, known, 1)
                hint = f": did you mean {near[0]}?" if near else f", expected one of {known}"
                raise AttributeError(f"{kind} has no attribute {name}{hint}")
            super().__setattr__(name, value)
