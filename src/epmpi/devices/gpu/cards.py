"""The GPU of this process, by CuPy; what is queued on it, and its copies on the host."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.gpu import GPU
from epmpi.devices.gpu.compiler import identity_of, stream_of
from epmpi.devices.gpu.graph_capture import Recording
from epmpi.devices.gpu.launches import Queue
from epmpi.devices.gpu.lines import Batch, Plan


def _refuse(size: int) -> Any:
    """Stand for an allocator while work is recorded: a graph must own none of its memory."""
    raise RuntimeError(f"{size} bytes asked for while a step was recorded")


_STREAMS: dict[int, list[Any]] = {}  # of a card, by its number; kernels are launched on the first


class Card(GPU):
    """One GPU, made the current one of this process; those made for it share its streams.

    Parameters
    ----------
    number : int
        Among those that the process sees.

    Raises
    ------
    ValueError
        If the process computes on another one.
    """

    def __init__(self, number: int) -> None:
        import cupy

        if others := _STREAMS.keys() - {number}:
            raise ValueError(
                f"GPU {number}: this process computes on GPU {min(others)}, expected one a process"
            )
        self._cupy: Any = cupy
        self.number = number
        cupy.cuda.Device(number).use()
        # Only work in a stream of our own can be recorded; it does not wait for the default one.
        if number not in _STREAMS:
            _STREAMS[number] = [cupy.cuda.Stream(non_blocking=True) for _ in range(2)]
        self._stream, self._second = _STREAMS[number]
        self._stream.use()
        self._recording: Recording | None = None  # the one that is being made
        pointer = self._stream.ptr
        Queue.use(stream_of(pointer), pointer, cupy.ndarray, cupy.cuda.driver.launchKernel)
        known = cupy.cuda.runtime.getDeviceProperties(number)
        total = int(cupy.cuda.runtime.memGetInfo()[1])
        uuid = identity_of(number)  # CuPy's ends at a zero byte
        super().__init__(cupy, known["name"].decode(), uuid, total, int(known["l2CacheSize"]))

    def free_bytes(self) -> int:
        """Return the free memory, with the reserve of CuPy."""
        free = int(self._cupy.cuda.runtime.memGetInfo()[0])
        return free + int(self._cupy.get_default_memory_pool().free_bytes())

    def synchronize(self) -> None:
        """Wait until all queued work is done."""
        self._cupy.cuda.runtime.deviceSynchronize()

    def record(self, work: Callable[[], None]) -> Recording:
        """Return a recording of the calls of some work, to be launched; nothing is done yet.

        Raises
        ------
        RuntimeError
            If it asks for nothing: replayed, the recording would leave everything as it is.
        """
        self._recording = recording = Recording()
        with self._cupy.cuda.using_allocator(_refuse):
            self._stream.begin_capture()
            try:
                work()
            finally:
                self._recording = None
                last = self._stream.end_capture()
        recording.add(last)
        if not recording.graphs:
            raise RuntimeError("nothing was recorded of a step")
        return recording

    def aside(self, work: Callable[[], None]) -> None:
        """Do work that no graph can hold: at once, or at its place in the recording."""
        if self._recording is None:
            work()
            return
        self._recording.add(self._stream.end_capture())
        self._recording.parts.append(work)
        self._stream.begin_capture()

    def beside(self, work: Callable[[], None]) -> Any:
        """Do work on CuPy's current stream in a second stream, after all work queued so far.

        Returns an event at its end.  A recording takes both streams.
        """
        self._second.wait_event(self._event(self._stream))
        self._second.use()
        try:
            work()
        finally:
            self._stream.use()  # a `with` of CuPy's would go back to the default one
        return self._event(self._second)

    def after(self, token: Any) -> None:
        """Let all later work wait for an event; for nothing if it is None."""
        if token is not None:
            self._stream.wait_event(token)

    def _event(self, stream: Any) -> Any:
        event = self._cupy.cuda.Event(disable_timing=True)
        event.record(stream)
        return event

    def mark(self) -> Any:
        """Return an event at the end of the stream."""
        event = self._cupy.cuda.Event()
        event.record(self._stream)
        return event

    def wait(self, mark: Any) -> None:
        """Wait until the card has come to an event."""
        mark.synchronize()

    def seconds(self, first: Any, last: Any) -> float:
        """Return the time between two events; waits for the later one."""
        last.synchronize()
        return float(self._cupy.cuda.get_elapsed_time(first, last)) / 1e3

    def to_host(self, array: Any) -> Any:
        """Return an array on the host.

        Where it is not in one piece, it is copied into one on the card first: CuPy would do that in
        the default stream, and leave that as the one of all that follows.
        """
        if isinstance(array, self._cupy.ndarray):
            array = self._cupy.ascontiguousarray(array)
        return self._cupy.asnumpy(array)

    def pinned(self, count: int, dtype: DTypeLike) -> NDArray:
        """Return a host array that stays where it is, for fast copies."""
        import cupyx

        return cupyx.empty_pinned((count,), np.dtype(dtype))

    def fetch(self, array: Any, host: NDArray) -> None:
        """Copy a flat array to the host, and wait."""
        array.get(out=host)

    def fetch_later(self, array: Any, host: NDArray) -> None:
        """Begin to copy a flat array to a host array that stays where it is."""
        array.data.copy_to_host_async(host.ctypes.data, array.nbytes, self._stream)

    def store(self, host: NDArray, array: Any) -> None:
        """Copy a flat host array to the card, and wait."""
        array.set(host)
        self._cupy.cuda.get_current_stream().synchronize()

    def make_plan(self, batch: Batch, dtype: np.dtype) -> Plan:
        """Return a plan of cuFFT."""
        from epmpi.devices.gpu.cufft import CufftPlan

        return CufftPlan(batch, dtype)

    def fused_kernel(self, length: int, dtype: DTypeLike) -> Any:
        """Return the kernel of whole columns, compiled for this card."""
        from epmpi.devices.gpu.fused_columns import FusedColumns

        return FusedColumns(length, np.dtype(dtype))

    def has_nccl(self) -> bool:
        """Tell whether NCCL is installed and CuPy finds it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from cupy.cuda import nccl
        return bool(nccl.available)

    def nccl(self, size: int, rank: int, share: Callable[[Any], Any]) -> Any:
        """Return the all-to-all of NCCL.  Collective; see `nccl.NcclExchange`."""
        from epmpi.devices.gpu.nccl import NcclExchange

        return NcclExchange(size, rank, share)
