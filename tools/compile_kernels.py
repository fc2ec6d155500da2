"""Compile every CUDA kernel that is launched, with the types of its launches; no GPU needed.

    tools/ci_gpu.sh                                                # makes .venv-gpu
    PYTHONPATH=tests .venv-gpu/bin/python tools/compile_kernels.py --capability 8.0 9.0

Models of all kinds take steps on a card that executes nothing (tests/stand_in_card); what they
launched is compiled for each capability. Divisions in its PTX are printed; where ptxas is on the
path, registers, stack and spills too. Numba's simulator runs kernels as plain Python, and so passes
what has no types that fit.
"""

import argparse
import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

CASES: list[dict[str, dict[str, Any]]] = [
    {},
    {"tracers": {"number": 9, "every": 1, "interpolation": "stream"}},
    {"tracers": {"number": 9, "every": 1, "interpolation": "nearest"}},
    {"tracers": {"number": 9, "every": 3}},
]


def launch_all() -> list[tuple[Any, tuple]]:
    """Let models take steps on the stand-in; return what was launched: kernels and types."""
    importlib.import_module("stand_in_card")  # before CuPy

    from epmpi.config import from_mapping
    from epmpi.devices.gpu import column_kernels, exchange_kernels, site_kernels, tracer_kernels
    from epmpi.model.batch import Batch
    from epmpi.model.model import Model
    from epmpi.model.waiting import WaitingTimes
    from epmpi.parallel import Communicator
    from epmpi.parallel.placement import place
    from epmpi.spectral import SlabFFT
    from epmpi.spectral.between_cards import BetweenCards
    from epmpi.spectral.transport import ByMPI

    world = Communicator.world()
    device = place("gpu", world)
    for case in CASES:
        for precision in ("double", "single"):
            base: dict[str, Any] = {"lattice": {"shape": [16, 20]}, "time": {"step": 0.05}}
            base |= {"tracers": {"number": 9, "every": 1}, **case}
            base |= {"run": {"precision": precision, "replicas": 2}}
            configuration = from_mapping(base)
            models = [Model(configuration.replica(n), world, device) for n in range(2)]
            for model in models:
                waits = WaitingTimes(model.slab.shape, 0, device)
                model.accumulate("waiting_times", waits)
                model.step()
                model.observables()
            Batch(models).step()
            models[0].observables()
            move = models[0].tracers.movement(0.1)
            blocks = device.tracer_blocks(16, 4)
            blocks.sort(move)
            fields = 1 if move.interpolation == "stream" else 2
            every = configuration.tracers.every  # seldom, in single precision
            flow = device.zeros(
                (fields, 4 + 5, 20), np.float32 if every > 1 else models[0].fft.dtype
            )
            blocks.move(0, move, flow)
            tracers, number = models[0].tracers, device.asarray(np.array([9]))
            device.departures(0, 8, 16, 9).look(tracers.identity, tracers.position, number)
            fft = models[0].fft
            assert isinstance(fft, SlabFFT)
            carrier = ByMPI(world, device, staged=True)
            for wire in {fft.complex_dtype, fft.wire_dtype}:
                between = BetweenCards(fft, wire, carrier, 2, (0, 1))
                rows = device.zeros((4, 2, 20), fft.dtype)
                between.send_rows(rows)
                between.receive_rows(0, 4, [0], rows[:, :1])
    modules = column_kernels, exchange_kernels, site_kernels, tracer_kernels
    kernels = [found for module in modules for found in vars(module).values()]
    return [
        (kernel.compiled, types)
        for kernel in dict.fromkeys(k for k in kernels if hasattr(k, "prepared"))
        for types in kernel.compiled.overloads
    ]


def resources(text: str, capability: tuple[int, int]) -> str:
    """Return what ptxas says of a kernel's registers and spills; nothing where it is not there."""
    if shutil.which("ptxas") is None:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.ptx"
        source.write_text(text)
        arch = f"-arch=sm_{capability[0]}{capability[1]}"
        command = ["ptxas", "-v", arch, "-o", f"{folder}/kernel.cubin", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"not taken by ptxas: {done.stderr.splitlines()[0]}"
    found = re.findall(r"Used \d+ registers|\d+ bytes stack frame|\d+ bytes spill \w+", done.stderr)
    return ", ".join(dict.fromkeys(found))


def divisions(text: str) -> list[str]:
    """Return the kinds of instructions in PTX that divide."""
    return sorted(set(re.findall(r"\s((?:div|rem|rcp)\.[\w.]+)\s", text)))


def main(arguments: list[str] | None = None) -> int:
    """Print one line a kernel and capability."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--capability", nargs="+", default=["8.0", "9.0"])
    options = parser.parse_args(arguments)
    launched = launch_all()
    from numba import cuda

    compile_ptx: Any = cuda.compile_ptx
    for named in options.capability:
        major, minor = map(int, named.split("."))
        for kernel, types in launched:
            text, _ = compile_ptx(kernel.py_func, types, cc=(major, minor))
            said = resources(text, (major, minor))
            said += f" {' '.join(divisions(text)) or 'no division'}"
            print(
                f"{named} {kernel.py_func.__name__:<18} {said} | {', '.join(map(str, types))[:90]}"
            )
    print(f"{len(launched)} kernels compiled for {len(options.capability)} capabilities")
    return 0


if __name__ == "__main__":
    sys.exit(main())
