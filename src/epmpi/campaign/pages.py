"""A page of the documentation from a campaign: its description, tables and figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import epmpi
from epmpi.analysis.blocks import METHOD

FIGURES = ("figure", "transients")


def write_page(page: Path, campaign: Path, directory: Path) -> None:
    """Write a page beside copies of the figures, and of the table as CSV.

    Parameters
    ----------
    page : Path
        NAME.md; the figures become images/NAME-*.png beside it, the table NAME.csv.
    campaign : Path
        Campaign file; its first comment begins the page.
    directory : Path
        Output directory of the scan.
    """
    name = page.stem
    text = []
    for line in campaign.read_text(encoding="utf-8-sig").splitlines():
        if not line.startswith("#"):
            break
        text.append(line.removeprefix("#").strip())
    title, *rest = text
    prose = [line for line in rest if not line.startswith("Run time: ")]
    lines = [f"# {title.rstrip('.')}", *prose, ""]
    lines += [
        f"Made by `epmpi scan {campaign}`, epmpi {epmpi.__version__}; the file holds every "
        f"parameter and seed. (12) is the error of the last digits: {METHOD}. Laws are fitted to "
        "the rows of the table by the rules of [fits](../observables.md#fits).",
        "",
        *(directory / "table.md").read_text(encoding="utf-8").splitlines(),
        "",
        f"The same as [CSV]({name}.csv).",
    ]
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    for figure in FIGURES:
        drawn = directory / f"{figure}.png"
        if drawn.is_file():
            shutil.copyfile(drawn, images / f"{name}-{figure}.png")
            lines += ["", f"![{figure} of {name}](images/{name}-{figure}.png)"]
    shutil.copyfile(directory / "table.csv", page.with_suffix(".csv"))
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
