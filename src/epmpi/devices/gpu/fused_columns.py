"""The columns of a convolution in one kernel, by cuFFTDx.  Imported only where it is asked for.

As three passes of cuFFT and a product the columns go through the memory of a card 12.75 times a
mode and real; a kernel that keeps a column in a block's own memory reads and writes it once, 5.5
times.  It has never run on a card: `GPU.fused_columns` is off, and `benchmarks.roofline --fused`
asks for it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cupy
import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).with_suffix(".cu")
SHARED_BYTES = 200 << 10  # of a block of an H100 or H200, rounded down
MOST_THREADS = 1024
LENGTHS = range(64, 16384 + 1)


def shape_of(length: int, mode_bytes: int) -> tuple[int, int]:
    """Return how many points of a column a thread takes, and a block how many columns.

    Raises
    ------
    ValueError
        For a column that is no power of two, or does not fit.
    """
    points = min(16, length // 16)
    fits = length in LENGTHS and length & (length - 1) == 0 and length * mode_bytes <= SHARED_BYTES
    if not fits:
        raise ValueError(
            f"columns of {length} modes of {mode_bytes} bytes: one kernel takes powers of two from "
            f"{LENGTHS[0]} to {SHARED_BYTES // mode_bytes}"
        )
    two = 2 * length * mode_bytes <= SHARED_BYTES and 2 * length // points <= MOST_THREADS
    return points, 2 if two else 1


def include_folders() -> list[Path]:
    """Return the folders of the headers: of cuFFTDx, of what it needs, and of CUDA.

    Raises
    ------
    ModuleNotFoundError
        If cuFFTDx is not installed.
    """
    spec = importlib.util.find_spec("nvidia")
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    for root in roots:
        if (root / "mathdx/include/cufftdx.hpp").exists():
            found = [root / "mathdx/include", root / "mathdx/external/cutlass/include"]
            found += [folder for cuda in root.glob("*/include") for folder in (cuda, cuda / "cccl")]
            return [folder for folder in dict.fromkeys(found) if folder.exists()]
    raise ModuleNotFoundError("cuFFTDx is not installed: pip install nvidia-mathdx")


class FusedColumns:
    """Transforms columns forward, multiplies them and transforms them back.

    Parameters
    ----------
    length : int
        Modes of a column, a power of two.
    dtype : dtype
        float64 or float32, of the kernels.
    """

    def __init__(self, length: int, dtype: np.dtype) -> None:
        self._length = length
        mode_bytes = 2 * np.dtype(dtype).itemsize
        self._points, self._columns = shape_of(length, mode_bytes)
        given = {
            "LENGTH": length,
            "REAL": "double" if mode_bytes == 16 else "float",
            "POINTS": self._points,
            "COLUMNS": self._columns,
            "ARCHITECTURE": 10 * int(cupy.cuda.Device().compute_capability),
        }
        options = ["--std=c++17", *(f"-D{name}={value}" for name, value in given.items())]
        options += [f"-I{folder}" for folder in include_folders()]
        module = cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=tuple(options))
        needed = cupy.zeros(1, np.int64)
        module.get_function("shared_bytes")((1,), (1,), (needed,))
        self._shared = int(needed[0])
        self._kernel = module.get_function("convolve")
        if self._shared > 48 << 10:  # more is granted to those who ask
            self._kernel.max_dynamic_shared_size_bytes = self._shared

    def convolve(
        self, source: NDArray, kernels: NDArray, imaginary: int, odd: int, responses: NDArray
    ) -> None:
        """Write the responses to sources; arguments as of `column_kernels.multiply`.

        Parameters
        ----------
        responses : complex array, shape (Lx, fields x sources, ky)
            From kx = 0 on.
        """
        _, sources, columns = source.shape
        strides = [
            np.int64(array.strides[axis] // array.itemsize)
            for array, axis in ((source, 0), (source, 1), (kernels, 1), (kernels, 0),
                                (responses, 0), (responses, 1))
        ]  # fmt: skip
        self._kernel(
            (-(-columns // self._columns), sources),
            (self._length // self._points, self._columns),
            (
                source, *strides[:2], kernels, *strides[2:4], responses, *strides[4:],
                *map(np.int32, (columns, sources, len(kernels), imaginary, odd)),
            ),
            shared_mem=self._shared,
        )  # fmt: skip
