"""A GPU without a GPU: the real class, its kernels in Numba's simulator, NumPy in CuPy's place.

For processes that were started with NUMBA_ENABLE_CUDASIM=1. Like CuPy's, the arrays refuse to be
mixed with those of the host.
"""

from types import SimpleNamespace

import numpy as np
from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray
from numba.cuda.simulator.kernel import FakeCUDAKernel
from numpy.lib.stride_tricks import as_strided

from epmpi.devices.gpu import GPU


def on_host(value):
    """Return a scalar or an array of the card as plain NumPy; refuse an array of the host."""
    if isinstance(value, CardArray):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("an array of the host where one of the card is expected")
    if isinstance(value, (list, tuple)):
        return type(value)(map(on_host, value))
    return value


def on_card(value):
    """Return what NumPy gave as an array of the card."""
    return value.view(CardArray) if isinstance(value, np.ndarray) else value


class CardArray(np.ndarray):
    """An array that stands for one of CuPy."""

    def __array_ufunc__(self, function, method, *inputs, out=None, **options):
        if out is not None:
            options["out"] = tuple(map(on_host, out))
        return on_card(getattr(function, method)(*map(on_host, inputs), **options))

    def __array_function__(self, function, types, arguments, options):
        raise TypeError(f"{function.__name__} of NumPy on an array of the card")

    def __getitem__(self, index):
        return on_card(self.view(np.ndarray)[on_host(index)])

    def __setitem__(self, index, value):
        self.view(np.ndarray)[on_host(index)] = on_host(value)


def launch_on_card(kernel, *arguments, plain_launch=FakeCUDAKernel.__call__):
    """Launch a kernel on the arrays themselves: the simulator would launch it on copies."""
    if kernel._device:  # no kernel, but a function that one calls
        return plain_launch(kernel, *arguments)
    numbers = map(on_host, arguments)
    return plain_launch(
        kernel, *(FakeCUDAArray(a) if isinstance(a, np.ndarray) else a for a in numbers)
    )


FakeCUDAKernel.__call__ = launch_on_card


class CardArrays:
    """Stands for the module `cupy`."""

    def empty(self, shape, dtype):
        junk = np.nan if np.dtype(dtype).kind in "fc" else 77
        return np.full(shape, junk, dtype).view(CardArray)

    def asarray(self, host):
        return np.array(host).view(CardArray)

    def __getattr__(self, name):
        return lambda *arguments, **options: on_card(
            getattr(np, name)(*map(on_host, arguments), **options)
        )


class StridedPlan:
    """A plan that reads and writes where cuFFT would, and destroys what cuFFT may destroy."""

    def __init__(self, batch, dtype):
        self.batch = batch

    def lines(self, array, points, layout):
        stride, distance = (step * array.itemsize for step in layout)
        shape = self.batch.lines, points
        return as_strided(array.view(np.ndarray), shape, (distance, stride))

    def run(self, source, target, *, forward):
        batch = self.batch
        half, full = batch.length // 2 + 1, batch.length
        sizes = {"real": (full, half), "back": (half, full), "complex": (full, full)}[batch.kind]
        lines = self.lines(source, sizes[0], batch.source)
        result = self.lines(target, sizes[1], batch.target)
        if batch.kind == "real":
            result[...] = np.fft.rfft(lines)
        elif batch.kind == "back":
            result[...] = np.fft.irfft(lines, n=full, norm="forward")
            lines[...] = np.nan
        else:
            result[...] = np.fft.fft(lines) if forward else np.fft.ifft(lines, norm="forward")


def simulated_gpu(uuid="GPU-simulated", nccl=False, free=10**9):
    """Return the device."""
    card = SimpleNamespace(
        name="simulated card",
        uuid=uuid,
        total_bytes=10**9,
        free_bytes=lambda: free,
        synchronize=lambda: None,
        has_nccl=lambda: nccl,
        to_host=lambda array: (
            np.array(array.view(np.ndarray)) if isinstance(array, CardArray) else array
        ),
        pinned=lambda count, dtype: np.empty(count, dtype),
        fetch=lambda array, host: np.copyto(host, on_host(array)),
        store=lambda host, array: np.copyto(array.view(np.ndarray), host),
    )
    return GPU(CardArrays(), StridedPlan, card)
