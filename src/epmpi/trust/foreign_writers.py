"""Files of a run that another program has open for writing, or had when it was killed.

HDF5 marks a file that it opens for writing, and refuses to open a marked file, even after the
program was killed.  epmpi never writes to a published file, so a mark on one is that of another
program, such as ``h5py.File("run.h5", "r+")``.

Source: HDF5 File Format Specification 3.0, II.A (superblock, version 3); Bob Jenkins, lookup3.c.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n\x03"  # and the version of the superblock that has a mark
SUPERBLOCK, MARK, CHECKSUM = 48, 11, 44  # bytes: its length, offsets of mark and checksum
MOST = 5  # largest number of programs to name


class HeldError(OSError):
    """A file that another program has open for writing, or had when it was killed; one line."""


def open_file(path: str | Path) -> h5py.File:
    """Open a file of a run for reading, without a lock of HDF5 where the file system has none.

    Raises
    ------
    HeldError
        If another program has it open for writing, or was killed while it had.
    OSError
        If it cannot be opened for another reason.
    """
    try:
        return h5py.File(path, "r")
    except OSError as error:
        path = Path(path)
        found, mark = writers(path), marked(path)
        if found:
            raise HeldError(f"{path.name} is open for writing in {found}: close it there") from None
        if mark:
            raise HeldError(
                f"{path.name} is marked as open for writing, by a program that was killed or runs "
                f"on another machine: epmpi resume RUN clears the mark, or h5clear -s {path.name}"
            ) from None
        if _without_locks(error):
            return h5py.File(path, "r", locking=False)
        raise


def _without_locks(error: OSError) -> bool:
    """Tell whether HDF5 found no file lock to be had, rather than one of another program."""
    held = (errno.EWOULDBLOCK, errno.EACCES)
    return "unable to lock file" in str(error) and error.errno not in held


def clear_mark(path: Path) -> bool:
    """Clear the mark of a program that was killed; return whether there was one.

    Only the superblock is written, as by `h5clear -s`.  Readers must check the rest of the file.

    Raises
    ------
    HeldError
        If the program is alive, or may be; the file is not changed.
    OSError
        If it cannot be written.
    """
    if not marked(path):
        return False
    if found := writers(path):
        raise HeldError(f"{path.name} is open for writing in {found}: close it there")
    with open(path, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # HDF5 has one while it is open
        except OSError as error:
            raise HeldError(
                f"{path.name} is open for writing in another program, perhaps on another machine: "
                f"close it there; if it was killed: h5clear -s {path.name}"
            ) from error
        block = bytearray(file.read(SUPERBLOCK))
        block[MARK] = 0
        block[CHECKSUM:] = struct.pack("<I", checksum(bytes(block[:CHECKSUM])))
        os.pwrite(file.fileno(), block, 0)
        os.fsync(file.fileno())
    return True


def marked(path: Path) -> bool:
    """Tell whether a file with an intact superblock is marked as open for writing."""
    try:
        with open(path, "rb") as file:
            block = file.read(SUPERBLOCK)
    except OSError:
        return False
    return (
        len(block) == SUPERBLOCK
        and block.startswith(SIGNATURE)
        and block[MARK] != 0
        and checksum(block[:CHECKSUM]) == struct.unpack("<I", block[CHECKSUM:])[0]
    )


def writers(path: Path) -> str:
    """Return names and numbers of the processes that have a file open for writing.

    Only those of this user are found, and only where there is a /proc.
    """
    with suppress(OSError):
        found = dict.fromkeys(_writers(os.stat(path)))
        return ", ".join(list(found)[:MOST])
    return ""


def _writers(file: os.stat_result) -> Iterator[str]:
    for process in filter(str.isdigit, os.listdir("/proc")):
        folder = Path("/proc") / process
        with suppress(OSError, ValueError, IndexError):
            for handle in os.listdir(folder / "fd"):
                if not os.path.samestat(os.stat(folder / "fd" / handle), file):
                    continue
                flags = (folder / "fdinfo" / handle).read_bytes().split(b"flags:")[1].split()[0]
                if int(flags, 8) & os.O_ACCMODE != os.O_RDONLY:
                    name = (folder / "comm").read_bytes().strip().decode("utf-8", "replace")
                    yield f"{name} (process {process})"


def checksum(data: bytes) -> int:
    """Return the checksum of HDF5's metadata (lookup3), for lengths that are no multiple of 12."""
    a = b = c = 0xDEADBEEF + len(data)
    whole = len(data) // 12 * 12
    for words in struct.iter_unpack("<3I", data[:whole]):
        a, b, c = _mixed(*((x + y) % 2**32 for x, y in zip((a, b, c), words, strict=True)))
    last = struct.unpack("<3I", data[whole:].ljust(12, b"\0"))
    return _final(*((x + y) % 2**32 for x, y in zip((a, b, c), last, strict=True)))


def _turned(x: int, bits: int) -> int:
    """Return a word of 32 bits rotated to the left."""
    return (x << bits | x >> 32 - bits) % 2**32


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits in (4, 6, 8, 16, 19, 4):
        a = (a - c) % 2**32 ^ _turned(c, bits)
        c = (c + b) % 2**32
        a, b, c = b, c, a
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _turned(b, bits)) % 2**32
        a, b, c = b, c, a
    return b
