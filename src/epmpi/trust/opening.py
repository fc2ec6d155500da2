"""Open an object of a file only if HDF5 cannot loop for ever on it.

HDF5 reads the list of sources of a virtual dataset, and the values of attributes of variable
length, from a global heap, object by object.  On a free object of size zero, as in a block of
zeros, it loops for ever (seen with HDF5 2.0.0), deaf to signals and other threads.  So the bytes
are checked here first.

Source: HDF5 File Format Specification 3.0, III.E (global heap), IV.A.1 (object headers), IV.A.2.i
(data layout), IV.A.2.q (continuation).
"""

from __future__ import annotations

import mmap
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py

LAYOUT, CONTINUATION = 0x08, 0x10  # types of messages
VIRTUAL = 3  # a class of layout; exists since its version 4
LARGEST_BLOCK = 2**26  # bytes of an object header or a heap: ours have a few kilobytes
MOST_BLOCKS = 1000  # of one object header
HEAP = b"GCOL\x01\0\0\0"  # signature and version
HEAP_HEADER = OBJECT_HEADER = 16  # bytes
SMALLEST_SOURCE = 8  # least bytes of an entry in the list of sources
Read = Callable[[int, int], bytes]  # returns so many bytes at an address


def open_item(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """Return the group or dataset that a hard link in a group leads to.

    Raises
    ------
    KeyError
        If there is nothing of that name.
    ValueError
        If it is another kind of link, or HDF5 would loop on it.
    """
    key = name.encode("utf-8", "surrogateescape")
    if not group.id.links.exists(key):
        raise KeyError(name)
    link = group.id.links.get_info(key)
    if link.type != h5py.h5l.TYPE_HARD:
        raise ValueError("is a link")
    file = group.file
    if file.id.get_create_plist().get_sizes() != (8, 8):
        raise ValueError("has addresses that are not of 8 bytes")
    read = reader(file.id.get_vfd_handle(), file.userblock_size)
    for kind, message in messages(read, link.u):
        if kind == LAYOUT and message[0] >= 4 and message[1] == VIRTUAL:
            check_sources(read, number(message, 2, 8), number(message, 10, 4))
    return group[name]


def reader(handle: int, base: int = 0) -> Read:
    """Return a function that reads bytes of a file; addresses count from `base`."""

    def read(address: int, size: int) -> bytes:
        if size > LARGEST_BLOCK:
            raise ValueError(f"has a header or a heap of {size} bytes")
        data = os.pread(handle, size, base + address) if address < 2**62 else b""
        if len(data) < size:
            raise ValueError("has a part of its header beyond the end of the file")
        return data

    return read


def number(data: bytes, at: int, size: int) -> int:
    """Return an unsigned number."""
    if at + size > len(data):
        raise ValueError("has a header that ends too early")
    return int.from_bytes(data[at : at + size], "little")


def messages(read: Read, address: int) -> Iterator[tuple[int, bytes]]:
    """Yield the types and bodies of the messages in the object header at an address."""
    start = read(address, 16)
    blocks: list[tuple[int, int]] = []  # addresses and sizes, of messages alone
    if start[:5] == b"OHDR\x02":
        flags = start[5]
        at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        blocks.append((address + at + width, number(read(address + at, width), 0, width)))
        head, size_at = (6 if flags & 0x04 else 4), 1
    elif start[:1] == b"\x01":
        blocks.append((address + 16, number(start, 8, 4)))
        head, size_at = 8, 2
    else:
        raise ValueError("has no object header")
    for count, (place, length) in enumerate(blocks):
        if count > MOST_BLOCKS:
            raise ValueError("has an object header without an end")
        data, at = read(place, length), 0
        while at + head <= length:
            size = number(data, at + size_at, 2)
            kind, body = number(data, at, size_at), data[at + head : at + head + size]
            if kind == CONTINUATION:
                further, extent = number(body, 0, 8), number(body, 8, 8)
                # Between a signature and a checksum, which the older format lacks.
                blocks.append((further, extent) if size_at == 2 else (further + 4, extent - 8))
            elif kind == LAYOUT:
                number(body, 0, 2)
                yield kind, body
            at += head + size


def check_sources(read: Read, address: int, index: int) -> None:
    """Check the global heap with the list of sources of a virtual dataset, and its length.

    Raises
    ------
    ValueError
        If HDF5 would loop on it, or allocate more sources than there are.
    """
    for kind, data in heap_objects(read, address):
        if kind == index and number(data, 1, 8) * SMALLEST_SOURCE > len(data):
            raise ValueError("claims more sources than there are")


def heap_objects(read: Read, address: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and data of the objects of a global heap; ValueError if HDF5 would loop."""
    head = read(address, HEAP_HEADER)
    if not head.startswith(HEAP):
        raise ValueError("has no global heap where one should be")
    size = number(head, 8, 8)
    heap, at = read(address, size), HEAP_HEADER
    while at + OBJECT_HEADER <= size:
        kind, length = number(heap, at, 2), number(heap, at + 8, 8)
        # The size of free space, object 0, includes its header; other sizes are rounded up to 8.
        taken = length if kind == 0 else OBJECT_HEADER + length + -length % 8
        if not OBJECT_HEADER <= taken <= size - at:
            raise ValueError("has a damaged global heap")
        if kind:
            yield kind, heap[at + OBJECT_HEADER : at + OBJECT_HEADER + length]
        at += taken


def check_heaps(path: Path) -> None:
    """Check all global heaps of a file, which hold values of attributes.

    Raises
    ------
    ValueError
        If HDF5 would loop on one.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(HEAP)
            while at >= 0:
                deque(heap_objects(reader(file.fileno()), at), maxlen=0)
                at = data.find(HEAP, at + 1)
