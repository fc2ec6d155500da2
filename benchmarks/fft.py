"""Time of distributed transforms beside mpi4py-fft, on the same ranks, in turns.

    mpiexec -n 2 python -m benchmarks.fft --sizes 1024 2048 4096 --csv benchmarks/results/fft.csv

One forward and three inverse transforms of dense random fields, in double precision, milliseconds:

* `convolution`: as a step makes them, blocks of rows in cache, with the product with three kernels
  between them;
* `transforms`: `SlabFFT.forward` and `backward` of whole fields, the results in new arrays;
* `messages`: the convolution by messages, as between nodes, where `--messages` asks for it;
* `mpi4py-fft`: into arrays that are kept, plans by FFTW_MEASURE, no product;
* `numpy`: numpy.fft.rfft2 and irfft2, on the first rank alone, the others waiting.

Each is called once in every round; medians over the rounds, ratios to mpi4py-fft of the same round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import append
from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.spectral import SlabFFT
from epmpi.spectral.mpi4py_fft_engine import import_alike
from epmpi.spectral.transport import HOST

FIELDS = 3  # inverse transforms
Work = Callable[[], Any]


def _one(kx: np.ndarray, ky: np.ndarray) -> np.ndarray:
    """Return 1 for each mode."""
    return np.ones((len(ky), kx.size))


def convolution(fft: SlabFFT, source: np.ndarray) -> Work:
    """Return a convolution with three dense kernels, responses written to whole fields."""
    convolution = fft.convolution([_one] * FIELDS, [False] * FIELDS, (0, 0))
    fields = np.empty((FIELDS, *fft.slab.shape))

    def work() -> None:
        for begin, end in convolution.row_blocks:
            convolution.source_block(begin, end)[:] = source[begin:end]
            convolution.set_source(begin, end)
        convolution.apply()
        convolution.responses(range(FIELDS), fields)

    return work


def transforms(fft: SlabFFT, source: np.ndarray) -> Work:
    """Return the transforms of whole fields."""
    spectra = np.repeat(fft.forward(source[None]), FIELDS, axis=0)
    there, back = fft.exchange(1, (0, 0)), fft.exchange(FIELDS, (0, 0))
    return lambda: (fft.forward(source[None], there), fft.backward(spectra, back))


def by_messages(lattice: Lattice, communicator: Communicator) -> SlabFFT:
    """Return a transform whose ranks are taken to share no memory."""
    fft = SlabFFT(lattice, communicator, CPU(), np.float64)
    fft.transport = HOST
    return fft


def by_mpi4py_fft(lattice: Lattice, communicator: Communicator, source: np.ndarray) -> Work:
    """Return the transforms of mpi4py-fft."""
    library = import_alike(communicator)
    ranks = library.pencil.Subcomm(communicator.mpi, [communicator.size, 1], reorder=False)
    plan = library.PFFT(
        ranks, lattice.shape, axes=(0, 1), dtype=np.float64, planner_effort="FFTW_MEASURE"
    )
    field, spectrum = (library.newDistArray(plan, forward) for forward in (False, True))
    field[...] = source
    spectra = [library.newDistArray(plan, True) for _ in range(FIELDS)]
    restored = [library.newDistArray(plan, False) for _ in range(FIELDS)]
    for each in spectra:
        plan.forward(field, each, normalize=False)

    def work() -> None:
        plan.forward(field, spectrum, normalize=False)
        for modes, back in zip(spectra, restored, strict=True):
            plan.backward(modes, back, normalize=True)

    return work


def by_numpy(lattice: Lattice, communicator: Communicator) -> Work:
    """Return the transforms of numpy.fft on the first rank."""
    if not communicator.is_root:
        return lambda: None
    field = np.random.default_rng(1).standard_normal(lattice.shape)
    spectrum = np.fft.rfft2(field)

    def work() -> None:
        np.fft.rfft2(field)
        for _ in range(FIELDS):
            np.fft.irfft2(spectrum, s=lattice.shape)

    return work


def measure(length: int, rounds: int, communicator: Communicator, messages: bool) -> dict:
    """Measure one size; return a row of the table.  Collective."""
    lattice = Lattice((length, length))
    fft = SlabFFT(lattice, communicator, CPU(), np.float64)
    source = np.random.default_rng(communicator.rank).standard_normal(fft.slab.shape)
    works = {
        "mpi4py-fft": by_mpi4py_fft(lattice, communicator, source),
        "convolution": convolution(fft, source),
        "transforms": transforms(fft, source),
        "numpy": by_numpy(lattice, communicator),
    }
    if messages:
        works["messages"] = convolution(by_messages(lattice, communicator), source)
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()  # compiles, and touches the memory
    for _ in range(rounds):
        for name, work in works.items():
            communicator.barrier()
            start = time.perf_counter()
            work()
            communicator.barrier()
            seconds[name].append(time.perf_counter() - start)
    row: dict[str, Any] = {
        "L": length, "ranks": communicator.size, "exchange": fft.transport, "rounds": rounds,
    }  # fmt: skip
    row |= {f"{name} ms": round(1e3 * statistics.median(s), 2) for name, s in seconds.items()}
    for name in works:
        if name != "mpi4py-fft":
            ratios = [a / b for a, b in zip(seconds[name], seconds["mpi4py-fft"], strict=True)]
            row[f"{name} of mpi4py-fft"] = round(statistics.median(ratios), 3)
    return row


def main() -> None:
    """Print one table; append it to a CSV file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", action="store_true", help="time the way between nodes too")
    parser.add_argument("--csv", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    communicator = Communicator.world()
    for length in options.sizes:
        row = measure(length, options.rounds, communicator, options.messages)
        if communicator.is_root:
            if length == options.sizes[0]:
                print("  ".join(row))
            print("  ".join(f"{value!s:>{len(name)}}" for name, value in row.items()), flush=True)
            if options.csv is not None:
                append(row, options.csv)


if __name__ == "__main__":
    main()
