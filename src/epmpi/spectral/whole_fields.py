"""What the convolutions of the libraries share that transform whole fields and exchange themselves.

Such a library knows no halo: the rows beyond a slab are exchanged here, after its transforms.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import Device
from epmpi.spectral.transform import Convolution, Transform


class WholeFieldConvolution(Convolution):
    """The responses to a source, a whole field at a time.

    Parameters
    ----------
    fft : Transform
    home : Device
        Where the library has its arrays, whatever device the model is on.
    responses : int
    halo : (before, after)
        Rows beyond the slab in which the responses are wanted too.
    """

    def __init__(self, fft: Transform, home: Device, responses: int, halo: tuple[int, int]) -> None:
        self.fft = fft
        self.count = responses
        self.halo = halo
        self._home = home
        rows, width = fft.slab.shape
        self.row_blocks = [(0, rows)]
        self._source = fft.device.zeros(fft.slab.shape, fft.dtype)
        self._response = home.zeros((responses, sum(halo) + rows, width), fft.dtype)
        self._leaving = self._rows_for_halos()
        self._record = np.dtype(
            [("row", np.int64), ("values", fft.dtype, (responses, width))], align=True
        )

    @abstractmethod
    def _respond(self, source: NDArray, responses: NDArray) -> None:
        """Turn the source (rows, Ly) into responses (responses, rows, Ly) at home.  Collective."""

    def source_block(self, begin: int, end: int) -> NDArray:
        """Return the array (rows, Ly) in which to write the source of local rows begin ... end."""
        return self._source[begin:end]

    def set_source(self, begin: int, end: int) -> None:
        """Take the source of local rows begin ... end: it stands where `source_block` said."""

    def apply(self) -> None:
        """Turn the source into the responses.  Collective."""
        before, rows = self.halo[0], self.fft.slab.rows
        self._respond(self._source, self._response[:, before : before + rows])
        if sum(self.halo):
            self._fill_halos()

    def response_block(self, field: int, begin: int, end: int) -> NDArray:
        """Return a response in local rows begin ... end, (rows, Ly), valid until the next call."""
        before = self.halo[0]
        return self.fft.device.asarray(self._response[field, begin + before : end + before])

    def responses(self, fields: Sequence[int], out: NDArray) -> None:
        """Write responses in all local rows and their halo into `out` (fields, rows + halo, Ly)."""
        for target, field in zip(out, fields, strict=True):
            target[...] = self.fft.device.asarray(self._response[field])

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
        home, (rank, row, ours) = self._home, self._leaving.T
        records = np.empty(len(rank), self._record)
        records["row"] = row
        leaving = home.to_host(self._response[:, home.asarray(np.ascontiguousarray(ours))])
        records["values"] = np.swapaxes(leaving, 0, 1)
        arriving = self.fft.communicator.route(records, rank)
        values = np.ascontiguousarray(np.swapaxes(arriving["values"], 0, 1))
        where = home.asarray(np.ascontiguousarray(arriving["row"]))
        self._response[:, where] = home.asarray(values)
