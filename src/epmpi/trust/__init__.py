"""Checks of untrusted HDF5 files, before their contents are read."""

from epmpi.trust.finding import IncompleteError, followed, why_closed
from epmpi.trust.foreign_writers import HeldError, clear_mark, open_file
from epmpi.trust.open_files import TooManyFilesError, allow_open_files
from epmpi.trust.opening import open_item
from epmpi.trust.run_files import (
    FOLDER,
    SEGMENT,
    check_file,
    check_presence,
    one_line,
    readable,
)

__all__ = [
    "FOLDER",
    "SEGMENT",
    "HeldError",
    "IncompleteError",
    "TooManyFilesError",
    "allow_open_files",
    "check_file",
    "check_presence",
    "clear_mark",
    "followed",
    "one_line",
    "open_file",
    "open_item",
    "readable",
    "why_closed",
]
