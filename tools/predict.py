"""Predict time, efficiency and memory of a step for large lattices on many GPUs or cores.

    python tools/predict.py                          # H100 nodes with InfiniBand NDR
    python tools/predict.py --machine cpu-hdr --measured benchmarks/results/scaling.csv
    python tools/predict.py --machine all --csv predictions.csv --plot predictions.png

GPUs and networks are data sheets and published rates (tools/performance/machines.py); the cores of
"here" and "cpu-hdr" are calibrated on measured steps, and the model is compared with all of those.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from performance.calibration import CalibrationError, calibrate, read_rows, validate
from performance.figures import plot_predictions
from performance.machines import GPUS, Roofline, cpu_nodes
from performance.model import Machine, Prediction, predict_ranks
from performance.report import predictions_text, published_text, validation_text, write_csv
from performance.workload import Workload

MEASURED = Path("benchmarks/results/scaling.csv")
CORES = ("cpu-hdr", "here")


def main() -> int:
    """Print the tables; write CSV and plot if asked to."""
    options = parser().parse_args()
    names = [*GPUS, *CORES] if options.machine == "all" else [options.machine]
    if options.measured is None and MEASURED.exists():
        options.measured = MEASURED
    try:
        machines = choose(names, options)
    except CalibrationError as error:
        print(f"predict: {error}", file=sys.stderr)
        return 2
    for machine in machines:
        families = predict_sizes(machine, options)
        print(predictions_text(machine, families), end="\n\n")
        if options.csv:
            write_csv(_named(options.csv, machine, len(machines)), machine, families)
        if options.plot:
            plot_predictions(_named(options.plot, machine, len(machines)), machine, families)
    if options.measured:
        print(validation_text(validate(read_rows(options.measured))), end="\n\n")
    print(published_text())
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    made.add_argument("--machine", choices=[*GPUS, *CORES, "all"], default="h100-ndr")
    made.add_argument("--sizes", type=int, nargs="+", default=[2**k for k in range(10, 17)])
    made.add_argument("--ranks", type=int, default=1024, help="most GPUs or cores")
    made.add_argument("--tracers", type=int, default=16, help="one on so many sites; 0: none")
    made.add_argument("--interpolation", default="bilinear", choices=["bilinear", "stream"])
    made.add_argument("--precision", default="double", choices=["double", "single"])
    made.add_argument("--measured", type=Path, help=f"rows of the benchmark (default: {MEASURED})")
    made.add_argument("--copy", type=float, help="measured bytes a second of a copy on the GPU")
    made.add_argument("--reached", type=float, help="share of its roofline that the GPU reaches")
    made.add_argument("--csv", type=Path)
    made.add_argument("--plot", type=Path)
    return made


def choose(names: list[str], options: argparse.Namespace) -> list[Machine]:
    """Return the machines of these names, with what was measured in place of the presets."""
    return [_core(name, options) if name in CORES else _gpu(name, options) for name in names]


def _gpu(name: str, options: argparse.Namespace) -> Machine:
    machine = GPUS[name]
    processor = machine.processor
    if not isinstance(processor, Roofline):
        return machine
    if options.copy:
        processor = replace(processor, bandwidth=options.copy)
    if options.reached:
        processor = replace(processor, reached=options.reached)
    return replace(machine, processor=processor)


def _core(name: str, options: argparse.Namespace) -> Machine:
    here = calibrate(read_rows(options.measured or MEASURED))
    return here if name == "here" else cpu_nodes(here)


def predict_sizes(machine: Machine, options: argparse.Namespace) -> list[list[Prediction]]:
    """Predict all sizes that fit, each on growing numbers of ranks."""
    families = []
    for length in options.sizes:
        tracers = length**2 // options.tracers if options.tracers else 0
        work = Workload(length, 1, tracers, options.interpolation, options.precision)
        most = machine.network.ranks_per_node if machine.name == "here" else options.ranks
        family = predict_ranks(work, machine, most)
        if family:
            families.append(family)
    return families


def _named(file: Path, machine: Machine, machines: int) -> Path:
    """Return the file, with the machine's name in it where there are several."""
    return file.with_stem(f"{file.stem}-{machine.name}") if machines > 1 else file


if __name__ == "__main__":
    sys.exit(main())
