"""Interface of the engines of the distributed transform: the layout, and two kinds of work.

Real fields are cut into slabs of rows; spectra are kept transposed, ``(fields, ky, Lx)``, each rank
with its block of ky and all kx.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from epmpi.config import most_ranks
from epmpi.devices import Device
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, Slab, slabs, split, wavenumbers

# A kernel as a function of wavenumbers kx, (1, n), and ky, (m, 1): real, (m, n), where they are.
Kernel = Callable[[NDArray, NDArray], NDArray]


class Transform(ABC):
    """The Fourier transform of fields on slabs, for one real type.

    Blocks may be uneven: any Lx, Ly and number of ranks P with P <= min(Lx, Ly / 2).

    Parameters
    ----------
    dtype : dtype
        float64 or float32, of the fields.

    Attributes
    ----------
    engine : str
        Name of the engine, as in the configuration.
    transport : str
        Transport of arrays between the ranks.
    only_queues : bool
        Whether a convolution only queues work on the device: it neither waits nor communicates,
        except in calls given to `Device.aside`.
    lines : Any
        The device's transforms of lines; None where the engine has its own.
    complex_dtype : dtype
        Of the spectra.
    slabs : list of Slab
        Rows of every rank.
    slab : Slab
        Rows of this rank.
    mode_blocks : list of (first, last)
        The ky of every rank.
    modes : int
        Number of ky of this rank.
    kx : int array, shape (1, Lx)
    ky : int array, shape (modes, 1)
        Wavenumbers of the local spectrum.

    Raises
    ------
    ValueError
        If a rank would be left without a row or without a ky.
    """

    engine: str
    transport: str
    only_queues = False
    lines: Any = None

    def __init__(
        self, lattice: Lattice, communicator: Communicator, device: Device, dtype: DTypeLike
    ) -> None:
        if communicator.size > (most := most_ranks(lattice.shape)):
            raise ValueError(
                f"{communicator.size} ranks for a lattice of shape {lattice.shape}: expected at "
                f"most {most}, min(Lx, Ly // 2)"
            )
        self.lattice = lattice
        self.communicator = communicator
        self.device = device
        self.dtype = np.dtype(dtype)
        self.complex_dtype = np.result_type(self.dtype, np.complex64)
        self.slabs: list[Slab] = slabs(lattice, communicator.size)
        self.slab = self.slabs[communicator.rank]
        self.mode_blocks = self.cut_modes()
        first, last = self.mode_blocks[communicator.rank]
        self.modes = last - first
        self.kx = wavenumbers(lattice.shape[0])[None, :]
        self.ky = np.arange(first, last)[:, None]

    def cut_modes(self) -> list[tuple[int, int]]:
        """Return the (first, last) ky of every rank."""
        return split(self.lattice.modes, self.communicator.size)

    @abstractmethod
    def forward(self, fields: NDArray) -> NDArray:
        """Return the spectrum of real fields, unscaled.  Collective.

        Parameters
        ----------
        fields : float array, shape (fields, rows, Ly)

        Returns
        -------
        complex array, shape (fields, ky of this rank, Lx)
        """

    @abstractmethod
    def backward(self, spectrum: NDArray) -> NDArray:
        """Return the real fields of a spectrum, scaled by 1/N.  Collective.

        Parameters
        ----------
        spectrum : complex array, shape (fields, ky of this rank, Lx)

        Returns
        -------
        float array, shape (fields, rows, Ly)
        """

    @abstractmethod
    def convolution(
        self, kernels: Sequence[Kernel], imaginary: Sequence[bool], halo: tuple[int, int]
    ) -> Convolution:
        """Return the convolution of a field with kernels given in Fourier space.  Collective.

        Parameters
        ----------
        kernels : sequence of Kernel
            One a response; each even or odd in kx.
        imaginary : sequence of bool
            Whether a kernel is to be multiplied by i.
        halo : (before, after)
            Rows beyond the slab in which the responses are wanted too.
        """


class RowSpectra(NamedTuple):
    """The spectra of the rows of a slab, where each row lies in one piece of memory.

    Parameters
    ----------
    responses : complex array, shape (before + rows + after, responses, Ly // 2 + 1)
    source : complex array, shape (rows, Ly // 2 + 1)
        To be written; it may lie where a response does, so a row's response is read before.
    lines : Any
        The device's transforms of lines that made and take them.
    """

    responses: NDArray
    source: NDArray
    lines: Any


class Convolution(ABC):
    """The responses to a source field: its convolutions with fixed kernels.

    The rows are worked on block by block, while they are in cache: for each block its
    `response_block`, of the last source, then its new source, by `set_source`.  `apply` turns the
    source into responses.

    Attributes
    ----------
    count : int
        Number of responses.
    halo : (before, after)
        Rows beyond the slab in which the responses are known too.
    row_blocks : list of (begin, end)
        Blocks of local rows to work on at a time.
    """

    fft: Transform
    count: int
    halo: tuple[int, int]
    row_blocks: list[tuple[int, int]]

    def row_spectra(self) -> RowSpectra | None:
        """Return the spectra of the rows, for whoever transforms them; None where they are cut."""
        return None

    @abstractmethod
    def source_block(self, begin: int, end: int) -> NDArray:
        """Return the array (rows, Ly) in which to write the source of local rows begin ... end."""

    @abstractmethod
    def set_source(self, begin: int, end: int) -> None:
        """Take the source of local rows begin ... end from `source_block`."""

    @abstractmethod
    def apply(self) -> None:
        """Turn the source, which is lost, into the responses.  Collective."""

    @abstractmethod
    def response_block(self, field: int, begin: int, end: int) -> NDArray:
        """Return a response in local rows begin ... end, (rows, Ly), valid until the next call."""

    @abstractmethod
    def responses(self, fields: Sequence[int], out: NDArray, first: int = 0) -> None:
        """Write responses into `out` (fields, rows, Ly), from a row of the slab with halo on."""
