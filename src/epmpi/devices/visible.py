"""The GPUs that this process may use; to look for them takes no compiler."""

from __future__ import annotations

import importlib.util
import os
import warnings

SIMULATOR = "NUMBA_ENABLE_CUDASIM"


def gpus() -> tuple[int, str]:
    """Return how many GPUs this process sees, and why it is none.

    `CUDA_VISIBLE_DEVICES` is respected, by the driver.  Numba's simulator is no GPU.
    """
    if os.environ.get(SIMULATOR, "0") not in ("", "0"):
        return 0, f"{SIMULATOR} is set: kernels run in Numba's simulator"
    if importlib.util.find_spec("cupy") is None:
        return (
            0,
            "CuPy is not installed: pip install '.[cuda12]' or '.[cuda13]' in epmpi's source",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that only a GPU needs
        try:
            import cupy

            number = int(cupy.cuda.runtime.getDeviceCount())
        except Exception as error:  # CuPy raises what its libraries do: a driver too old, none, ...
            return 0, f"CuPy finds no GPU: {' '.join(str(error).split())}"
    return number, "" if number else "CuPy finds no GPU"
