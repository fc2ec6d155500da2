"""Failures of writing: one line with the file, the reason and the remedy, alike on all ranks."""

from __future__ import annotations

import errno
import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import h5py

from epmpi.config import ConfigError
from epmpi.parallel import Communicator, is_of_mpi
from epmpi.trust import HeldError

Result = TypeVar("Result")

REMEDIES = {
    errno.ENOSPC: "free some space there, or write the run to another disk",
    errno.EDQUOT: "free some of your quota there, or write the run to another disk",
    errno.EFBIG: "raise the limit of the file size (ulimit -f), or write the run to another disk",
    errno.EACCES: "check the permissions, or write to another directory with -o",
    errno.EROFS: "write to another directory with -o",
    errno.EIO: "check the disk",
    errno.ENOLCK: "its file system has no locks: set HDF5_USE_FILE_LOCKING=FALSE",
}


class OutputError(OSError):
    """A file that could not be written: one line with the reason and the remedy."""


def on_root(communicator: Communicator, action: Callable[[], Result]) -> Result | None:
    """Call an action on the root alone.  Collective.

    Returns
    -------
    the result of the action; None on the other ranks

    Raises
    ------
    ConfigError, OutputError
        On all ranks, if the action raises it.
    """
    result, error = None, None
    if communicator.is_root:
        try:
            result = action()
        except (ConfigError, OutputError) as failed:
            error = failed
    communicator.raise_alike(error)
    return result


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn the errors of HDF5 and of the system while `path` is written into an OutputError.

    HDF5 reports a full disk as OSError while writing and as RuntimeError while closing, with the
    number of the system's error in the text alone.  Errors of MPI are passed on: they end all
    ranks.
    """
    try:
        yield
    except (OutputError, HeldError):
        raise
    except (OSError, RuntimeError) as error:
        if is_of_mpi(error):
            raise
        raise OutputError(f"cannot write {path}: {reason(error)}") from error


@contextmanager
def writing(path: Path, mode: str, **options: Any) -> Iterator[h5py.File]:
    """Open an HDF5 file without readers, and close it at the end.

    Hold all datasets that are made in it until then; see `datasets`.

    Raises
    ------
    OutputError
        If it cannot be written; the file is then empty.
    """
    with output_errors(path):
        # Without a lock of HDF5: the file is private, and not every file system has locks.
        file = h5py.File(path, mode, locking=False, **options)
        kept = datasets(file)
        try:
            yield file
            file.flush()
        except BaseException:
            throw_away(file, kept)
            raise
        kept.clear()
        file.close()


def datasets(file: h5py.File) -> list[h5py.Dataset]:
    """Return all datasets of a file, to be held until it has been flushed.

    When the last handle of a dataset is closed, HDF5 writes its buffers, and cannot report a
    failure.
    """
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


def throw_away(file: h5py.File, held: list[h5py.Dataset]) -> None:
    """Close a file that could not be written; its contents are lost.

    After a failed close HDF5 may crash, at once or at exit.  So its buffers are flushed to a file
    in memory instead; where the system has no such files, the file is emptied to make space.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    with suppress(Exception):
        if hasattr(os, "memfd_create"):
            memory = os.memfd_create("discarded")
            os.dup2(memory, file.id.get_vfd_handle())
            os.close(memory)
        else:
            os.truncate(file.id.get_vfd_handle(), 0)
    held.clear()
    with suppress(Exception):
        file.close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
