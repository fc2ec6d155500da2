"""`epmpi paper`: run what is missing, measure, draw, and write the validation page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from epmpi.campaign import Job, carry_out
from epmpi.campaign.quantities import measure_quantities
from epmpi.config import ConfigError
from epmpi.paper.cases import FULL, QUICK, RANDOM_ACTIVITY, Case, configure
from epmpi.paper.dynamics import draw_2a, draw_collapse
from epmpi.paper.measured import Measured, measure_all, measured_time
from epmpi.paper.model_figures import draw_1, draw_activity
from epmpi.paper.statistics import draw_3a, draw_3b, draw_3c, draw_3d
from epmpi.paper.validation import write_validation

SHORTEST = 0.1  # fraction of its duration after which a full run counts

Draw = Callable[[Path, Sequence[Measured]], None]


@dataclass(frozen=True)
class PaperFigure:
    """A figure: its drawing function, the runs it needs, and the regime that it shows."""

    draw: Draw
    temperatures: tuple[float, ...]
    random: tuple[float, ...] = ()
    regime: str = ""

    def needs(self, case: Case) -> bool:
        """Tell whether the figure shows this run."""
        return case.temperature in (self.random if case.random else self.temperatures)


PAIRED = (0.03, 0.04, 0.05, 0.07, 0.1, 0.2)  # thermal runs beside random ones
SHOWN = (0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2)
ALL = (*SHOWN, 0.035, 0.06)
FIGURES = {
    "fig1": PaperFigure(draw_1, (0.1,)),
    "fig2a": PaperFigure(draw_2a, PAIRED, PAIRED),
    "fig2b": PaperFigure(partial(draw_collapse, regime="I"), (0.2,), regime="I"),
    "fig2c": PaperFigure(partial(draw_collapse, regime="II"), (0.07,), regime="II"),
    "fig2d": PaperFigure(partial(draw_collapse, regime="III"), (0.2,), regime="III"),
    "fig3a": PaperFigure(draw_3a, SHOWN, (0.0,)),
    "fig3b": PaperFigure(draw_3b, SHOWN, (0.0,)),
    "fig3c": PaperFigure(draw_3c, SHOWN, (0.0,)),
    "fig3d": PaperFigure(draw_3d, SHOWN, (0.0,)),
    "activity": PaperFigure(draw_activity, ALL),
}


def reproduce(
    names: Sequence[str],
    directory: Path,
    page: Path,
    *,
    scale: str,
    workers: int,
    ranks: int = 1,
    console: Console,
) -> list[Path]:
    """Reproduce figures of the paper; return the PNGs.

    Parameters
    ----------
    names : sequence of str
        Keys of `FIGURES`; empty for all.
    directory : Path
        Runs go to its quick/runs or full/runs, figures beside them; existing runs are reused.
    page : Path
        The validation page; written when all figures were asked for.
    scale : str
        "quick": small lattices, minutes; "full": the paper's sizes and all temperatures, hours to
        days; "available": nothing is run; figures show the full run of a temperature if it is
        finished, else the quick one, and the page has the rows of both.
    workers, ranks : int
        Number of simultaneous runs, and of the ranks of each.

    Raises
    ------
    ConfigError
        If a run cannot be reused or fails, or none is available.
    """
    chosen = {name: FIGURES[name] for name in (names or FIGURES)}
    beside: dict[Case, Path] = {}
    if scale == "available":
        runs, beside = _available(directory)
    else:
        runs = _carry_out(
            FULL if scale == "full" else QUICK,
            list(chosen.values()),
            directory / scale / "runs",
            partial(carry_out, workers=workers, ranks=ranks, console=console),
        )
    console.print("measuring")
    measured = measure_all(runs, workers)
    larger = measure_all(beside, workers)
    figures = []
    for name, figure in chosen.items():
        shown = [
            one for one in _largest([*measured, *larger], figure.regime) if figure.needs(one.case)
        ]
        if all(one.case.random for one in shown):
            console.print(f"{name}: none of its runs is there", highlight=False)
            continue
        path = directory / scale / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.draw(path, shown)
        figures.append(path)
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
    if len(chosen) == len(FIGURES):
        write_validation(page, measured, scale, figures, larger)
        console.print(f"wrote {page}", highlight=False, soft_wrap=True)
    return figures


def _largest(measured: Sequence[Measured], regime: str) -> list[Measured]:
    """Return the best run of each model and temperature.

    Preferred are runs that reach the regime (if one is named), then finished ones, then larger
    ones.
    """

    def merit(one: Measured) -> tuple[bool, bool, int]:
        return not regime or regime in one.windows, one.duration >= one.case.duration, one.case.size

    best = {(one.case.random, one.case.temperature): one for one in sorted(measured, key=merit)}
    return [one for one in measured if best[one.case.random, one.case.temperature] is one]


def _carry_out(
    table: Sequence[Case],
    figures: Sequence[PaperFigure],
    runs: Path,
    carry_out: Callable[[Sequence[Job], Path], None],
) -> dict[Case, Path]:
    """Run the missing runs of these figures; return the RUN directories."""
    cases = [case for case in table if any(figure.needs(case) for figure in figures)]
    partners = {case.temperature for case in cases if case.random and case.temperature}
    # A random run needs the activity of its thermal partner, even if that is not shown.
    thermal = [
        case
        for case in table
        if not case.random and (case in cases or case.temperature in partners)
    ]
    carry_out([Job(case.name, configure(case)) for case in thermal], runs)
    random = [case for case in cases if case.random]
    carry_out([Job(case.name, configure(case, _activity(case, runs))) for case in random], runs)
    return {case: runs / case.name for case in (*thermal, *random)}


def _available(directory: Path) -> tuple[dict[Case, Path], dict[Case, Path]]:
    """Return the existing quick runs, and the full ones; without the former, the latter alone.

    A full run that was stopped early counts if it is longer than `SHORTEST` of its duration.
    """
    quick, full = (
        {
            case: run
            for case in table
            if measured_time(run := directory / scale / "runs" / case.name)
            >= SHORTEST * case.duration
        }
        for scale, table in (("quick", QUICK), ("full", FULL))
    )
    if all(case.random for case in (*quick, *full)):
        raise ConfigError(f"no thermal run in {directory}: start with epmpi paper --quick")
    return (quick, full) if any(not case.random for case in quick) else (full, {})


def _activity(case: Case, runs: Path) -> float:
    """Return the activity of a random run: the measured one of its thermal partner, 4 digits."""
    if case.temperature == 0:
        return RANDOM_ACTIVITY
    partner = runs / replace(case, random=False).name
    [found] = measure_quantities({partner: ["activity"]}, workers=1)
    return float(f"{found['activity'][0]:.4g}")
