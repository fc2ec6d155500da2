"""How a failed write is told: one line with the file, the reason and the remedy."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "free some space there, or write the run to another disk",
    errno.EDQUOT: "free some of your quota there, or write the run to another disk",
    errno.EFBIG: "raise the limit of the file size (ulimit -f), or write the run to another disk",
    errno.EACCES: "check the permissions, or write the run to another directory",
    errno.EROFS: "write the run to another directory",
    errno.EIO: "check the disk",
}


class OutputError(OSError):
    """Tell in one line which file could not be written, why, and what to do."""


@contextmanager
def told_in_one_line(path: Path) -> Iterator[None]:
    """Turn the errors of HDF5 and of the system while `path` is written into an OutputError.

    HDF5 reports a full disk as OSError while writing and as RuntimeError while closing, with the
    number of the system's error in the text alone.
    """
    try:
        yield
    except OutputError:
        raise
    except (OSError, RuntimeError) as error:
        raise OutputError(f"cannot write {path}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return the reason and, where there is one, the remedy, on one line."""
    number = getattr(error, "errno", None)
    if number is None:
        found = re.search(r"errno = (\d+)", str(error))
        number = int(found[1]) if found else None
    if number is None:
        return " ".join(str(error).split())
    remedy = REMEDIES.get(number)
    return os.strerror(number) + (f"; {remedy}" if remedy else "")
