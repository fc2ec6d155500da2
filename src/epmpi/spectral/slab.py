"""The distributed Fourier transform of fields that are cut into slabs.

Real fields are ``(fields, rows, Ly)``; spectra stay transposed, ``(fields, ky, Lx)`` with the ky of
this rank, kx contiguous.  Between the two is one exchange, with arrays ``(x, field, ky)``: the
columns of a rank arrive as one array, or as one for each strip, and are transformed where they lie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices import Device
from epmpi.parallel import Communicator
from epmpi.parallel.hosts import find_hosts
from epmpi.physics.lattice import Lattice, mode_blocks
from epmpi.spectral.between_cards import BetweenCards, strips_of
from epmpi.spectral.between_hosts import BetweenHosts, between_hosts
from epmpi.spectral.convolution import SlabConvolution
from epmpi.spectral.exchange import Exchange, OneMemory, ToColumns, in_one_memory
from epmpi.spectral.messages import ByMessages
from epmpi.spectral.sites import SourceMessages
from epmpi.spectral.transform import Kernel, Transform
from epmpi.spectral.transport import HOST, HOSTS, NONE, SHARED, make_transport


class SlabFFT(Transform):
    """The transform with the device's transforms of lines and an exchange.

    Parameters and attributes as for `Transform`.
    """

    def __init__(
        self,
        lattice: Lattice,
        communicator: Communicator,
        device: Device,
        dtype: DTypeLike,
        engine: str = "auto",
        wire: str = "double",
    ) -> None:
        super().__init__(lattice, communicator, device, dtype)
        self.lines = device.lines(engine, lattice.shape, dtype)
        self.engine = self.lines.name
        self.wire_dtype = np.dtype(np.complex64) if wire == "single" else self.complex_dtype
        self.transport, self.carrier = make_transport(communicator, device)
        self.hosts = find_hosts(communicator) if self.transport == HOSTS else None
        self.only_queues = True

    def cut_modes(self) -> list[tuple[int, int]]:
        """Return the (first, last) ky of every rank; see `lattice.mode_blocks`."""
        return mode_blocks(self.lattice, self.communicator.size)

    def exchange(self, fields: int, halo: tuple[int, int], strips: int = 1) -> Exchange:
        """Return an exchange of some fields, with halo rows on the way back to rows.  Collective.

        In shared memory as long as there is enough of it, else by messages, of hosts or of ranks.
        Between GPUs by what carries their arrays, in so many strips of columns.
        """
        if self.carrier is not None:
            wire, carrier = self.wire_dtype, self.carrier
            return BetweenCards(self, wire, carrier, fields, halo, strips)
        found: Exchange | None = None
        if self.transport in (NONE, SHARED):
            found = in_one_memory(self, fields, halo)
        elif self.transport == HOSTS and self.hosts is not None:
            found = between_hosts(self, self.hosts, self.wire_dtype, fields, halo)
        if found is None:
            self.transport = HOST
            found = ByMessages(self, self.wire_dtype, fields, halo)
        return found

    def exchanges(self, responses: int, halo: tuple[int, int]) -> tuple[ToColumns, Exchange]:
        """Return the exchanges of a convolution: of its source, and of its responses.  Collective.

        The source is in the memory of the responses where that is safe: a strip of columns is read
        before its responses are written there, and a block of rows is read before its new source
        is; but a halo row may be read after its owner has continued.
        """
        strips = strips_of(self, self.carrier, responses)
        response = self.exchange(responses, halo, strips)
        alone = self.communicator.size == 1
        if isinstance(response, OneMemory) and (alone or halo == (0, 0)):
            return response.part(halo[0], self.lattice.shape[0]), response
        source = self.exchange(1, (0, 0), strips)
        if isinstance(source, (ByMessages, BetweenHosts)):
            return SourceMessages(self, source), response
        return source, response

    def forward(self, fields: NDArray, through: Exchange | None = None) -> NDArray:
        """Return the spectrum of real fields, unscaled.  Collective.  See `Transform.forward`.

        `through` is an exchange of so many fields, without halo, to be used again.
        """
        _check(fields, self.dtype)
        exchange = through or self.exchange(len(fields), (0, 0))
        exchange.send_rows(fields.swapaxes(0, 1))
        exchanged = exchange.to_columns()
        shape = len(fields), self.modes, self.lattice.shape[0]
        spectrum = self.device.empty(shape, self.complex_dtype)
        self.lines.transform_columns(exchanged, spectrum)
        return spectrum

    def backward(self, spectrum: NDArray, through: Exchange | None = None) -> NDArray:
        """Return the real fields of a spectrum, scaled.  Collective.  See `Transform.backward`.

        `through` as for `forward`.
        """
        _check(spectrum, self.complex_dtype)
        exchange = through or self.exchange(len(spectrum), (0, 0))
        self.lines.restore_columns(spectrum, exchange.columns())
        exchange.to_rows()
        fields = self.device.empty((len(spectrum), *self.slab.shape), self.dtype)
        for number, field in enumerate(fields):
            exchange.receive_rows(0, self.slab.rows, [number], field[:, None])
        fields /= self.lattice.sites
        return fields

    def convolution(
        self, kernels: Sequence[Kernel], imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> SlabConvolution:
        """Return a convolution with kernels in Fourier space.  See `Transform.convolution`."""
        exchanges = self.exchanges(len(kernels), halo)
        return SlabConvolution(self, kernels, imaginary, halo, *exchanges)


def _check(array: NDArray, dtype: np.dtype) -> None:
    """Refuse another type of numbers, which compiled loops would read as if it were this one."""
    if array.dtype != dtype:
        raise ValueError(
            f"got numbers of type {array.dtype}, expected {dtype}, that of the transform"
        )
