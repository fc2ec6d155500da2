"""Time of line transforms, ns a site: the compiled strips beside the libraries that are installed.

    python -m benchmarks.lines [--lengths 128 ...] [--precision double|single] [--rounds 60]

All in one process on one core, in turn, the shortest of all calls. A site is a real number of a
field: real rows (n sites each way), and columns of their spectra there and back (two sites a mode,
as a convolution needs them, taken from and put back into a row-major array). `complex` is one
transform of lines that are already where the library wants them, ns a mode. The error is of rows
forward, root mean square, in units of the last place.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices.cpu.compiler import compiled
from epmpi.devices.cpu.fourier.lines import forward, inverse, load_columns, store_columns
from epmpi.devices.cpu.fourier.plans import line_plan, line_width, row_plan, workspace
from epmpi.devices.cpu.fourier.real_lines import restore_rows, transform_rows
from epmpi.devices.cpu.vector_memory import lanes

LENGTHS = (128, 256, 512, 1024, 2048, 4096, 96, 1000, 1500)
TASKS = ("rows", "rows back", "columns", "complex")
SITES = 1 << 15  # of a block of rows: a quarter of a megabyte
CALLS = 5  # in a row, so that the arrays are in cache as they are in a step's block
COLUMNS_APART = 65  # columns of the array from which a few at a time are taken


@compiled
def _rows(fields, spectra, work, plan):
    for row in range(0, len(fields), lanes(work)):
        transform_rows(fields, row, spectra, row, work, plan)


@compiled
def _rows_back(fields, spectra, work, plan):
    for row in range(0, len(fields), lanes(work)):
        restore_rows(spectra, row, fields, row, work, plan)


@compiled
def _columns(modes, work, plan):
    for column in range(0, modes.shape[1], lanes(work)):
        load_columns(modes, column, work, plan)
        forward(work, plan)
        inverse(work, plan)
        store_columns(work, plan, modes, column, False)


@compiled
def _complex(times, work, plan):
    for _ in range(times):
        forward(work, plan)


def strips(fields: NDArray, spectra: NDArray, modes: NDArray, lines: NDArray) -> dict:
    """Return the four tasks of the compiled strips."""
    length, dtype = fields.shape[1], fields.dtype
    work, line, row = workspace(length, dtype), line_plan(length, dtype), row_plan(length, dtype)
    count = len(lines) // line_width(dtype)
    return {
        "rows": lambda: _rows(fields, spectra, work, row),
        "rows back": lambda: _rows_back(fields, spectra, work, row),
        "columns": lambda: _columns(modes, work, line),
        "complex": lambda: _complex(count, work, line),
    }


def library(
    fields: NDArray, spectra: NDArray, modes: NDArray, lines: NDArray, calls: Callable
) -> dict:
    """Return the four tasks of a library that transforms contiguous lines."""
    rows, rows_back, there, back = calls(fields, spectra, lines)

    def columns() -> None:
        for first in range(0, modes.shape[1], len(lines)):
            strip = modes[:, first : first + len(lines)]
            lines[: strip.shape[1]] = strip.T
            there()
            back()
            strip[:] = lines[: strip.shape[1]].T

    return {"rows": rows, "rows back": rows_back, "columns": columns, "complex": there}


def _numpy(f: NDArray, s: NDArray, z: NDArray) -> tuple:
    n = f.shape[1]
    return (
        lambda: np.fft.rfft(f, out=s),
        lambda: np.fft.irfft(s, n, norm="forward", out=f),
        lambda: np.fft.fft(z, out=z),
        lambda: np.fft.ifft(z, norm="forward", out=z),
    )


def _scipy(f: NDArray, s: NDArray, z: NDArray) -> tuple:
    fft: Any = importlib.import_module("scipy.fft")
    n = f.shape[1]
    return (
        lambda: fft.rfft(f),
        lambda: fft.irfft(s, n, norm="forward"),
        lambda: fft.fft(z, overwrite_x=True),
        lambda: fft.ifft(z, norm="forward", overwrite_x=True),
    )


def _ducc0(f: NDArray, s: NDArray, z: NDArray) -> tuple:
    fft: Any = importlib.import_module("ducc0").fft
    n = f.shape[1]
    return (
        lambda: fft.r2c(f, axes=(1,), out=s),
        lambda: fft.c2r(s, axes=(1,), lastsize=n, forward=False, out=f),
        lambda: fft.c2c(z, axes=(1,), out=z),
        lambda: fft.c2c(z, axes=(1,), forward=False, out=z),
    )


def _mkl(f: NDArray, s: NDArray, z: NDArray) -> tuple:
    fft: Any = importlib.import_module("mkl_fft")
    n = f.shape[1]
    return (
        lambda: fft.rfft(f, out=s),
        lambda: fft.irfft(s, n, norm="forward", out=f),
        lambda: fft.fft(z, out=z),
        lambda: fft.ifft(z, norm="forward", out=z),
    )


def _fftw(f: NDArray, s: NDArray, z: NDArray) -> tuple:
    module: Any = importlib.import_module("pyfftw")
    keep = {"axes": (1,), "flags": ("FFTW_ESTIMATE",)}  # the same plan in every process
    return (
        module.FFTW(f, s, **keep).execute,
        module.FFTW(s, f, direction="FFTW_BACKWARD", **keep).execute,
        module.FFTW(z, z, **keep).execute,
        module.FFTW(z, z, direction="FFTW_BACKWARD", **keep).execute,
    )


LIBRARIES = {"numpy": _numpy, "scipy": _scipy, "ducc0": _ducc0, "mkl_fft": _mkl, "FFTW": _fftw}
MODULES = {"FFTW": "pyfftw"}


def rows_in_block(length: int) -> int:
    """Return how many rows make up a block."""
    return max(16, SITES // length // 16 * 16)


def tasks(length: int, dtype: np.dtype) -> Iterator[tuple[str, dict, float]]:
    """Yield the name of each engine with its tasks and its error."""
    rows = rows_in_block(length)
    draw = np.random.default_rng(0).normal(size=(rows, length)).astype(dtype)
    complex_dtype = np.result_type(dtype, np.complex64)
    exact = np.fft.rfft(draw.astype(np.longdouble))
    for name in ("strips", *LIBRARIES):
        if name in LIBRARIES and importlib.util.find_spec(MODULES.get(name, name)) is None:
            continue
        fields = np.empty_like(draw)
        spectra = np.zeros(exact.shape, complex_dtype)
        modes = np.zeros((length, COLUMNS_APART), complex_dtype)
        lines = np.zeros((rows // 2, length), complex_dtype)
        arrays = fields, spectra, modes, lines
        found = strips(*arrays) if name == "strips" else library(*arrays, LIBRARIES[name])
        fields[:] = draw
        returned = found["rows"]()
        result = returned if isinstance(returned, np.ndarray) else spectra
        error = np.sqrt(np.mean(abs(result - exact) ** 2) / np.mean(abs(exact) ** 2))
        for array in (fields, spectra, lines):  # zeros stay zeros, however often transformed
            array[:] = 0
        yield name, found, error / np.finfo(dtype).eps


def measure(length: int, dtype: np.dtype, rounds: int) -> Iterator[tuple[str, dict, float]]:
    """Yield name, {task: ns a site}, error of each engine."""
    engines = list(tasks(length, dtype))
    best = {(name, task): np.inf for name, _, _ in engines for task in TASKS}
    for _ in range(rounds):
        for name, found, _ in engines:
            for task in TASKS:
                for _ in range(CALLS):
                    begun = time.perf_counter()
                    found[task]()
                    elapsed = time.perf_counter() - begun
                    best[name, task] = min(best[name, task], elapsed)
    sites = rows_in_block(length) * length
    unit = {"rows": sites, "rows back": sites}
    unit |= {"columns": 2 * COLUMNS_APART * length, "complex": sites // 2}
    for name, _, error in engines:
        yield name, {task: 1e9 * best[name, task] / unit[task] for task in TASKS}, error


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--precision", choices=("double", "single"), default="double")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    os.environ.setdefault("MKL_NUM_THREADS", "1")
    dtype = np.dtype({"double": np.float64, "single": np.float32}[options.precision])
    print(f"{'length':>6}  {'engine':8}" + "".join(f"{task:>11}" for task in TASKS) + "      error")
    for length in options.lengths:
        for name, times, error in measure(length, dtype, options.rounds):
            row = "".join(f"{times[task]:11.2f}" for task in TASKS)
            print(f"{length:6}  {name:8}{row}{error:11.2f}", flush=True)


if __name__ == "__main__":
    main()
