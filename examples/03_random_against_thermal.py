"""The random model beside the thermal one, at the same activity.

Physics: both have the same elasticity and event durations.  In the random model sites activate at a
constant rate, so that nothing is correlated: D(t) goes from ballistic to diffusive without the
subdiffusive regime of the thermal model (Fig. 2a of the paper, grey curves).

Run time: about 70 s of one core.
    mpiexec -n 2 python examples/03_random_against_thermal.py [section.key=value ...]
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import epmpi
from epmpi.analysis import Analysis, analyse
from epmpi.parallel import Communicator

FOLDER = Path("runs/03_random_against_thermal")
COMMON = {
    "lattice": {"shape": [128, 128]},
    "model": {"temperature": 0.1},
    "tracers": {"number": 1024},
    "time": {"step": 0.05, "warmup": 300.0, "duration": 2000.0},
    "output": {"trajectory_every": 50.0, "trajectory_lags": "logarithmic"},
}


def measured(name: str, changes: list[str], communicator: Communicator) -> Analysis:
    """Run the common configuration with changes, and analyse it.  Collective."""
    configuration = epmpi.from_mapping(COMMON).with_overrides([*sys.argv[1:], *changes])
    epmpi.Simulation(configuration, communicator).run(FOLDER / name)
    [analysis] = analyse(FOLDER / name, communicator=communicator)
    return analysis


def main() -> None:
    """Run both models; the root draws D(t)."""
    communicator = Communicator.world()
    thermal = measured("thermal", [], communicator)
    activity = thermal.averages["activity"].value
    changes = ["model.activation=random", f"model.activity={activity!r}"]
    random = measured("random", changes, communicator)
    if not communicator.is_root:
        return
    figure, axes = plt.subplots(layout="constrained")
    for name, analysis in (("thermal", thermal), ("random", random)):
        if analysis.tracers is None:
            raise SystemExit("the runs are too short for D(t)")
        found = analysis.tracers.diffusion
        axes.errorbar(found.lag, found.coefficient, found.coefficient_error, fmt="o", label=name)
        average, regimes = analysis.averages["activity"], analysis.tracers.windows
        print(f"{name:<8} activity {average.value:.4f} +- {average.error:.4f}, regimes", end=" ")
        print(", ".join(f"{window.name}: t < {window.stop:.3g}" for window in regimes))
    axes.set(xscale="log", yscale="log", xlabel=r"$t\,/\,\tau$")
    axes.set(ylabel=r"$D(t)=\langle\Delta r^2\rangle/4t$", title=f"activity {activity:.4f}")
    axes.legend(frameon=False)
    figure.savefig(FOLDER / "diffusion.png", dpi=150)
    print(f"figure in {FOLDER / 'diffusion.png'}")


if __name__ == "__main__":
    main()
