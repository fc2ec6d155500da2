"""Compilation for the GPU, of the same scalar functions as for the CPU.

`rules` and `randomness` are compiled whole.  What the CPU's loops do with one site or one tracer is
compiled from their Python source too, with the functions that it calls replaced by these.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numba
from numba import cuda as numba_cuda

from epmpi.devices.gpu.launches import PreparedKernel, Queue, kinds, pack, prepared
from epmpi.physics import randomness as plain_randomness
from epmpi.physics import rules as plain_rules

cuda: Any = numba_cuda  # its own types are those of the calling side, not of a kernel's inside

# All launches and CuPy's own work go to one stream: without this Numba would wait for it before
# each kernel.  The package numba-cuda reads its own switch.
# Nor is it news that a small lattice leaves a part of the card idle.
numba.config.CUDA_ARRAY_INTERFACE_SYNC = False  # type: ignore[attr-defined]
numba.config.CUDA_LOW_OCCUPANCY_WARNINGS = False  # type: ignore[attr-defined]
with suppress(ImportError):
    settings: Any = importlib.import_module("numba.cuda.core.config")
    settings.CUDA_ARRAY_INTERFACE_SYNC = False
    settings.CUDA_LOW_OCCUPANCY_WARNINGS = False

WARP = 32  # threads that run in step
MOST_ROWS = 65535  # of blocks, and layers
THREADS = 128  # of a block, unless there are fewer


def stream_of(pointer: int) -> Any:
    """Return a stream that CuPy made, as Numba wants it."""
    return cuda.external_stream(pointer)


def identity_of(number: int) -> str:
    """Return the UUID of a card, as the driver knows it."""
    return str(cuda.gpus[number].uuid)


def compile_module(module: ModuleType) -> SimpleNamespace:
    """Compile every function of a module of plain scalar functions; see `cpu.compiler`."""
    names = dict(vars(module))
    for name, value in vars(module).items():
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            names[name] = cuda.jit(device=True)(FunctionType(value.__code__, names, name))
    return SimpleNamespace(**names)


rules = compile_module(plain_rules)
randomness = compile_module(plain_randomness)


def compile_loop(loop: Any, **others: Callable) -> Callable:
    """Compile a function of the CPU's loops for the GPU.

    Parameters
    ----------
    loop : function that Numba compiled for the CPU
    **others : compiled functions
        For the names that are neither in `rules` nor in `randomness`.
    """
    plain = loop.py_func
    known = vars(rules) | vars(randomness) | others
    names = {
        name: known.get(name, value) if hasattr(value, "py_func") else value
        for name, value in plain.__globals__.items()
    }
    compiled: Callable = cuda.jit(device=True)(FunctionType(plain.__code__, names, plain.__name__))
    return compiled


def kernel(function: Callable) -> Callable[..., None]:
    """Compile a kernel; return the function ``launch(threads, *arguments)``.

    It starts at least so many threads, in the stream of `Queue`, and does not wait for them; for
    (threads, rows, layers) so many in the blocks of each row and layer, or of the first 65535 rows.
    """
    compiled: Any = cuda.jit(function)
    known: dict[tuple, PreparedKernel | None] = {}  # by the kinds of arguments

    def launch(threads: int | tuple[int, int, int], *arguments: Any) -> None:
        across, rows, layers = (threads, 1, 1) if isinstance(threads, int) else threads
        if min(across, rows, layers) <= 0:
            return
        block = min(THREADS, -(-across // WARP) * WARP)
        grid = -(-across // block), min(rows, MOST_ROWS), layers
        kind = kinds(arguments)
        if (found := known.get(kind)) is not None:
            found.launch(grid, block, pack(arguments, []))
            return
        compiled[grid, block, Queue.stream](*arguments)
        if kind not in known:
            known[kind] = prepared(compiled, arguments)

    launch.compiled = compiled  # type: ignore[attr-defined]
    launch.prepared = known  # type: ignore[attr-defined]
    launch.__doc__ = function.__doc__
    return launch
