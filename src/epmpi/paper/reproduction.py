"""`epmpi paper`: run what is missing, measure, draw, and write the validation page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from epmpi.campaign import Job, carry_out
from epmpi.paper.cases import FULL, QUICK, RANDOM_ACTIVITY, Case, configure
from epmpi.paper.dynamics import draw_2a, draw_2b, draw_2c, draw_2d
from epmpi.paper.measured import Measured, mean_activity, measure_all
from epmpi.paper.model_figures import draw_1, draw_activity
from epmpi.paper.statistics import draw_3a, draw_3b, draw_3c, draw_3d
from epmpi.paper.validation import write_validation

Draw = Callable[[Path, Sequence[Measured]], None]


@dataclass(frozen=True)
class PaperFigure:
    """A figure: how it is drawn, and which runs it needs."""

    draw: Draw
    temperatures: tuple[float, ...]
    random: tuple[float, ...] = ()

    def needs(self, case: Case) -> bool:
        """Tell whether the figure shows this run."""
        return case.temperature in (self.random if case.random else self.temperatures)


ALL = (0.04, 0.05, 0.07, 0.1, 0.15, 0.2)
FIGURES = {
    "fig1": PaperFigure(draw_1, (0.1,)),
    "fig2a": PaperFigure(draw_2a, (0.05, 0.07, 0.1, 0.2), (0.05, 0.07, 0.1, 0.2)),
    "fig2b": PaperFigure(draw_2b, (0.2,)),
    "fig2c": PaperFigure(draw_2c, (0.07,)),
    "fig2d": PaperFigure(draw_2d, (0.2,)),
    "fig3a": PaperFigure(draw_3a, ALL, (0.0,)),
    "fig3b": PaperFigure(draw_3b, ALL, (0.0,)),
    "fig3c": PaperFigure(draw_3c, ALL, (0.0,)),
    "fig3d": PaperFigure(draw_3d, ALL, (0.0,)),
    "activity": PaperFigure(draw_activity, ALL),
}


def reproduce(
    names: Sequence[str],
    directory: Path,
    page: Path,
    *,
    full: bool,
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
        Of the runs and the figures; what is finished there is reused.
    page : Path
        The validation page; written when all figures were asked for.
    full : bool
        The paper's sizes and all temperatures, hours to days, instead of minutes.
    workers, ranks : int
        Runs at the same time, and ranks of each.
    """
    chosen = {name: FIGURES[name] for name in (names or FIGURES)}
    cases = [
        case for case in (FULL if full else QUICK)
        if any(figure.needs(case) for figure in chosen.values())
    ]  # fmt: skip
    runs = directory / "runs"
    thermal = _with_partners([case for case in cases if not case.random], cases, full)
    jobs = [Job(case.name, configure(case)) for case in thermal]
    carry_out(jobs, runs, workers=workers, ranks=ranks, console=console)
    random = [case for case in cases if case.random]
    jobs = [Job(case.name, configure(case, _activity(case, runs))) for case in random]
    carry_out(jobs, runs, workers=workers, ranks=ranks, console=console)

    console.print("measuring")
    measured = measure_all([*thermal, *random], runs, workers)
    figures = []
    directory.mkdir(parents=True, exist_ok=True)
    for name, figure in chosen.items():
        shown = [one for one in measured if figure.needs(one.case)]
        path = directory / f"{name}.png"
        figure.draw(path, shown)
        figures.append(path)
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
    if len(chosen) == len(FIGURES):
        write_validation(page, measured, full=full)
        console.print(f"wrote {page}", highlight=False, soft_wrap=True)
    return figures


def _with_partners(thermal: list[Case], cases: list[Case], full: bool) -> list[Case]:
    """Add the thermal runs whose activity a random one takes over."""
    wanted = {case.temperature for case in cases if case.random and case.temperature}
    present = {case.temperature for case in thermal}
    return thermal + [
        case
        for case in (FULL if full else QUICK)
        if not case.random and case.temperature in wanted - present
    ]


def _activity(case: Case, runs: Path) -> float:
    """Return the activity of a random run: the measured one of its thermal partner, 4 digits."""
    if case.temperature == 0:
        return RANDOM_ACTIVITY
    partner = runs / f"thermal-T{case.temperature:g}-L{case.size}"
    return float(f"{mean_activity(partner):.4g}")
