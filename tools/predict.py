"""Predict time, efficiency and memory of a step for large lattices on many GPUs or cores.

    python tools/predict.py                          # H100 nodes with InfiniBand NDR
    python tools/predict.py --machine cpu-hdr --measured benchmarks/results/scaling.csv
    python tools/predict.py --plot predictions.png

GPUs and networks are data sheets and published rates (tools/performance/machines.py); the cores of
"here" and "cpu-hdr" are calibrated on measured steps, and the model is compared with all of those.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from performance.calibration import CalibrationError, calibrate, read_rows, validate
from performance.figures import plot_predictions
from performance.machines import H100_NDR, cpu_nodes
from performance.model import Machine, Prediction, predict_ranks
from performance.report import predictions_text, published_text, validation_text
from performance.workload import Workload

MEASURED = Path("benchmarks/results/scaling.csv")


def main() -> int:
    """Print the tables; plot if asked to."""
    options = parser().parse_args()
    if options.measured is None and MEASURED.exists():
        options.measured = MEASURED
    try:
        machine = choose(options)
    except CalibrationError as error:
        print(f"predict: {error}", file=sys.stderr)
        return 2
    families = predict_sizes(machine, options)
    print(predictions_text(machine, families), end="\n\n")
    if options.plot:
        plot_predictions(options.plot, machine, families)
    if options.measured:
        print(validation_text(validate(read_rows(options.measured))), end="\n\n")
    print(published_text())
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    made.add_argument(
        "--machine", choices=[H100_NDR.name, "cpu-hdr", "here"], default=H100_NDR.name
    )
    made.add_argument("--sizes", type=int, nargs="+", default=[2**k for k in range(10, 17)])
    made.add_argument("--ranks", type=int, default=1024, help="most GPUs or cores")
    made.add_argument("--tracers", type=int, default=16, help="one on so many sites; 0: none")
    made.add_argument("--interpolation", default="bilinear", choices=["bilinear", "stream"])
    made.add_argument("--precision", default="double", choices=["double", "single"])
    made.add_argument("--measured", type=Path, help=f"rows of the benchmark (default: {MEASURED})")
    made.add_argument("--plot", type=Path)
    return made


def choose(options: argparse.Namespace) -> Machine:
    """Return the machine of this name, its cores as they were measured."""
    if options.machine == H100_NDR.name:
        return H100_NDR
    here = calibrate(read_rows(options.measured or MEASURED))
    return here if options.machine == "here" else cpu_nodes(here)


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


if __name__ == "__main__":
    sys.exit(main())
