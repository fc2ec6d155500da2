"""Plot a run while it goes on: activity and stress variance against time, drawn again and again.

Physics: the approach to the steady state, warm-up included.  run.h5 is replaced as a whole every
20 seconds and never written to in place, so that any reader may open it at any time.  Each look
opens it anew.  For the terminal there is `epmpi watch RUN`.

Run time: as long as the run; in a second terminal beside
    mpiexec -n 2 epmpi run examples/quickstart.toml
    python examples/07_live_plot.py runs/quickstart [--every SECONDS] [--looks N] [--png FILE]
"""

import argparse
import time
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

import epmpi
from epmpi.analysis import AnalysisError, RunFile

NAMES = ("activity", "stress_variance")


def end_of_warmup(run: RunFile) -> float:
    """Return how long the warm-up is; 0 while a run with an automatic one has not decided."""
    configuration = epmpi.from_mapping(tomllib.loads(run.provenance()["configuration"]))
    return (configuration.warmup_steps or 0) * configuration.time.step


def draw(run: RunFile, panels: list[Axes]) -> None:
    """Draw both series; the warm-up, in grey, before t = 0."""
    for axes, name in zip(panels, NAMES, strict=True):
        axes.clear()
        if run.has(f"warmup/observables/{name}"):
            clock, values = run.series(name, warmup=True)  # counted from the start of the run
            axes.plot(clock.time - end_of_warmup(run), values, color="0.6")
        if run.has(f"observables/{name}"):
            clock, values = run.series(name)
            axes.plot(clock.time, values, color="C0")
        axes.set_ylabel(name)
    panels[-1].set_xlabel("t / tau")


def main() -> None:
    """Look at the run until it has finished or stopped."""
    parser = argparse.ArgumentParser(description="Plot a run while it goes on.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between looks")
    parser.add_argument("--looks", type=int, default=0, help="at most so many; 0: until the end")
    parser.add_argument("--png", type=Path, default=Path("live.png"))
    chosen = parser.parse_args()
    figure, panels = plt.subplots(2, 1, sharex=True, layout="constrained")
    looks, ended = 0, False
    while not ended and (looks < chosen.looks or not chosen.looks):
        try:
            with RunFile(chosen.run) as run:
                draw(run, list(panels))
                ended = not {"finished", "stopped"}.isdisjoint(run.provenance())
            figure.savefig(chosen.png, dpi=100)
        except AnalysisError as error:  # not there yet, or replaced while it was read
            print(error)
        looks += 1
        if not ended:
            plt.pause(chosen.every) if plt.get_backend() != "agg" else time.sleep(chosen.every)
    print(f"{looks} looks; the last is in {chosen.png}")


if __name__ == "__main__":
    main()
