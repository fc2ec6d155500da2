"""Whole distributed transforms by cuFFTMp, through nvmath.distributed 1.0 or later.

Written for its documented interface, and tried with a stand-in of the same signatures; it waits for
a machine with two GPUs.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def missing() -> str:
    """Return why nvmath.distributed cannot be used in this process, or an empty text."""
    try:
        importlib.import_module("nvmath.distributed")
    except Exception as problem:  # libraries that are not found raise errors of several kinds
        return f"nvmath.distributed cannot be imported ({' '.join(str(problem).split())})"
    return ""


def initialize(number: int, mpi: Any) -> Any:
    """Return the module nvmath.distributed, initialised for one GPU a rank.  Collective.

    Parameters
    ----------
    number : int
        Of the GPU, among those that the process sees.
    mpi : mpi4py.MPI.Comm
    """
    library = importlib.import_module("nvmath.distributed")
    if library.get_context() is None:
        library.initialize(number, mpi, backends=["nvshmem"])
    return library


class CufftMp:
    """The transform of one real field that is cut into slabs of rows, to slabs of ky and back.

    Unscaled, exp(-i q r) forward.  Both directions work in memory of their own that all ranks see.
    Making one is collective, and so are its methods.

    Parameters
    ----------
    library : module
        nvmath.distributed, initialised.
    arrays : module
        CuPy.
    shape : (Lx, Ly)
    rows, modes : int
        Of this rank; both are cut as `lattice.split` does, the first blocks one larger.
    dtype : dtype
        float64 or float32, of the field.
    """

    def __init__(
        self,
        library: Any,
        arrays: Any,
        shape: tuple[int, int],
        rows: int,
        modes: int,
        dtype: np.dtype,
    ) -> None:
        length, width = shape
        slab, fft = library.distribution.Slab, library.fft
        self._field = fft.allocate_operand(
            (rows, width), arrays, input_dtype=dtype, distribution=slab.X, fft_type="R2C"
        )
        self._modes = fft.allocate_operand(
            (length, modes),
            arrays,
            input_dtype=np.result_type(dtype, np.complex64),
            distribution=slab.Y,
            fft_type="C2R",
        )
        # The result stays cut along the other axis.
        options = {"fft_type": "R2C", "redistribute": False}
        self._forward = fft.FFT(self._field, distribution=slab.X, options=options)
        options = {
            "fft_type": "C2R",
            "redistribute": False,
            "last_axis_parity": "odd" if width % 2 else "even",
        }
        self._backward = fft.FFT(self._modes, distribution=slab.Y, options=options)
        self._forward.plan()
        self._backward.plan()

    def forward(self, field: NDArray) -> NDArray:
        """Return the modes (Lx, ky of this rank) of a field (rows, Ly); valid until the next."""
        self._field[...] = field
        modes: NDArray = self._forward.execute()
        return modes

    def backward(self, modes: NDArray) -> NDArray:
        """Return the field (rows, Ly) of modes (Lx, ky of this rank); valid until the next."""
        self._modes[...] = modes
        field: NDArray = self._backward.execute()
        return field
