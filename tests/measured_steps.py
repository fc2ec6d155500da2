"""Steps as the performance model would have them, and rows as the benchmark writes them."""

import csv

import numpy as np
from performance.calibration import Core, Measurement
from performance.model import Link, Machine, Network, predict
from performance.workload import Workload

SIZES = (256, 512, 1024, 2048, 4096)
PER_OPERATION = {
    "inverse rows": 2e-10,
    "rule": 5e-11,
    "forward rows": 2.5e-10,
    "columns": 3e-10,
    "moving": 1e-9,
    "rest": 1e-5,
    "packing": 3e-11,
}
PER_BYTE = {"inverse rows": 1e-10, "rule": 2e-10, "forward rows": 1e-10, "columns": 1.5e-10}
CORE = Core(PER_OPERATION, PER_BYTE, 2**24, 2)
LINK = Link(5e-6, 0.0, 4e9)
MACHINE = Machine("", "", CORE, Network(2, LINK, LINK))


def synthetic(noise=0.0):
    """Return steps whose times are those of the model, with some noise."""
    random = np.random.default_rng(3)
    measured = []
    for length in SIZES:
        for tracers in (0, length**2 // 16):
            for ranks in (1, 2):
                work = Workload(length, ranks, tracers)
                prediction = predict(work, MACHINE)
                factor = 1 + noise * random.standard_normal()
                spent = {name: factor * t for name, t in prediction.stages.items()}
                spent["rest"] += spent.pop("packing", 0.0)
                spent.setdefault("moving", 0.0)
                spent["exchange"] = factor * prediction.exchange
                measured.append(Measurement(work, factor * prediction.seconds, spent))
    return measured


def write_rows(file, measured):
    """Write rows in the form of the benchmark."""
    with file.open("w", newline="") as stream:
        columns = None
        for m in measured:
            site = 1e9 / m.work.length**2
            row = {
                "date": "2026-01-01", "L": m.work.length, "tracers": m.work.tracers,
                "interpolation": m.work.interpolation if m.work.tracers else "-",
                "precision": "double", "ranks": m.work.ranks, "ms_per_step": 1e3 * m.seconds,
                **{name.replace(" ", "_"): site * t for name, t in m.stages.items()},
            }  # fmt: skip
            columns = columns or csv.DictWriter(stream, sorted(row))
            if stream.tell() == 0:
                columns.writeheader()
            columns.writerow(row)
