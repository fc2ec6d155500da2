"""The runs that the figures need: temperatures, sizes and durations, quick and full."""

from __future__ import annotations

from dataclasses import dataclass

from epmpi.config import Configuration, from_mapping

STEP = 0.05  # tau; with the exact clock, only the shortest lag
ORIGINS = 60  # of the logarithmic frames, in a run
HISTOGRAMS = 64  # frames of the waiting times
SERIES = 4000  # samples of the activity
TRACERS = 2048
SEED = 2014
RANDOM_ACTIVITY = 0.0034  # of the random model in figure 3


@dataclass(frozen=True)
class Case:
    """A run of the thermal model, or of the random model at an activity.

    Attributes
    ----------
    temperature : float
        Of the run; for a random run, that of the thermal run with the same activity (0: its own).
    size : int
        L.
    warmup, duration : float
        In tau.
    fields_every : float
        In tau; 0: no fields.
    exact : bool
        Whether to use the exact clock, which is faster where few sites yield.
    """

    temperature: float
    size: int
    warmup: float
    duration: float
    fields_every: float = 0.0
    random: bool = False
    exact: bool = False

    @property
    def name(self) -> str:
        """Of the RUN directory."""
        if self.random and self.temperature == 0:
            return f"random-a{RANDOM_ACTIVITY:g}-L{self.size}"
        return f"{'random' if self.random else 'thermal'}-T{self.temperature:g}-L{self.size}"


QUICK = (
    Case(0.2, 128, 100, 600, 1.0),
    Case(0.15, 128, 200, 1000, 2.0),
    Case(0.1, 128, 600, 6000, 10.0),
    Case(0.07, 128, 3000, 18000, 60.0, exact=True),
    Case(0.05, 128, 30000, 100000, 400.0, exact=True),
    Case(0.04, 128, 200000, 1000000, 4000.0, exact=True),
    Case(0.03, 128, 10000000, 50000000, 200000.0, exact=True),
    Case(0.2, 128, 50, 600, random=True),
    Case(0.1, 128, 50, 2000, random=True),
    Case(0.07, 128, 50, 4000, random=True, exact=True),
    Case(0.05, 128, 50, 40000, random=True, exact=True),
    Case(0.0, 128, 50, 3000, 2.0, random=True, exact=True),
)
FULL = (
    Case(0.2, 512, 200, 2000, 2.0),
    Case(0.15, 512, 400, 3000, 4.0),
    Case(0.1, 512, 2000, 10000, 20.0),
    Case(0.07, 256, 10000, 100000, 200.0, exact=True),
    Case(0.06, 256, 20000, 100000, exact=True),
    Case(0.05, 256, 100000, 1000000, 2000.0, exact=True),
    Case(0.04, 256, 1000000, 6000000, 15000.0, exact=True),
    Case(0.035, 256, 5000000, 30000000, exact=True),
    Case(0.03, 256, 50000000, 300000000, 1000000.0, exact=True),
    Case(0.2, 512, 100, 1000, random=True),
    Case(0.1, 512, 100, 4000, random=True),
    Case(0.07, 256, 100, 20000, random=True, exact=True),
    Case(0.05, 256, 100, 100000, random=True, exact=True),
    Case(0.04, 256, 100, 1000000, random=True, exact=True),
    Case(0.03, 256, 100, 50000000, random=True, exact=True),
    Case(0.0, 256, 100, 10000, 4.0, random=True),
)
# Temperatures and times of the annealing of a cold run.
COOLING = (
    (0.1, 50.0), (0.07, 500.0), (0.06, 2e3), (0.05, 2e4), (0.04, 2e5), (0.035, 2e6)
)  # fmt: skip


def configure(case: Case, activity: float | None = None) -> Configuration:
    """Return the configuration of a case; a random one needs its activity."""
    origins = _multiple(case.duration / ORIGINS)
    model: dict[str, object] = {"temperature": case.temperature}
    initial: dict[str, object] = {}
    if case.random:
        model = {"activation": "random", "activity": activity or RANDOM_ACTIVITY}
    elif case.temperature < 0.1:
        # Where events are rare, the stress takes long to build up from a stress-free start.
        initial = {"state": "gaussian", "stress_deviation": 0.3}
        if case.exact:
            stages = [list(stage) for stage in COOLING if stage[0] > case.temperature]
            initial["annealing"] = stages
    return from_mapping(
        {
            "lattice": {"shape": [case.size, case.size]},
            "model": model,
            "initial": initial,
            "tracers": {"number": min(TRACERS, case.size**2)},
            "time": {
                "clock": "exact" if case.exact else "steps",
                "step": STEP,
                "warmup": case.warmup,
                "duration": case.duration,
            },
            "output": {
                "series_every": _multiple(max(case.duration / SERIES, 0.25)),
                "trajectory_every": origins,
                "trajectory_lags": "logarithmic",
                "fields_every": case.fields_every,
                "waiting_times_every": _multiple(case.duration / HISTOGRAMS),
            },
            "run": {"seed": SEED + round(1000 * case.temperature) + 500 * case.random},
        }
    )


def _multiple(time: float) -> float:
    """Return the nearest multiple of the time step, as a short decimal number."""
    return round(max(round(time / STEP), 1) * STEP, 6)
