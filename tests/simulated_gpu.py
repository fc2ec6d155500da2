"""A GPU without a GPU: the real class, its kernels in Numba's simulator, NumPy in CuPy's place.

For processes that were started with NUMBA_ENABLE_CUDASIM=1. Like CuPy's, the arrays refuse to be
mixed with those of the host; and like a card's, their work can be recorded without being done, and
a recording refuses to allocate and to wait.
"""

import time
import weakref

import numpy as np
from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray
from numba.cuda.simulator.kernel import FakeCUDAKernel
from numpy.lib.stride_tricks import as_strided

from epmpi.devices.gpu import GPU


class Recording:
    """Recorded calls to the card, in place of a CUDA graph."""

    now = None  # the one being made

    def __init__(self, work):
        self.works = []
        self.launches = 0
        Recording.now = self
        try:
            work()
        finally:
            Recording.now = None

    def launch(self):
        self.launches += 1
        for work in self.works:
            work()


def queued(work):
    """Do work of the card, or record it."""
    if Recording.now is None:
        return work()
    Recording.now.works.append(work)
    return None


def not_recorded(what):
    """Refuse what a stream that is recorded refuses."""
    if Recording.now is not None:
        raise RuntimeError(f"{what} while a step was recorded")


def on_host(value):
    """Return a scalar or an array of the card as plain NumPy; refuse an array of the host."""
    if isinstance(value, CardArray):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("an array of the host where one of the card is expected")
    if isinstance(value, (list, tuple)):
        make = getattr(value, "_make", type(value))  # a named tuple takes its fields one by one
        return make(map(on_host, value))
    return value


def on_card(value):
    """Return what NumPy gave as an array of the card."""
    return value.view(CardArray) if isinstance(value, np.ndarray) else value


class CardArray(np.ndarray):
    """An array in place of one of CuPy."""

    def __array_ufunc__(self, function, method, *inputs, out=None, **options):
        numbers = tuple(map(on_host, inputs))
        if out is None:
            not_recorded("a new array")
            return on_card(getattr(function, method)(*numbers, **options))
        options["out"] = tuple(map(on_host, out))
        queued(lambda: getattr(function, method)(*numbers, **options))
        return out[0]

    def __array_function__(self, function, types, arguments, options):
        if function is np.where:  # CuPy's own takes its place
            not_recorded("a new array")
            return on_card(np.where(*map(on_host, arguments)))
        raise TypeError(f"{function.__name__} of NumPy on an array of the card")

    def __getitem__(self, index):
        numbers = self.view(np.ndarray)
        found = numbers[on_host(index)]
        if np.size(found) and not np.shares_memory(found, numbers):
            not_recorded("a copy or a number")
        return on_card(found)

    def __setitem__(self, index, value):
        target, where, number = self.view(np.ndarray), on_host(index), on_host(value)
        if isinstance(number, np.ndarray) and np.may_share_memory(target[where], number):
            not_recorded("a copy of what may overlap")
        queued(lambda: target.__setitem__(where, number))

    def fill(self, value):
        queued(lambda: self.view(np.ndarray).fill(value))


def launch_on_card(kernel, *arguments, plain_launch=FakeCUDAKernel.__call__):
    """Launch a kernel on the arrays themselves: the simulator would launch it on copies."""
    if kernel._device:  # no kernel, but a function that one calls
        return plain_launch(kernel, *arguments)
    shape = kernel.grid_dim, kernel.block_dim
    wrapped = [
        FakeCUDAArray(a) if isinstance(a, np.ndarray) else a for a in map(on_host, arguments)
    ]

    def launch():
        kernel.grid_dim, kernel.block_dim = shape
        plain_launch(kernel, *wrapped)

    return queued(launch)


FakeCUDAKernel.__call__ = launch_on_card


class CardArrays:
    """Stands for the module `cupy`; knows the arrays that a device asked for."""

    def __init__(self):
        self._owners = []

    def empty(self, shape, dtype):
        junk = np.nan if np.dtype(dtype).kind in "fc" else 77
        return self._new(np.full(shape, junk, dtype))

    def zeros(self, shape, dtype):
        return self._new(np.zeros(shape, dtype))

    def asarray(self, host):
        return self._new(np.array(host))

    def _new(self, owner):
        not_recorded("a new array")
        self._owners.append(weakref.ref(owner))
        return owner.view(CardArray)

    def held_bytes(self):
        """Return the bytes of the arrays that somebody still has."""
        return sum(owner().nbytes for owner in self._owners if owner() is not None)

    def subtract(self, array, other, out, casting):
        np.subtract(array, other, out=out, casting=casting)

    def __getattr__(self, name):
        not_recorded(name)
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
        queued(lambda: self.transform(source, target, forward))

    def transform(self, source, target, forward):
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


def waits():
    """Refuse, while a step is recorded, what somebody waits for."""
    not_recorded("a wait")


class SimulatedGPU(GPU):
    """The device; its `recordings` are those that its models made."""

    def __init__(self, uuid, nccl, free):
        super().__init__(CardArrays(), "simulated card", uuid, 10**9, 1 << 14)
        self.recordings = []
        self._nccl, self._free = nccl, free

    def free_bytes(self):
        return self._free

    def synchronize(self):
        waits()

    def record(self, work):
        self.recordings.append(Recording(work))
        return self.recordings[-1]

    def aside(self, work):
        queued(work)

    def beside(self, work):
        return work()

    def mark(self):
        return time.perf_counter()

    def wait(self, mark):
        waits()

    def seconds(self, first, last):
        return last - first

    def has_nccl(self):
        return self._nccl

    def to_host(self, array):
        waits()
        return np.array(array.view(np.ndarray)) if isinstance(array, CardArray) else array

    def pinned(self, count, dtype):
        return np.empty(count, dtype)

    def fetch(self, array, host):
        waits()
        np.copyto(host, on_host(array))

    fetch_later = fetch

    def store(self, host, array):
        waits()
        np.copyto(array.view(np.ndarray), host)

    def make_plan(self, batch, dtype):
        return StridedPlan(batch, dtype)

    def fused_kernel(self, length, dtype):
        raise NotImplementedError


def simulated_gpu(uuid="GPU-simulated", nccl=False, free=10**9):
    """Return the device."""
    return SimulatedGPU(uuid, nccl, free)
