"""The layout of a transform: whose the rows of a field and the columns of its spectrum are."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from epmpi.devices import Device
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice, Slab, slabs


class Layout:
    """Fields of one real type on the slabs of all ranks, and their spectra.

    Parameters
    ----------
    lattice : Lattice
    communicator : Communicator
    device : Device
        Of the arrays of this rank.
    dtype : dtype
        float64 or float32, of the fields.
    mode_blocks : list of (first, last)
        The ky of every rank.

    Attributes
    ----------
    complex_dtype : dtype
        Of the spectra.
    slabs : list of Slab
        Rows of every rank.
    slab : Slab
        Rows of this rank.
    modes : int
        Number of ky of this rank.
    """

    def __init__(
        self,
        lattice: Lattice,
        communicator: Communicator,
        device: Device,
        dtype: DTypeLike,
        mode_blocks: list[tuple[int, int]],
    ) -> None:
        self.lattice = lattice
        self.communicator = communicator
        self.device = device
        self.dtype = np.dtype(dtype)
        self.complex_dtype = np.result_type(self.dtype, np.complex64)
        self.slabs: list[Slab] = slabs(lattice, communicator.size)
        self.slab = self.slabs[communicator.rank]
        self.mode_blocks = mode_blocks
        first, last = mode_blocks[communicator.rank]
        self.modes = last - first
