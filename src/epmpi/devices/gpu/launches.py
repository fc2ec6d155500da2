"""Launches of compiled kernels at a small part of what they cost by way of Numba.

Numba finds the types of all arguments at every launch, asks each array to describe itself, and
turns numbers into objects of ctypes one by one: hundreds of microseconds for the kernel over sites.
Here the kernel that Numba compiled is found once for each combination of types, and its arguments
are packed into one piece of memory, as Numba would pass them.  Numba does the first launch of a
combination itself, which compiles it, and all of them where its insides are others than expected.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable
from typing import Any

WORD = 8  # bytes of a number that is passed
_LOCK = threading.Lock()  # between packing arguments and launching


class Queue:
    """Stream on which kernels are launched, which CuPy uses too.

    Attributes
    ----------
    stream : Any
        As Numba wants it; 0 for the default stream.
    pointer : int
        The same stream, for `launch`.
    array : type
        Of the arrays that arguments are.
    launch : function or None
        cuLaunchKernel; None where Numba launches all kernels itself.
    """

    stream: Any = 0
    pointer = 0
    array: Any = ()  # nothing is an instance of it
    launch: Callable[..., None] | None = None

    @classmethod
    def use(cls, stream: Any, pointer: int, array: Any, launch: Callable[..., None]) -> None:
        """Launch kernels in a stream, on arrays of a type."""
        cls.stream, cls.pointer, cls.array, cls.launch = stream, pointer, array, launch


class PreparedKernel:
    """A kernel for one combination of types, and room for its arguments.

    Parameters
    ----------
    handle : int
        Of the function, for the driver.
    words : str
        One letter of `struct` for each number that is passed.
    """

    def __init__(self, handle: int, words: str) -> None:
        self._handle = handle
        self._format = struct.Struct("=" + words)
        self._memory = ctypes.create_string_buffer(WORD * len(words))
        start = ctypes.addressof(self._memory)
        addresses = [start + WORD * n for n in range(len(words))]
        self._addresses = (ctypes.c_void_p * len(words))(*addresses)
        self._arguments = ctypes.addressof(self._addresses)

    def launch(self, grid: tuple[int, int, int], block: int, numbers: list[Any]) -> None:
        """Launch it in the queue's stream, without waiting.  The driver copies the arguments."""
        assert Queue.launch is not None
        with _LOCK:
            self._format.pack_into(self._memory, 0, *numbers)
            Queue.launch(self._handle, *grid, block, 1, 1, 0, Queue.pointer, self._arguments, 0)


def kinds(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a key for the types of arguments, which differs wherever Numba's does."""
    found: list[Any] = []
    for argument in arguments:
        if isinstance(argument, Queue.array):
            flags = argument.flags
            found.append((argument.dtype.char, argument.ndim, flags.c_contiguous))
        elif isinstance(argument, tuple):
            found.append((type(argument), kinds(argument)))
        else:
            found.append(type(argument))
    return tuple(found)


def words(arguments: tuple[Any, ...]) -> str:
    """Return a letter of `struct` for each number that arguments are passed as.

    Raises
    ------
    TypeError
        For an argument that is passed in another way than by numbers of eight bytes.
    """
    found = ""
    for argument in arguments:
        if isinstance(argument, Queue.array):
            found += "qqqqQ" + 2 * argument.ndim * "q"
        elif isinstance(argument, tuple):
            found += words(argument)
        elif getattr(argument, "nbytes", WORD) != WORD:
            raise TypeError(f"{type(argument).__name__} has {argument.nbytes} bytes")
        else:
            found += _letter(argument)
    return found


def _letter(number: Any) -> str:
    """Return the letter of `struct` for a number."""
    kind = number.dtype.kind if hasattr(number, "dtype") else {int: "i", float: "f"}[type(number)]
    return {"i": "q", "u": "Q", "f": "d"}[kind]


def pack(arguments: tuple[Any, ...], numbers: list[Any]) -> list[Any]:
    """Append the numbers that arguments are passed as, in Numba's order, and return them all.

    An array is two pointers that a kernel does not use, its size, the bytes of an element, its
    address, its shape and its strides.
    """
    for argument in arguments:
        if isinstance(argument, Queue.array):
            numbers += (0, 0, argument.size, argument.itemsize, argument.data.ptr)
            numbers += argument.shape
            numbers += argument.strides
        elif isinstance(argument, tuple):
            pack(argument, numbers)
        else:
            numbers.append(argument)
    return numbers


def prepared(compiled: Any, arguments: tuple[Any, ...]) -> PreparedKernel | None:
    """Return the kernel that Numba has compiled for arguments; None where it is not found."""
    if Queue.launch is None:
        return None
    try:
        types = tuple(compiled.typeof_pyval(argument) for argument in arguments)
        function = compiled.overloads[types]._codelibrary.get_cufunc()
        handle = getattr(function, "kernel", function).handle
        return PreparedKernel(int(getattr(handle, "value", handle)), words(arguments))
    except (AttributeError, KeyError, TypeError, ValueError):  # another version of Numba's insides
        return None
