"""The engine cuFFTMp: NVIDIA's distributed transform of whole fields, one GPU a rank.

It exchanges by NVSHMEM, inside the transform.  Its spectra are ``(Lx, ky)``; where ours are asked
for they are transposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.config import ConfigError
from epmpi.devices import Device
from epmpi.lattice import Lattice
from epmpi.parallel import Communicator
from epmpi.spectral.mpi4py_fft_engine import Mpi4pyConvolution
from epmpi.spectral.transform import Transform

NVSHMEM = "NVSHMEM, by cuFFTMp"


class CufftMpFFT(Transform):
    """The transform of cuFFTMp on slabs.  Parameters and attributes as for `Transform`.

    Attributes
    ----------
    plan : devices.gpu.cufftmp.CufftMp

    Raises
    ------
    ConfigError
        On all ranks, if one has no GPU of its own or cannot import nvmath.distributed.
    """

    engine = "cufftmp"

    def __init__(
        self, lattice: Lattice, communicator: Communicator, device: Device, dtype: DTypeLike
    ) -> None:
        super().__init__(lattice, communicator, device, dtype)
        communicator.raise_alike(_refusal(communicator, device))
        self.transport = NVSHMEM
        self.plan: Any = device.cufftmp(
            lattice.shape, self.slab.rows, self.modes, self.dtype, communicator.mpi
        )

    def forward(self, fields: NDArray) -> NDArray:
        """Return the spectrum of real fields, unscaled.  Collective.  See `Transform.forward`."""
        shape = len(fields), self.modes, self.lattice.shape[0]
        spectrum = self.device.empty(shape, self.complex_dtype)
        for n in range(len(fields)):
            spectrum[n] = self.plan.forward(fields[n]).T
        return spectrum

    def backward(self, spectrum: NDArray) -> NDArray:
        """Return the real fields of a spectrum, scaled.  Collective.  See `Transform.backward`."""
        fields = self.device.empty((len(spectrum), *self.slab.shape), self.dtype)
        for n in range(len(spectrum)):
            fields[n] = self.plan.backward(spectrum[n].T)
        fields /= self.lattice.sites
        return fields

    def convolution(
        self, kernels: NDArray, imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> CufftMpConvolution:
        """Return a convolution with kernels in Fourier space.  See `Transform.convolution`."""
        return CufftMpConvolution(self, kernels, imaginary, halo)


class CufftMpConvolution(Mpi4pyConvolution):
    """The responses to a source, a whole field at a time, on the device.

    Parameters
    ----------
    fft : CufftMpFFT
    kernels : float array, shape (responses, ky of this rank, Lx)
    imaginary : sequence of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond the slab in which the responses are wanted too.
    """

    def __init__(
        self,
        fft: CufftMpFFT,
        kernels: NDArray,
        imaginary: Sequence[bool],
        halo: tuple[int, int],
    ) -> None:
        self.fft: Any = fft
        self.halo = halo
        rows, width = fft.slab.shape
        self.row_blocks = [(0, rows)]
        self._imaginary = tuple(imaginary)
        scaled = np.swapaxes(kernels / fft.lattice.sites, 1, 2).astype(fft.dtype)
        self._kernels = fft.device.asarray(np.ascontiguousarray(scaled))
        self._source = fft.device.zeros(fft.slab.shape, fft.dtype)
        self._response = fft.device.zeros((len(kernels), sum(halo) + rows, width), fft.dtype)
        self._leaving = self._rows_for_halos()
        self._record = np.dtype(
            [("row", np.int64), ("values", fft.dtype, (len(kernels), width))], align=True
        )

    def apply(self) -> None:
        """Turn the source into the responses.  Collective."""
        before, rows = self.halo[0], self.fft.slab.rows
        source = self.fft.plan.forward(self._source)
        for n, odd in enumerate(self._imaginary):
            product = source * self._kernels[n]
            if odd:
                product *= 1j
            self._response[n, before : before + rows] = self.fft.plan.backward(product)
        if sum(self.halo):
            self._fill_halos()

    def response_block(self, field: int, begin: int, end: int) -> NDArray:
        """Return a response in local rows begin ... end, (rows, Ly), valid until the next call."""
        before = self.halo[0]
        return self._response[field, begin + before : end + before]

    def responses(self, fields: Sequence[int], out: NDArray) -> None:
        """Write responses in all local rows and their halo into `out` (fields, rows + halo, Ly)."""
        for n, field in enumerate(fields):
            out[n] = self._response[field]

    def _fill_halos(self) -> None:
        """Exchange the halo rows.  Collective."""
        device, (rank, row, ours) = self.fft.device, self._leaving.T
        records = np.empty(len(rank), self._record)
        records["row"] = row
        leaving = device.to_host(self._response[:, device.asarray(np.ascontiguousarray(ours))])
        records["values"] = np.swapaxes(leaving, 0, 1)
        arriving = self.fft.communicator.route(records, rank)
        values = np.ascontiguousarray(np.swapaxes(arriving["values"], 0, 1))
        where = device.asarray(np.ascontiguousarray(arriving["row"]))
        self._response[:, where] = device.asarray(values)


def _refusal(communicator: Communicator, device: Device) -> ConfigError | None:
    """Return why cuFFTMp cannot run on this rank.  Collective."""
    card, reason = device.identity(), device.missing_for_cufftmp()
    cards = communicator.broadcast(communicator.gather(card))
    if not reason and cards.count(card) > 1:
        reason = f"{cards.count(card)} ranks share the GPU {card}, and it takes one a rank"
    if not reason:
        return None
    return ConfigError(
        f'run.fft = "cufftmp": rank {communicator.rank} cannot ({reason}); set run.fft = "auto"'
    )
