"""Transforms of the lines of one lattice on a GPU, with plans that are held.

The columns are transformed where they stand, in the exchanged layout ``(x, field, ky)``:
neighbouring columns are neighbours in memory, which is what a batch of strided transforms wants,
and nothing is transposed.  A convolution is three passes: columns of the source forward, the
product with all kernels, columns of all responses back.  A large lattice is worked on strip by
strip, so that the work areas of cuFFT stay small beside its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices.gpu import column_kernels, exchange_kernels
from epmpi.physics.propagators import parity

STRIP_BYTES = 1 << 29  # of the responses in a strip of columns, and of rows transformed at once
TABULATED = 1 << 22  # numbers of a kernel that are worked out at a time
JUDGED = 5  # columns of a kernel


@dataclass(frozen=True)
class Batch:
    """A batch of transforms of one length: point p of line b is element b * distance + p * stride.

    Parameters
    ----------
    kind : str
        "real": real to complex, forward; "back": complex to real; "complex": either way.
    length : int
        Points of a line (of the real ones).
    source, target : (stride, distance)
        In elements, of what is read and of what is written.
    """

    kind: Literal["real", "back", "complex"]
    length: int
    lines: int
    source: tuple[int, int]
    target: tuple[int, int]


class Kernels(NamedTuple):
    """Kernels, each even or odd in kx: half of their rows is kept.

    Parameters
    ----------
    values : float array, shape (fields, Lx // 2 + 1, ky)
        On the device.
    odd : int
        Its bit f tells that kernel f is odd.
    """

    values: NDArray
    odd: int


class Plan(Protocol):
    """A batch that is ready to be carried out, unscaled."""

    def run(self, source: NDArray, target: NDArray, *, forward: bool) -> None:
        """Transform the lines that begin at the first element of an array into another one."""
        ...


class GPULines:
    """Transforms of the rows and columns of one lattice, unscaled, exp(-i q x) forward.

    Methods as of `cpu.fourier.library_lines.LibraryLines`, but what they read may be changed.

    Parameters
    ----------
    shape : (Lx, Ly)
    dtype : dtype
        float64 or float32, of the fields.
    device : GPU
        For plans, new arrays, and arrays from the host.
    fused : FusedColumns or None
        What takes the columns of a convolution in one kernel; None for plans and a product.
    """

    name = "cufft"

    def __init__(
        self,
        shape: tuple[int, int],
        dtype: DTypeLike,
        device: Any,
        fused: Any = None,
    ) -> None:
        self.shape = shape
        self.fused = fused
        self.dtype = np.dtype(dtype)
        self.complex_dtype = np.result_type(self.dtype, np.complex64)
        self._device = device
        self._plans: dict[Batch, Plan] = {}

    def pitch(self, modes: int) -> int:
        """Return the distance in memory, in modes, of the spectra of two rows on one rank."""
        return modes

    def transform_rows(self, rows: NDArray, spectra: NDArray) -> None:
        """Transform real rows (n, fields, Ly) into spectra (n, fields, Ly // 2 + 1)."""
        self._rows("real", rows, spectra)

    def restore_rows(self, spectra: NDArray, rows: NDArray) -> None:
        """Transform spectra (n, fields, Ly // 2 + 1) back into real rows (n, fields, Ly)."""
        self._rows("back", spectra, rows)

    def cut_rows(
        self,
        spectra: NDArray,
        pieces: NDArray,
        tables: tuple[NDArray, NDArray],
        first: int,
        local: int,
    ) -> None:
        """Cut spectra (rows, fields, modes) into pieces ``(local, fields, width)`` of their modes.

        Arguments as of the kernel; `tables` are its `low` and `width`.
        """
        rows, fields, modes = spectra.shape
        threads = modes, rows, fields
        exchange_kernels.cut_rows(threads, spectra, pieces, *tables, first, local)

    def join_rows(
        self,
        pieces: NDArray,
        tables: tuple[NDArray, NDArray],
        first: int,
        local: int,
        fields: int,
        begin: int,
        spectra: NDArray,
    ) -> None:
        """Put spectra (rows, some fields, modes) together again, of fields from `begin` on."""
        rows, some, modes = spectra.shape
        exchange_kernels.join_rows(
            (modes, rows, some), pieces, *tables, first, local, fields, begin, spectra
        )

    def transform_columns(self, exchanged: NDArray, spectrum: NDArray) -> None:
        """Transform the columns of exchanged fields (Lx, fields, ky) into (fields, ky, Lx)."""
        self._in_strips(exchanged, forward=True)
        spectrum[...] = exchanged.transpose(1, 2, 0)

    def restore_columns(self, spectrum: NDArray, exchanged: NDArray) -> None:
        """Transform spectra (fields, ky, Lx) back along x into (Lx, fields, ky)."""
        exchanged[...] = spectrum.transpose(2, 0, 1)
        self._in_strips(exchanged, forward=False)

    def tabulate(
        self,
        kernels: Sequence[Callable[..., NDArray]],
        kx: NDArray[np.int64],
        ky: NDArray[np.int64],
        sites: float,
    ) -> Kernels:
        """Return kernels at wavenumbers kx, (1, Lx), and ky, (modes, 1), over `sites`.

        They are worked out on the card: the half that is kept, field by field, some columns at a
        time.

        Raises
        ------
        ValueError
            If a kernel is neither even nor odd in kx.
        """
        odd = self._odd(kernels, kx, ky)
        device, half = self._device, self.shape[0] // 2 + 1
        along, across = device.asarray(np.abs(kx[:, :half])), device.asarray(ky)
        values = device.empty((len(kernels), half, len(ky)), self.dtype)
        width = max(1, TABULATED // half)
        for field, kernel in enumerate(kernels):
            for first in range(0, len(ky), width):
                found = kernel(along, across[first : first + width]) / sites
                values[field, :, first : first + width] = found.T
        return Kernels(values, odd)

    def _odd(self, kernels: Sequence[Callable[..., NDArray]], kx: NDArray, ky: NDArray) -> int:
        """Return which kernels are odd in kx, as bits, judged by a few columns."""
        some = ky[np.unique(np.linspace(0, len(ky) - 1, JUDGED).astype(int))]
        shape = len(some), kx.size
        odd = 0
        for field, kernel in enumerate(kernels):
            odd |= (parity([np.broadcast_to(kernel(kx, some), shape)]) < 0) << field
        return odd

    def convolve(
        self,
        source: NDArray,
        kernels: Kernels,
        imaginary: Sequence[bool],
        responses: NDArray,
        before: int,
    ) -> None:
        """Multiply sources by kernels in Fourier space: columns forward, product, columns back.

        Parameters
        ----------
        source : complex array, shape (Lx, sources, ky)
            Rows already transformed; overwritten.
        kernels : Kernels
            Of `tabulate`.  Each response is a source times its kernel, or times i kernel.
        imaginary : sequence of bool
            One a response.
        responses : complex array, shape (Lx + halo, fields x sources, ky)
            Written; row r holds x = r - before, periodically.
        """
        length = self.shape[0]
        which = sum(1 << field for field, is_so in enumerate(imaginary) if is_so)
        values, odd = kernels
        if self.fused is not None:
            inner = responses[before : before + length]
            self.fused.convolve(source, values, which, odd, inner)
            self._fill_halo(responses, before)
            return
        width = max(1, STRIP_BYTES // (length * responses.shape[1] * responses.itemsize))
        for first in range(0, source.shape[2], width):
            strip = slice(first, first + width)
            given, found = source[:, :, strip], responses[:, :, strip]
            self._columns(given, forward=True)
            threads = given.shape[2], values.shape[1], given.shape[1]
            factors = values[:, :, strip]
            column_kernels.multiply(threads, given, factors, which, odd, found, before)
            self._columns(found[before : before + length], forward=False)
        self._fill_halo(responses, before)

    def _in_strips(self, exchanged: NDArray, *, forward: bool) -> None:
        """Transform columns in place, so many at a time that the work area stays small."""
        length, fields, columns = exchanged.shape
        width = max(1, STRIP_BYTES // (length * fields * exchanged.itemsize))
        for first in range(0, columns, width):
            self._columns(exchanged[:, :, first : first + width], forward=forward)

    def _columns(self, exchanged: NDArray, *, forward: bool) -> None:
        """Transform the columns of (Lx, fields, ky) in place; ky is contiguous."""
        length, fields, columns = exchanged.shape
        layout = (exchanged.strides[0] // exchanged.itemsize, 1)
        together = exchanged.strides[1] == columns * exchanged.itemsize
        parts = [exchanged] if together else [exchanged[:, f : f + 1] for f in range(fields)]
        batch = Batch("complex", length, fields // len(parts) * columns, layout, layout)
        for part in parts:
            self._plan(batch).run(part, part, forward=forward)

    def _fill_halo(self, responses: NDArray, before: int) -> None:
        length = self.shape[0]
        if len(responses) > length:
            threads = responses.shape[1] * responses.shape[2]
            column_kernels.fill_halo(threads, responses, length, before)

    def _plan(self, batch: Batch) -> Plan:
        if batch not in self._plans:
            self._plans[batch] = self._device.plan(batch, self.dtype)
        return self._plans[batch]

    def _rows(self, kind: Literal["real", "back"], source: NDArray, target: NDArray) -> None:
        """Transform the lines of one array (n, fields, points) into those of another.

        All of them where they stand one after the other, else a field at a time; and so many that
        the work area stays small.
        """
        if source.flags.c_contiguous and target.flags.c_contiguous:
            pairs = [tuple(a.reshape(-1, a.shape[-1]) for a in (source, target))]
        else:
            pairs = [
                tuple(a[:, field] for a in (source, target)) for field in range(source.shape[1])
            ]
        length = self.shape[1]
        most = max(1, STRIP_BYTES // (length * self.dtype.itemsize))
        for pair in pairs:
            for first in range(0, len(pair[0]), most):
                a, b = (lines[first : first + most] for lines in pair)
                layouts = [(1, lines.strides[0] // lines.itemsize) for lines in (a, b)]
                self._plan(Batch(kind, length, len(a), *layouts)).run(a, b, forward=kind == "real")
