"""The distributed Fourier transform.

Convention: ``f(q) = sum_r f(r) exp(-i q r)`` forward, ``f(r) = (1/N) sum_q f(q) exp(i q r)`` back,
with ``q = 2 pi k / L``.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from epmpi.devices import Device
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.spectral.batch import BatchConvolution
from epmpi.spectral.mpi4py_fft_engine import Mpi4pyFFT
from epmpi.spectral.slab import SlabFFT
from epmpi.spectral.transform import Convolution, Kernel, RowSpectra, Transform
from epmpi.spectral.transport import shares_memory

__all__ = [
    "BatchConvolution",
    "Convolution",
    "Kernel",
    "Mpi4pyFFT",
    "RowSpectra",
    "SlabFFT",
    "Transform",
    "make_transform",
    "shares_memory",
]


def make_transform(
    engine: str,
    lattice: Lattice,
    communicator: Communicator,
    device: Device,
    dtype: DTypeLike,
    wire: str = "double",
) -> Transform:
    """Return the transform that a configuration's `run.fft` and `run.wire` name.  Collective.

    Raises
    ------
    ValueError
        For an unknown engine; and as the engine does.
    """
    if engine == Mpi4pyFFT.engine:
        return Mpi4pyFFT(lattice, communicator, device, dtype)
    return SlabFFT(lattice, communicator, device, dtype, engine, wire)
