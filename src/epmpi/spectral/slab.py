"""The distributed Fourier transform of fields that are cut into slabs.

Real fields are ``(fields, rows, Ly)``; spectra stay transposed, ``(fields, ky, Lx)`` with the ky of
this rank, kx contiguous.  Between the two stands one exchange, whose arrays are ``(x, field, ky)``:
what a rank receives from the others is then one array without any unpacking.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.devices import CPU
from epmpi.lattice import Lattice, Slab, slabs, split, wavenumbers
from epmpi.parallel import Communicator
from epmpi.spectral.exchange import Convolution, Exchange


class SlabFFT:
    """Transform fields on slabs, for one real type.

    Blocks may be uneven: any Lx, Ly and number of ranks P with P <= min(Lx, Ly / 2).

    Parameters
    ----------
    lattice : Lattice
    communicator : Communicator
    device : CPU
    dtype : dtype
        float64 or float32, of the fields.

    Attributes
    ----------
    slab : Slab
        Rows of this rank.
    kx : int array, shape (1, Lx)
    ky : int array, shape (modes of this rank, 1)
        Wavenumbers of the local spectrum.
    """

    engine = "slab"

    def __init__(
        self, lattice: Lattice, communicator: Communicator, device: CPU, dtype: DTypeLike
    ) -> None:
        ranks = communicator.size
        if ranks > min(lattice.shape[0], lattice.shape[1] // 2):
            raise ValueError(
                f"{ranks} ranks for a lattice of shape {lattice.shape}: expected at most "
                f"{min(lattice.shape[0], lattice.shape[1] // 2)}, min(Lx, Ly/2)"
            )
        self.lattice = lattice
        self.communicator = communicator
        self.device = device
        self.dtype = np.dtype(dtype)
        self.complex_dtype = np.result_type(self.dtype, np.complex64)
        self.slabs: list[Slab] = slabs(lattice, ranks)
        self.slab = self.slabs[communicator.rank]
        self.mode_blocks = split(lattice.modes, ranks)
        first, last = self.mode_blocks[communicator.rank]
        self.modes = last - first
        self.kx = wavenumbers(lattice.shape[0])[None, :]
        self.ky = np.arange(first, last)[:, None]

    def forward(self, fields: NDArray) -> NDArray:
        """Return the spectrum of real fields.  Collective.

        Parameters
        ----------
        fields : float array, shape (fields, rows, Ly)

        Returns
        -------
        complex array, shape (fields, ky of this rank, Lx)
        """
        exchange = Exchange(self, len(fields), (0, 0))
        exchange.send_rows(np.moveaxis(fields, 0, 1))
        exchanged = exchange.to_columns()
        shape = len(fields), self.modes, self.lattice.shape[0]
        spectrum = self.device.empty(shape, self.complex_dtype)
        self.device.transform_columns(exchanged, spectrum)
        return spectrum

    def backward(self, spectrum: NDArray) -> NDArray:
        """Return the real fields of a spectrum, scaled by 1/N.  Collective.

        Parameters
        ----------
        spectrum : complex array, shape (fields, ky of this rank, Lx)

        Returns
        -------
        float array, shape (fields, rows, Ly)
        """
        fields = len(spectrum)
        exchange = Exchange(self, fields, (0, 0))
        self.device.restore_columns(spectrum, exchange.columns, before=0)
        exchange.to_rows()
        rows = self.device.empty((self.slab.rows, fields, self.lattice.shape[1]), self.dtype)
        exchange.receive_rows(0, self.slab.rows, range(fields), rows)
        rows /= self.lattice.sites
        return np.ascontiguousarray(np.moveaxis(rows, 1, 0))

    def convolution(
        self, kernels: NDArray, imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> Convolution:
        """Return the convolution of a field with kernels given in Fourier space.

        Parameters
        ----------
        kernels : float array, shape (responses, ky of this rank, Lx)
        imaginary : sequence of bool
            Whether a kernel is to be multiplied by i.
        halo : (before, after)
            Rows beyond the slab in which the responses are wanted too.
        """
        return Convolution(self, kernels, imaginary, halo)
