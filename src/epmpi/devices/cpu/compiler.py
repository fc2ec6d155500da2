"""Compilation for the CPU: Numba, with a cache on disk (`code_cache`)."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numba

from epmpi.devices import scalars
from epmpi.devices.cpu.code_cache import CodeCache
from epmpi.physics import advection as plain_advection
from epmpi.physics import randomness as plain_randomness
from epmpi.physics import rules as plain_rules
from epmpi.physics import switching as plain_switching


def compiled(function: Callable, from_python: bool = True) -> Callable:
    """Compile a loop for the CPU and keep the result on disk.

    With `from_python` false, for functions that only compiled loops call, it compiles faster.

    Strict IEEE arithmetic except for fused multiply-adds, so that a line or a site gives the same
    bits at any place.
    """
    dispatcher = numba.njit(  # type: ignore[call-overload]
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=not from_python,
        no_cfunc_wrapper=not from_python,
    )(function)
    dispatcher._cache = CodeCache(function)  # where `cache=True` would put Numba's own
    return dispatcher


def inlined(function: Callable) -> Callable:
    """Compile a function that is inlined into the loops that call it."""
    return numba.njit(error_model="numpy", forceinline=True)(function)


def uncounted(**options: Any) -> Callable[[Callable], Any]:
    """Return Numba's compiler without reference counting, for functions that make no array."""
    untyped: Any = numba.njit  # Numba's types lack `_nrt`
    compiler: Callable[[Callable], Any] = untyped(
        nogil=True, error_model="numpy", _nrt=False, **options
    )
    return compiler


def part(function: Callable) -> Callable:
    """Compile a part of a `record_loop`, which is inlined into it."""
    return uncounted(forceinline=True)(function)


def record_loop(function: Callable) -> Callable:
    """Compile a loop over arrays that come in records (named tuples), as `compiled` does.

    Without reference counting, which would take longer than the work: it may make no arrays.
    """
    dispatcher = uncounted()(function)
    dispatcher._cache = CodeCache(function)
    return dispatcher


def called_loop(function: Callable) -> Callable:
    """Compile a function that a `record_loop` calls in several places, without inlining."""
    return uncounted(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def compile_module(
    module: ModuleType, *below: SimpleNamespace, **others: Callable
) -> SimpleNamespace:
    """Compile the plain functions of a module, to be inlined; see `scalars.compile_module`.

    A call that is left would keep a loop from being vectorised.
    """
    return scalars.compile_module(module, inlined, *below, **others)


rules = compile_module(plain_rules)
randomness = compile_module(plain_randomness)
switching = compile_module(plain_switching, rules, randomness)
advection = compile_module(plain_advection)
