"""Compilation for the GPU, of the same scalar functions of `epmpi.physics` as for the CPU."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType, SimpleNamespace
from typing import Any

import numba
import numpy as np
from numba import cuda as numba_cuda

from epmpi.config import ConfigError
from epmpi.devices import scalars
from epmpi.devices.gpu.launches import PreparedKernel, Queue, kinds, pack, prepared
from epmpi.physics import advection as plain_advection
from epmpi.physics import randomness as plain_randomness
from epmpi.physics import rules as plain_rules
from epmpi.physics import switching as plain_switching

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


def check_compiler() -> None:
    """Load what Numba compiles kernels with.

    Raises
    ------
    ConfigError
        If it does not go with the NumPy that is installed.
    """
    try:
        importlib.import_module("numba.cuda.cudaimpl")
    except (AttributeError, ImportError) as problem:
        raise ConfigError(
            f"Numba compiles no kernels for GPUs beside NumPy {np.__version__} ({problem}): "
            "pip install 'numpy<2.5', or set run.device = \"cpu\""
        ) from None


def stream_of(pointer: int) -> Any:
    """Return a stream that CuPy made, as Numba wants it."""
    return cuda.external_stream(pointer)


def identity_of(number: int) -> str:
    """Return the UUID of a card, as the driver knows it."""
    return str(cuda.gpus[number].uuid)


def compile_module(module: ModuleType, *below: SimpleNamespace) -> SimpleNamespace:
    """Compile the plain functions of a module for kernels; see `scalars.compile_module`."""
    return scalars.compile_module(module, cuda.jit(device=True), *below)


rules = compile_module(plain_rules)
randomness = compile_module(plain_randomness)
switching = compile_module(plain_switching, rules, randomness)
advection = compile_module(plain_advection)


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
