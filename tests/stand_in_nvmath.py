"""nvmath.distributed without a GPU: what epmpi uses of it, on NumPy's arrays and by MPI.

Signatures, defaults and refusals as in nvmath-python 1.0. A transform works in place, so it
destroys its operand.
"""

import enum
from types import SimpleNamespace

import numpy as np

from epmpi.devices import CPU
from epmpi.devices.gpu.cufftmp import CufftMp


class Slab(enum.IntEnum):
    X = 0
    Y = 1


def stand_in(comm):
    """Return what stands for the module nvmath.distributed."""

    def allocate_operand(
        shape, package, *, input_dtype=None, distribution, memory_space=None, fft_type=None,
        logger=None,
    ):  # fmt: skip
        assert package is np
        check(shape, np.dtype(input_dtype), distribution, fft_type)
        padded = 2 * (shape[-1] // 2 + 1) if fft_type == "R2C" else shape[-1]
        operand = np.full((shape[0], padded), np.nan, input_dtype)[:, : shape[1]]
        return operand

    def check(shape, dtype, distribution, fft_type):
        if fft_type == "R2C" and (distribution != Slab.X or dtype.kind != "f"):
            raise ValueError("2D FFT R2C only supports X-slab input")
        if fft_type == "C2R" and (distribution != Slab.Y or dtype.kind != "c"):
            raise ValueError("2D FFT C2R only supports Y-slab input")
        sizes = comm.allgather(shape[distribution])
        whole, size = sum(sizes), comm.size
        assert sizes == [whole // size + (rank < whole % size) for rank in range(size)]

    class FFT:
        def __init__(self, operand, /, *, distribution, options=None, stream=None):
            check(operand.shape, operand.dtype, distribution, options["fft_type"])
            assert options["redistribute"] is False
            self.operand, self.axis, self.options = operand, distribution, options
            self.planned = False

        def plan(self, *, stream=None):
            self.planned = True

        def execute(
            self, *, direction=None, stream=None, release_workspace=False,
            sync_symmetric_memory=True,
        ):  # fmt: skip
            assert self.planned
            whole = np.concatenate(comm.allgather(self.operand), axis=self.axis)
            if self.options["fft_type"] == "R2C":
                result = np.fft.rfft2(whole)
            else:
                odd = self.options["last_axis_parity"] == "odd"
                shape = whole.shape[0], 2 * (whole.shape[1] - 1) + odd
                result = np.fft.irfft2(whole, s=shape, norm="forward")
            self.operand[...] = np.nan
            parts = np.array_split(result, comm.size, axis=1 - self.axis)
            return np.ascontiguousarray(parts[comm.rank])

    return SimpleNamespace(
        distribution=SimpleNamespace(Slab=Slab),
        fft=SimpleNamespace(FFT=FFT, allocate_operand=allocate_operand),
    )


class Card(CPU):
    """A CPU that says that it is a GPU with cuFFTMp."""

    def __init__(self, uuid, missing=""):
        self.uuid, self.missing = uuid, missing

    def identity(self):
        return self.uuid

    def has_nccl(self):
        return False

    def missing_for_cufftmp(self):
        return self.missing

    def cufftmp(self, shape, rows, modes, dtype, mpi):
        return CufftMp(stand_in(mpi), np, shape, rows, modes, dtype)
