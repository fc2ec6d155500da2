"""`epmpi scan CAMPAIGN.toml`: a grid of parameters, sizes and seeds, one table and one figure.

The file is a configuration with a section of its own:

    [scan]
    seeds = [1, 2, 3]                    # averaged over
    quantities = ["activity", "stress_variance", "diffusion"]        # default: all of QUANTITIES

    [scan.grid]                          # all combinations
    "lattice.shape" = [[64, 64], [128, 128]]
    "model.temperature" = [0.1, 0.2]

    [[scan.points]]                      # beside the grid: keys that change together
    "model.activation" = "random"
    "model.activity" = 0.01

    [[scan.fits]]                        # laws, see epmpi.campaign.laws
    quantity = "activity"
    law = "arrhenius"
    against = "model.temperature"

`transients = true` draws the warm-ups too.  There may be several grids, each a [[scan.grid]], so
that cold runs can be longer than hot ones, and each with `seeds` of its own.  Finished runs are not
repeated; points and seeds may be added and durations increased.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from epmpi.campaign.drawing import draw_scan
from epmpi.campaign.families import as_text, is_axis
from epmpi.campaign.laws import Request, fit_all, read_requests
from epmpi.campaign.memory import measure_once
from epmpi.campaign.pages import write_page
from epmpi.campaign.quantities import QUANTITIES, Mean, mean_over_seeds
from epmpi.campaign.runs import Job, carry_out
from epmpi.campaign.tables import write_tables
from epmpi.campaign.transients import draw_transients
from epmpi.config import MAY_CHANGE, ConfigError, from_mapping
from epmpi.config.keys import shown
from epmpi.config.parsing import read_toml

KEYS = ("seeds", "quantities", "grid", "points", "fits", "transients")
KINDS: dict[str, tuple[type, str]] = {
    "seeds": (int, "a list of whole numbers"),
    "quantities": (str, "a list of names"),
    "points": (dict, "a list of tables"),
    "fits": (dict, "a list of tables"),
}
MOST_RUNS = 100_000


@dataclass(frozen=True)
class Point:
    """One combination of parameters, run with several seeds.

    Attributes
    ----------
    changes : dict
        {section.key: value} on top of the file's configuration.
    jobs : tuple of Job
        One for each seed.
    """

    changes: dict[str, Any]
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Campaign:
    """Contents of a campaign file."""

    points: tuple[Point, ...]
    quantities: tuple[str, ...]
    fits: tuple[Request, ...] = ()
    transients: bool = False


def read_campaign(path: Path) -> Campaign:
    """Read a campaign file.

    Raises
    ------
    ConfigError
        If it cannot be read, or one of its points cannot be run.
    """
    content = read_toml(path)
    scan = content.pop("scan", None)
    if scan is None:
        raise ConfigError(
            f"{path} has no section [scan]: a single run is begun by epmpi run {path}"
        )
    if not isinstance(scan, dict) or not set(scan) <= set(KEYS):
        raise ConfigError(f"{path}: expected a section [scan] with no keys but {', '.join(KEYS)}")
    check_kinds(path, content, scan)
    quantities = tuple(scan.get("quantities", QUANTITIES))
    if unknown := set(quantities) - set(QUANTITIES):
        raise ConfigError(
            f"{path}: no quantity {', '.join(sorted(unknown))}, known are {', '.join(QUANTITIES)}"
        )
    points = tuple(_points(path, content, scan))
    requests = read_requests(scan.get("fits", []), quantities)
    check_axes(path, requests, points)
    return Campaign(points, quantities, tuple(requests), bool(scan.get("transients", False)))


def check_kinds(path: Path, content: dict[str, Any], scan: dict[str, Any]) -> None:
    """Raise ConfigError if a section is not a table, or a key of [scan] has the wrong type."""
    for section, values in content.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: {section} = {shown(values)}: expected a section")
    for key, (kind, expected) in KINDS.items():
        given = scan.get(key, [])
        if not isinstance(given, list) or any(type(item) is not kind for item in given):
            raise ConfigError(f"{path}: scan.{key} = {shown(given)}: expected {expected}")
    for grid in _grids(scan):
        if not isinstance(grid, dict) or any(not isinstance(item, list) for item in grid.values()):
            raise ConfigError(f"{path}: scan.grid = {shown(grid)}: expected a list for each key")
        if any(type(seed) is not int for seed in grid.get("seeds", [])):
            raise ConfigError(
                f"{path}: seeds = {shown(grid['seeds'])} in scan.grid: expected whole numbers"
            )


def check_axes(path: Path, requests: Sequence[Request], points: Sequence[Point]) -> None:
    """Raise ConfigError for a fit against a key that no point changes."""
    keys = list(dict.fromkeys(key for point in points for key in point.changes))
    for request in requests:
        if not any(is_axis(key, request.against) for key in keys):
            raise ConfigError(
                f"{path}: [[scan.fits]] of {request.quantity} against {shown(request.against)}: "
                f"no point changes it; expected one of {', '.join(keys)}, or a section of theirs"
            )


def _points(path: Path, content: Mapping[str, Any], scan: Mapping[str, Any]) -> Iterator[Point]:
    """Yield all combinations of the keys of each grid, with each of [[scan.points]].

    Their seeds are those of the grid, of the scan, or of the file.
    """
    single = content.get("run", {}).get("seed")
    if single is not None and any("seeds" in one for one in (scan, *_grids(scan))):
        raise ConfigError(f"{path}: run.seed beside scan.seeds: leave run.seed out")
    together = {"seeds": scan.get("seeds", [1] if single is None else [single])}
    grids, beside = [together | grid for grid in _grids(scan)], scan.get("points", [{}])
    number = len(beside) * sum(math.prod(map(len, grid.values())) for grid in grids)
    if number == 0:
        raise ConfigError(f"{path} asks for no run: a list in [scan] is empty; give it a value")
    if number > MOST_RUNS:
        raise ConfigError(f"{path} asks for {number} runs: expected at most {MOST_RUNS}")
    for grid in grids:
        seeds = grid.pop("seeds")
        for values in itertools.product(*grid.values()):
            for more in beside:
                yield _point(content, {**dict(zip(grid, values, strict=True)), **more}, seeds)


def _grids(scan: Mapping[str, Any]) -> list[Any]:
    """Return the grids: one [scan.grid], or several [[scan.grid]]."""
    grids = scan.get("grid", {})
    return grids if isinstance(grids, list) else [grids]


def _point(base: Mapping[str, Any], changes: dict[str, Any], seeds: Sequence[int]) -> Point:
    if "run.replicas" in changes or "replicas" in base.get("run", {}):
        raise ConfigError("run.replicas in a scan: its seeds are independent runs; set scan.seeds")
    if "run.seed" in changes:
        raise ConfigError("run.seed among the points of a scan: set scan.seeds instead")
    mapping: dict[str, dict[str, Any]] = {name: dict(values) for name, values in base.items()}
    for name, value in changes.items():
        section, _, key = name.partition(".")
        mapping.setdefault(section, {})[key] = value
    jobs = []
    for seed in seeds:
        mapping.setdefault("run", {})["seed"] = seed
        jobs.append(Job(_name(changes, seed), from_mapping(mapping)))
    return Point(changes, tuple(jobs))


def _name(changes: Mapping[str, Any], seed: int) -> str:
    """Return a directory name made of the parameters, except those that a longer run changes."""
    parts = [
        f"{key.split('.')[-1]}{as_text(value)}"
        for key, value in changes.items()
        if key not in MAY_CHANGE
    ]
    return "-".join([*parts, f"seed{seed}"]).replace("/", "_")


def scan(
    path: Path,
    directory: Path,
    *,
    workers: int,
    ranks: int,
    console: Console,
    page: Path | None = None,
) -> list[tuple[Point, dict[str, Mean]]]:
    """Run what is missing of a campaign; write table.md, table.csv, table.h5 and figure.png.

    `page` is a page of the documentation to write as well, with a copy of the figures.

    Returns
    -------
    list of (Point, {quantity: Mean})
    """
    campaign = read_campaign(path)
    jobs = [job for point in campaign.points for job in point.jobs]
    runs = directory / "runs"
    carry_out(jobs, runs, workers=workers, ranks=ranks, console=console)
    console.print("measuring")
    found = measure_once(
        [runs / job.name for job in jobs],
        campaign.quantities,
        workers,
        directory / "measured.json",
    )
    values = iter(found)
    rows = []
    for point in campaign.points:
        of_seeds = [next(values) for _ in point.jobs]
        rows.append((point, mean_over_seeds(of_seeds)))
    table = [(point.changes, means) for point, means in rows]
    fits, failed = fit_all(campaign.fits, table)
    for line in failed:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    write_tables(directory, table, campaign.quantities, fits)
    draw_scan(directory / "figure.png", table, campaign.quantities, fits)
    if campaign.transients:
        draw_transients(directory / "transients.png", runs, jobs)
    if page is not None:
        write_page(page, path, directory)
    text = (directory / "table.md").read_text(encoding="utf-8")
    console.print(text, highlight=False, markup=False, soft_wrap=True)  # its lines stay whole
    return rows
