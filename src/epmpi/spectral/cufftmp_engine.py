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
from epmpi.spectral.transform import Transform
from epmpi.spectral.whole_fields import WholeFieldConvolution

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


class CufftMpConvolution(WholeFieldConvolution):
    """The responses to a source, on the device.  Parameters as of `Transform.convolution`."""

    def __init__(
        self,
        fft: CufftMpFFT,
        kernels: NDArray,
        imaginary: Sequence[bool],
        halo: tuple[int, int],
    ) -> None:
        super().__init__(fft, fft.device, len(kernels), halo)
        self._plan = fft.plan
        self._imaginary = tuple(imaginary)
        scaled = np.swapaxes(kernels / fft.lattice.sites, 1, 2).astype(fft.dtype)
        self._kernels = fft.device.asarray(np.ascontiguousarray(scaled))

    def _respond(self, source: NDArray, responses: NDArray) -> None:
        """Transform, multiply and transform back.  Collective."""
        modes = self._plan.forward(source)
        for n, odd in enumerate(self._imaginary):
            product = modes * self._kernels[n]
            if odd:
                product *= 1j
            responses[n] = self._plan.backward(product)


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
