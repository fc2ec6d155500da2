"""Plans of cuFFT, through CuPy.  Imported only where a GPU has been chosen."""

from __future__ import annotations

import numpy as np
from cupy.cuda import cufft
from numpy.typing import NDArray

from epmpi.devices.gpu.lines import Batch

_TYPES = {
    ("real", "d"): cufft.CUFFT_D2Z,
    ("back", "d"): cufft.CUFFT_Z2D,
    ("complex", "d"): cufft.CUFFT_Z2Z,
    ("real", "f"): cufft.CUFFT_R2C,
    ("back", "f"): cufft.CUFFT_C2R,
    ("complex", "f"): cufft.CUFFT_C2C,
}


class CufftPlan:
    """A plan with its work area, held as long as the object.

    Parameters
    ----------
    dtype : dtype
        float64 or float32, of the fields.
    """

    def __init__(self, batch: Batch, dtype: np.dtype) -> None:
        half, full = batch.length // 2 + 1, batch.length
        read, written = {"real": (full, half), "back": (half, full)}.get(batch.kind, (full, full))
        try:
            self._plan = cufft.PlanNd(
                (batch.length,),
                # In one dimension the sizes of the embedding arrays are not used, but without them
                # the strides would not be either.
                (read,), *batch.source,
                (written,), *batch.target,
                _TYPES[batch.kind, dtype.char], batch.lines, "C", 0, written,
            )  # fmt: skip
        except cufft.CuFFTError as problem:
            if "ALLOC_FAILED" in str(problem):
                raise MemoryError(str(problem)) from None
            raise

    def run(self, source: NDArray, target: NDArray, *, forward: bool) -> None:
        """Transform the lines; see `lines.Plan`."""
        self._plan.fft(source, target, cufft.CUFFT_FORWARD if forward else cufft.CUFFT_INVERSE)
