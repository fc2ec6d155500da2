"""Words to the user.  That nobody can hear them is never a reason for a run to end.

A log disk is full, a terminal has gone, a pipe is closed at its other end (``| head``), a process
was started without standard streams: what is said then is lost, and the run goes on.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class Forgiving(io.TextIOBase):
    """A text file that loses what it cannot write, without a word.

    Parameters
    ----------
    stream : text file or None
        None stands for a file that is not there: Python's own mark for a closed descriptor.

    Attributes
    ----------
    lost : OSError or None
        Why something could not be written, where somebody may still read the file: no closed pipe.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.lost: OSError | None = None

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
        except ValueError:  # the file is closed
            pass
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Write what is in memory, if that can be done."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except ValueError:
            pass
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            self.lost = error

    def leave(self) -> None:
        """Write what is in memory, or forget it, so that Python's own flush at its end succeeds."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except ValueError:
            pass
        except OSError:
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.fileno())
                os.close(nowhere)


@contextmanager
def forgiving() -> Iterator[None]:
    """Let nothing fail, until the end, because standard output or error has gone.

    A closed descriptor is opened: the next file would take its number, and what MPI and other
    libraries say on standard error would be written into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number, which is this one
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError, ValueError):  # letters that it does not know are marked
                stream.reconfigure(errors="replace")
    output, errors = (Forgiving(stream) for stream in before)
    sys.stdout, sys.stderr = output, errors
    try:
        yield
    finally:
        output.leave()
        errors.leave()
        sys.stdout, sys.stderr = before


def say(line: str) -> None:
    """Write one line on standard error, if there is one."""
    stream = Forgiving(sys.stderr)
    stream.write(f"{line}\n")
    stream.flush()
