"""The engine mpi4py-fft (Mortensen, Dalcin and Keyes, J. Open Source Software 4, 1340, 2019): FFTW.

It transforms whole fields in arrays of the host, and exchanges them with derived types of MPI.  Its
spectra are ``(Lx, ky)``; where ours are asked for they are transposed.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.config import ConfigError
from epmpi.devices import CPU, Device
from epmpi.lattice import Lattice
from epmpi.parallel import Communicator
from epmpi.spectral.transform import Transform
from epmpi.spectral.transport import HOST, NONE
from epmpi.spectral.whole_fields import WholeFieldConvolution


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
        self, kernels: NDArray, imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> Mpi4pyConvolution:
        """Return a convolution with kernels in Fourier space.  See `Transform.convolution`."""
        return Mpi4pyConvolution(self, kernels, imaginary, halo)


class Mpi4pyConvolution(WholeFieldConvolution):
    """The responses to a source, on the host.  Parameters as of `Transform.convolution`."""

    fft: Mpi4pyFFT

    def __init__(
        self,
        fft: Mpi4pyFFT,
        kernels: NDArray,
        imaginary: Sequence[bool],
        halo: tuple[int, int],
    ) -> None:
        super().__init__(fft, CPU(), len(kernels), halo)
        self._plan = fft.plan
        phase = np.where(imaginary, 1j, 1.0)[:, None, None]
        self._kernels = (phase * np.swapaxes(kernels, 1, 2)).astype(fft.complex_dtype)

    def _respond(self, source: NDArray, responses: NDArray) -> None:
        """Transform, multiply and transform back.  Collective."""
        # The plan's arrays serve both directions, so the spectrum must be kept aside.
        modes = self._plan.forward(self.fft.device.to_host(source), normalize=True).copy()
        for kernel, response in zip(self._kernels, responses, strict=True):
            response[...] = self._plan.backward(modes * kernel, normalize=False)


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
