"""Objects that take no attributes beside their own: a name that is mistyped is an error."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any


class Sealed:
    """Refuses to be given attributes that it does not have, from `seal` on."""

    _sealed = False

    def seal(self) -> None:
        """Take no more new attributes; to be called last in `__init__`."""
        self._sealed = True

    if not TYPE_CHECKING:  # a type checker knows the attributes, and refuses others itself

        def __setattr__(self, name: str, value: Any) -> None:
            """Set an attribute that is there; AttributeError otherwise, with what is meant."""
            if self._sealed and not hasattr(self, name):
                kind, known = type(self).__name__, [n for n in dir(self) if not n.startswith("_")]
                near = get_close_matches(name, known, 1)
                hint = f": did you mean {near[0]}?" if near else f", expected one of {known}"
                raise AttributeError(f"{kind} has no attribute {name}{hint}")
            super().__setattr__(name, value)
