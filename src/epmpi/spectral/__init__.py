"""The distributed Fourier transform.

Convention: ``f(q) = sum_r f(r) exp(-i q r)`` forward, ``f(r) = (1/N) sum_q f(q) exp(i q r)`` back,
with ``q = 2 pi k / L``.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from epmpi.devices import CPU
from epmpi.lattice import Lattice
from epmpi.parallel import Communicator
from epmpi.spectral.exchange import Convolution
from epmpi.spectral.slab import SlabFFT

__all__ = ["Convolution", "SlabFFT", "make_transform"]


def make_transform(
    engine: str, lattice: Lattice, communicator: Communicator, device: CPU, dtype: DTypeLike
) -> SlabFFT:
    """Return the transform that a configuration's `run.fft` names."""
    if engine in ("auto", "numpy"):
        return SlabFFT(lattice, communicator, device, dtype)
    raise ValueError(f"fft is '{engine}', expected 'auto' or 'numpy'")
