"""Time per unit of simulated time at equal bias of the activity, beside benchmarks/epm_ref.cpp.

    python -m benchmarks.equal_bias [--temperatures 0.2 0.1] [--length 1024]

epmpi's bias grows as the square of the step, ``a = a0 (1 + b h^2)``: a0 and b are the fits of
docs/campaigns/time_step.md, made here again from its CSV file. The peer's grows as the step,
``a = a0 (1 + c h)``: c comes from runs of its own with large steps, against the same a0. The steps
that give the same bias, and the times of a step (stress only, in turns), give the ratio.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from benchmarks.peer import Peer
from benchmarks.rows import append
from benchmarks.step import measure
from epmpi.campaign.formulas import DEFAULT_STEP, LAWS

STUDY = Path(__file__).parents[1] / "docs" / "campaigns" / "time_step.csv"
PEER_STEPS = (0.4, 0.2, 0.1)  # tau
PEER_LENGTH = 256
# Temperature -> warm-up and duration of the peer's runs, in tau.
PEER_TIMES = {0.2: (100, 2000), 0.1: (800, 4000), 0.07: (6000, 12000)}


def own_bias(temperature: float) -> tuple[float, float, float]:
    """Return a0, b and the error of b of this package."""
    with STUDY.open(newline="") as stream:
        rows = [r for r in csv.DictReader(stream) if float(r["model.temperature"]) == temperature]
    step, activity, error = (
        np.array([float(row[name]) for row in rows])
        for name in ("time.step", "activity", "activity_error")
    )
    found = LAWS["second_order"].fit(step, activity, error)
    assert found is not None
    (limit, bias), (_, bias_error) = found.value, found.error
    return float(limit), float(bias) / DEFAULT_STEP**2, float(bias_error) / DEFAULT_STEP**2


def peer_bias(peer: Peer, temperature: float, limit: float) -> float:
    """Return c, by least squares over the steps of the peer: a / a0 - 1 = c h."""
    warmup, duration = PEER_TIMES[temperature]
    steps = np.array(PEER_STEPS)
    activity = [
        peer.step_seconds(
            PEER_LENGTH, temperature, step, round(duration / step), round(warmup / step), 0
        )[1]
        for step in PEER_STEPS
    ]
    return float(steps @ (np.array(activity) / limit - 1) / (steps @ steps))


def main() -> None:
    """Print a row for each temperature and bias."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--temperatures", type=float, nargs="+", default=list(PEER_TIMES))
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--bias", type=float, nargs="+", default=[0.01, 0.003])
    parser.add_argument("--csv", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    peer = Peer()
    timing = argparse.Namespace(
        interpolation="bilinear", every=1, precision="double", device="cpu", fft="auto",
        split=False, time_step=0.05, warmup=200, steps=10, rounds=5,
    )  # fmt: skip
    for temperature in options.temperatures:
        limit, ours, error = own_bias(temperature)
        theirs = peer_bias(peer, temperature, limit)
        timing.temperature = temperature
        times = measure(timing, options.length, 0, {"peer": peer})
        for bias in options.bias:
            own_step, peer_step = np.sqrt(bias / abs(ours)), bias / abs(theirs)
            row = {
                "T": temperature, "L": options.length, "bias": bias,
                "b": f"{ours:.4f}", "b_error": f"{error:.4f}", "c": f"{theirs:.4f}",
                "step": f"{own_step:.3f}", "peer_step": f"{peer_step:.4f}",
                "ms_per_step": times["ms_per_step"], "peer_ms": times["peer_ms"],
                "step_of_peer": times["of_peer"],
                "time_of_peer": f"{times['of_peer'] * peer_step / own_step:.4f}",
            }  # fmt: skip
            print("  ".join(f"{name}={value}" for name, value in row.items()), flush=True)
            if options.csv is not None:
                append(row, options.csv)


if __name__ == "__main__":
    main()
