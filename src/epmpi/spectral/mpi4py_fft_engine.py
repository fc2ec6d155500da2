"""The engine mpi4py-fft (Mortensen, Dalcin and Keyes, J. Open Source Software 4, 1340, 2019): FFTW.

It transforms whole fields in arrays of the host, and exchanges them with derived types of MPI.  Its
spectra are ``(Lx, ky)``; they are transposed for the other layers.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.config import ConfigError
from epmpi.devices import Device
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.spectral.transform import Convolution, Kernel, Transform
from epmpi.spectral.transport import HOST, NONE


class Mpi4pyFFT(Transform):
    """The transform of mpi4py-fft on slabs.  Parameters and attributes as for `Transform`.

    Attributes
    ----------
    plan : mpi4py_fft.PFFT
        Planned by estimate: measured plans would round differently from process to process.

    Raises
    ------
    ConfigError
        On all ranks, if mpi4py-fft cannot be imported on one.
    ValueError
        If mpi4py-fft cuts the lattice into other blocks than ours.
    """

    engine = "mpi4py-fft"

    def __init__(
        self, lattice: Lattice, communicator: Communicator, device: Device, dtype: DTypeLike
    ) -> None:
        super().__init__(lattice, communicator, device, dtype)
        self.transport = HOST if communicator.size > 1 else NONE
        library = import_alike(communicator)
        ranks = library.pencil.Subcomm(communicator.mpi, [communicator.size, 1], reorder=False)
        self.plan = library.PFFT(
            ranks, lattice.shape, axes=(0, 1), dtype=self.dtype, planner_effort="FFTW_ESTIMATE"
        )
        rows, modes = self.plan.local_slice(False)[0], self.plan.local_slice(True)[1]
        theirs = (rows.start, rows.stop), (modes.start, modes.stop)
        ours = (self.slab.start, self.slab.stop), self.mode_blocks[communicator.rank]
        error = None
        if theirs != ours:
            error = ValueError(f"mpi4py-fft gives this rank rows and ky {theirs}, expected {ours}")
        communicator.raise_alike(error)

    def forward(self, fields: NDArray) -> NDArray:
        """Return the spectrum of real fields, unscaled.  Collective.  See `Transform.forward`."""
        spectrum = np.empty((len(fields), self.modes, self.lattice.shape[0]), self.complex_dtype)
        for field, modes in zip(self.device.to_host(fields), spectrum, strict=True):
            modes[...] = self.plan.forward(field, normalize=False).T
        return self.device.asarray(spectrum)

    def backward(self, spectrum: NDArray) -> NDArray:
        """Return the real fields of a spectrum, scaled.  Collective.  See `Transform.backward`."""
        fields = np.empty((len(spectrum), *self.slab.shape), self.dtype)
        for modes, field in zip(self.device.to_host(spectrum), fields, strict=True):
            field[...] = self.plan.backward(modes.T, normalize=True)
        return self.device.asarray(fields)

    def convolution(
        self, kernels: Sequence[Kernel], imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> Mpi4pyConvolution:
        """Return a convolution with kernels in Fourier space.  See `Transform.convolution`."""
        return Mpi4pyConvolution(self, kernels, imaginary, halo)


class Mpi4pyConvolution(Convolution):
    """The responses to a source, on the host.  Parameters as of `Transform.convolution`.

    The library knows no halo: the rows beyond a slab are exchanged here, after its transforms.
    """

    fft: Mpi4pyFFT

    def __init__(
        self,
        fft: Mpi4pyFFT,
        kernels: Sequence[Kernel],
        imaginary: Sequence[bool],
        halo: tuple[int, int],
    ) -> None:
        self.fft = fft
        self.count = len(kernels)
        self.halo = halo
        rows, width = fft.slab.shape
        self.row_blocks = [(0, rows)]
        self._plan = fft.plan
        shape = self.count, fft.lattice.shape[0], fft.modes
        self._kernels = np.empty(shape, fft.complex_dtype)
        for values, kernel, times_i in zip(self._kernels, kernels, imaginary, strict=True):
            values[...] = (1j if times_i else 1.0) * kernel(fft.kx, fft.ky).T
        self._source = fft.device.zeros(fft.slab.shape, fft.dtype)
        self._response = np.zeros((self.count, sum(halo) + rows, width), fft.dtype)
        self._leaving = self._rows_for_halos()
        self._record = np.dtype(
            [("row", np.int64), ("values", fft.dtype, (self.count, width))], align=True
        )

    def source_block(self, begin: int, end: int) -> NDArray:
        """Return the array (rows, Ly) in which to write the source of local rows begin ... end."""
        return self._source[begin:end]

    def set_source(self, begin: int, end: int) -> None:
        """Do nothing: the source is in the array of `source_block`."""

    def apply(self) -> None:
        """Transform, multiply and transform back; exchange the halo rows.  Collective."""
        before, rows = self.halo[0], self.fft.slab.rows
        # The plan's arrays serve both directions, so the spectrum must be kept aside.
        source = self.fft.device.to_host(self._source)
        modes = self._plan.forward(source, normalize=True).copy()
        for kernel, response in zip(self._kernels, self._response, strict=True):
            own = response[before : before + rows]
            own[...] = self._plan.backward(modes * kernel, normalize=False)
        if sum(self.halo):
            self._fill_halos()

    def response_block(self, field: int, begin: int, end: int) -> NDArray:
        """Return a response in local rows begin ... end, (rows, Ly), valid until the next call."""
        before = self.halo[0]
        return self.fft.device.asarray(self._response[field, begin + before : end + before])

    def responses(self, fields: Sequence[int], out: NDArray, first: int = 0) -> None:
        """Write responses into `out` (fields, rows, Ly), from a row of the slab with halo on."""
        for target, field in zip(out, fields, strict=True):
            rows = self._response[field, first : first + len(target)]
            target[...] = self.fft.device.asarray(rows)

    def _rows_for_halos(self) -> NDArray[np.int64]:
        """Return (rank, its row, our row) of every row that a rank's halo needs of this slab."""
        before, after = self.halo
        slab, length = self.fft.slab, self.fft.lattice.shape[0]
        needed = []
        for rank, other in enumerate(self.fft.slabs):
            beyond = before + other.rows
            for row in (*range(before), *range(beyond, beyond + after)):
                x = (other.start - before + row) % length
                if slab.start <= x < slab.stop:
                    needed.append((rank, row, before + x - slab.start))
        return np.array(needed, np.int64).reshape(-1, 3)

    def _fill_halos(self) -> None:
        """Exchange the halo rows.  Collective."""
        rank, row, ours = self._leaving.T
        records = np.empty(len(rank), self._record)
        records["row"] = row
        records["values"] = np.swapaxes(self._response[:, ours], 0, 1)
        arriving = self.fft.communicator.route(records, rank)
        self._response[:, arriving["row"]] = np.swapaxes(arriving["values"], 0, 1)


def import_alike(communicator: Communicator) -> Any:
    """Import mpi4py-fft, which is an optional package, on all ranks or on none.  Collective.

    Raises
    ------
    ConfigError
        On all ranks, if one of them cannot import it.
    """
    library, error = None, None
    try:
        library = importlib.import_module("mpi4py_fft")
    except ImportError as problem:
        error = ConfigError(
            f'run.fft = "mpi4py-fft" but mpi4py-fft cannot be imported ({problem}): install it '
            "with pip install mpi4py-fft, which needs a C compiler and libfftw3-dev, or set "
            'run.fft = "auto"'
        )
    communicator.raise_alike(error)
    return library
