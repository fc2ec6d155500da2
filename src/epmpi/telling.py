"""Words to the user.  That nobody can hear them is never a reason for a run to end.

A log disk is full, a terminal has gone, a pipe is closed at its other end (``| head``), a process
was started without standard streams: what is said then is lost, and the run goes on.
"""

from __future__ import annotations

import io
import sys
from typing import Any, TextIO


class Forgiving(io.TextIOBase):
    """A text file that loses what it cannot write, without a word.

    Parameters
    ----------
    stream : text file or None
        None stands for a file that is not there: Python's own mark for a closed descriptor.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Return what the file has: its descriptor, its name, ..."""
        return getattr(self._stream, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the file."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def writable(self) -> bool:
        """Tell that it takes text."""
        return True

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def fileno(self) -> int:
        """Return the descriptor of the file; OSError if it has none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write what can be written, letters that the file does not know as question marks."""
        try:
            if self._stream is not None:
                self._stream.write(text)
        except UnicodeEncodeError:
            self.write(text.encode("ascii", "replace").decode())
        except (OSError, ValueError):  # ValueError: the file is closed
            pass
        return len(text)

    def flush(self) -> None:
        """Write what is in memory, if that can be done."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError):
            pass


def say(line: str) -> None:
    """Write one line on standard error, if there is one."""
    stream = Forgiving(sys.stderr)
    stream.write(f"{line}\n")
    stream.flush()
