"""The convolution of several lattices at once, on one rank: every pass takes all of them.

The lattices of a batch lie side by side, ``(x, lattice, y)``: the columns of all of them are then
columns of one array, and a pass is one batch of transforms whatever their number.  Only the
product with the kernels distinguishes the lattices.
"""

from __future__ import annotations

from collections.abc import Sequence

from epmpi.spectral.slab import SlabFFT
from epmpi.spectral.transform import Kernel


class BatchConvolution:
    """The responses to the source fields of a batch: their convolutions with the same kernels.

    Parameters
    ----------
    fft : SlabFFT
        Of one lattice, on one rank.
    kernels : sequence of Kernel
        One a response.
    imaginary : sequence of bool
        Whether a kernel is to be multiplied by i.
    halo : (before, after)
        Rows beyond the lattice in which the responses are wanted too.

    Attributes
    ----------
    source : float array, shape (Lx, lattices, Ly)
        To be written before `apply`.
    response : float array, shape (before + Lx + after, responses, lattices, Ly)
        Written by `apply`; row r holds x = r - before, periodically.
    """

    def __init__(
        self,
        fft: SlabFFT,
        lattices: int,
        kernels: Sequence[Kernel],
        imaginary: Sequence[bool],
        halo: tuple[int, int],
    ) -> None:
        self.fft = fft
        self._imaginary = tuple(imaginary)
        self._before = halo[0]
        self._kernels = fft.lines.tabulate(kernels, fft.kx, fft.ky, fft.lattice.sites)
        (length, width), modes, responses = fft.lattice.shape, fft.modes, len(kernels)
        rows, device = length + sum(halo), fft.device
        self.source = device.side_by_side((length, lattices, width), fft.dtype)
        self.response = device.side_by_side((rows, responses, lattices, width), fft.dtype)
        self._sources = device.empty((length, lattices, modes), fft.complex_dtype)
        self._columns = device.empty((rows, responses * lattices, modes), fft.complex_dtype)

    def apply(self) -> None:
        """Turn the sources into the responses."""
        lines = self.fft.lines
        lines.transform_rows(self.source, self._sources)
        lines.convolve(self._sources, self._kernels, self._imaginary, self._columns, self._before)
        rows, responses, lattices, width = self.response.shape
        lines.restore_rows(self._columns, self.response.reshape(rows, responses * lattices, width))
