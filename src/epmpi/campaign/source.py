"""A finished run, as the quantities of a scan see it."""

from __future__ import annotations

from functools import cached_property

from epmpi.analysis import Analysis, RunFile, measure
from epmpi.analysis.displacement import Diffusion, SquaredDisplacement
from epmpi.analysis.field_results import FieldResults, measure_fields
from epmpi.analysis.lags import Lag, sliding_lags
from epmpi.analysis.log_results import LogResults, measure_log
from epmpi.analysis.run_file import POSITION
from epmpi.analysis.strips import tracer_strips


class Source:
    """A run to measure; it is analysed in full only if a quantity needs that."""

    def __init__(self, run: RunFile) -> None:
        self.run = run

    @cached_property
    def analysis(self) -> Analysis:
        """The full analysis of the run."""
        return measure(self.run)

    @cached_property
    def log(self) -> LogResults | None:
        """Results from the log of events."""
        return measure_log([self.run])

    @cached_property
    def fields(self) -> FieldResults | None:
        """Results from the frames of the stress."""
        return measure_fields([self.run], None)

    @cached_property
    def lags(self) -> list[Lag]:
        """Sliding lags of the trajectory; none without one."""
        return sliding_lags(self.run.clock(POSITION)) if self.run.has(POSITION) else []

    def diffusion(self, lag: Lag) -> Diffusion:
        """Return D(t) at one lag."""
        squares = SquaredDisplacement([lag])
        for strip in tracer_strips(self.run):
            squares.add(strip)
        return squares.result()
