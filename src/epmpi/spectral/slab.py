"""The distributed Fourier transform of fields that are cut into slabs.

Real fields are ``(fields, rows, Ly)``; spectra stay transposed, ``(fields, ky, Lx)`` with the ky of
this rank, kx contiguous.  Between the two stands one exchange, whose arrays are ``(x, field, ky)``:
what a rank receives from the others is then one array without any unpacking.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import DTypeLike, NDArray

from epmpi.devices import Device
from epmpi.lattice import Lattice
from epmpi.parallel import Communicator
from epmpi.spectral.exchange import Exchange, SlabConvolution
from epmpi.spectral.transform import Transform
from epmpi.spectral.transport import make_transport


class SlabFFT(Transform):
    """The transform with the device's line transforms and one all-to-all.

    Parameters and attributes as for `Transform`.
    """

    def __init__(
        self,
        lattice: Lattice,
        communicator: Communicator,
        device: Device,
        dtype: DTypeLike,
        engine: str = "auto",
    ) -> None:
        super().__init__(lattice, communicator, device, dtype)
        self.lines = device.lines(engine, lattice.shape, dtype)
        self.engine = self.lines.name
        self.transport, self.carrier = make_transport(communicator, device)
        self.only_queues = communicator.size == 1

    def forward(self, fields: NDArray) -> NDArray:
        """Return the spectrum of real fields, unscaled.  Collective.  See `Transform.forward`."""
        exchange = Exchange(self, len(fields), (0, 0))
        exchange.send_rows(fields.swapaxes(0, 1))
        exchanged = exchange.to_columns()
        shape = len(fields), self.modes, self.lattice.shape[0]
        spectrum = self.device.empty(shape, self.complex_dtype)
        self.lines.transform_columns(exchanged, spectrum)
        return spectrum

    def backward(self, spectrum: NDArray) -> NDArray:
        """Return the real fields of a spectrum, scaled.  Collective.  See `Transform.backward`."""
        fields = len(spectrum)
        exchange = Exchange(self, fields, (0, 0))
        self.lines.restore_columns(spectrum, exchange.columns, before=0)
        exchange.to_rows()
        rows = self.device.empty((self.slab.rows, fields, self.lattice.shape[1]), self.dtype)
        exchange.receive_rows(0, self.slab.rows, range(fields), rows)
        rows /= self.lattice.sites
        return rows.swapaxes(0, 1).copy()

    def convolution(
        self, kernels: NDArray, imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> SlabConvolution:
        """Return a convolution with kernels in Fourier space.  See `Transform.convolution`."""
        return SlabConvolution(self, kernels, imaginary, halo)
