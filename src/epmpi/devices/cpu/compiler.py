"""Compilation for the CPU: Numba, with a cache that knows what it depends on.

Numba keeps compiled code beside its source and looks at the time stamp of that one file; code that
imports a changed function of another file stays stale.  Here the cache folder bears a hash of every
source that goes into the compiled loops: the scalar physics, the draws, and this package.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace

import numba

from epmpi import randomness as plain_randomness
from epmpi import rules as plain_rules


def _source_hash() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    sources += [Path(str(plain_rules.__file__)), Path(str(plain_randomness.__file__))]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> str:
    base = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(base) if base else Path.home() / ".cache" / "epmpi"
    return str(folder / f"cpu-{_source_hash()}")


_CACHE_FOLDER = _cache_folder()


def compiled(function: Callable, from_python: bool = True) -> Callable:
    """Compile a loop for the CPU and keep the result on disk.

    What only other compiled loops call is compiled faster with `from_python` false.

    Strict IEEE arithmetic but for fused multiply-adds, so that a line or a site gives the same bits
    wherever it stands.
    """
    folder = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = _CACHE_FOLDER  # type: ignore[attr-defined]
    try:
        return numba.njit(  # type: ignore[call-overload]
            cache=True,
            nogil=True,
            error_model="numpy",
            no_cpython_wrapper=not from_python,
            no_cfunc_wrapper=not from_python,
        )(function)
    finally:
        numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]


def inlined(function: Callable) -> Callable:
    """Compile what other compiled loops contain: it is put in place where it is called."""
    return numba.njit(error_model="numpy", forceinline=True)(function)


def compile_module(module: ModuleType) -> SimpleNamespace:
    """Compile every function of a module of plain scalar functions.

    The copies call each other's compiled form and are inlined where they are used (a call that is
    left would keep a loop from being vectorised); the module itself is left as it is.

    Returns
    -------
    SimpleNamespace
        The compiled functions and the constants, under their names.
    """
    names = dict(vars(module))
    for name, value in vars(module).items():
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            copy = FunctionType(value.__code__, names, name)
            names[name] = inlined(copy)
    return SimpleNamespace(**names)


rules = compile_module(plain_rules)
randomness = compile_module(plain_randomness)
