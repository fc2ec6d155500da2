"""Completeness of a run: whether it has ended, and the time that it reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epmpi.analysis.field_results import STRESS
from epmpi.analysis.run_file import POSITION, RunFile

FRAMES = ("observables/activity", POSITION, STRESS)  # their last frames give the time reached
NOT_ENDED = "still running, or killed"


@dataclass(frozen=True)
class Shortfall:
    """The missing part of a run, or of the runs of an ensemble.

    Attributes
    ----------
    why : str
        As the run says: "SIGTERM", "time limit", ...; `NOT_ENDED` where it says nothing.
    reached, duration : float
        Time of the last frame, and the requested duration, since the end of the warm-up; in tau.
    runs, of : int
        Number of runs that are incomplete, and of all runs.
    """

    why: str
    reached: float
    duration: float
    runs: int
    of: int

    @property
    def brief(self) -> str:
        """A few words, for titles."""
        how = "not ended" if self.why == NOT_ENDED else "stopped early"
        return f"{how}: t = {self.reached:.6g} of {self.duration:.6g}"

    @property
    def remark(self) -> str:
        """One line, with the remedy."""
        who = "the run" if self.of == 1 else f"{self.runs} of {self.of} replicas"
        how = "has not ended" if self.why == NOT_ENDED else "stopped early"
        if self.runs > 1 and self.why == NOT_ENDED:
            how = "have not ended"
        return (
            f"{who} {how} ({self.why}): the results are of the time up to t = {self.reached:.6g} "
            f"of {self.duration:.6g} tau; epmpi resume completes it"
        )


def shortfall(runs: Sequence[RunFile]) -> Shortfall | None:
    """Return the missing part of runs with the same frames; None where all are complete."""
    ends = [run.provenance() for run in runs]
    cut = [str(end.get("stopped", NOT_ENDED)) for end in ends if "finished" not in end]
    if not cut:
        return None
    first = runs[0]
    last = [float(first.clock(path).time[-1]) for path in FRAMES if first.has(path)]
    duration = float(first.parameter("time", "duration", 0.0))
    return Shortfall(cut[0], max(last, default=0.0), duration, len(cut), len(runs))
