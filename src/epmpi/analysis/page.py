"""A run on one HTML page, self-contained: tables, figures, parameters, provenance."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from rich.table import Table

from epmpi.analysis.results import Analysis
from epmpi.analysis.table import tables
from epmpi.config import describe

CAPTIONS = {
    "series": "Activity, stress variance and, of sheared runs, mean stress; the warm-up in grey.",
    "flow": "Mean stress against the macroscopic strain; the warm-up in grey.",
    "stress_map": "The last stress, and the response to a few of its events.",
    "trajectories": "Paths of a few tracers.",
    "diffusion": "D(t) with its regimes, and the local exponent of the mean square displacement.",
    "structure_factor": "S(q,t), and its collapse in each regime.",
    "avalanches": "Avalanches, bursts and distances from the threshold.",
    "statistics": "Distributions and correlations.",
}
STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 60rem; color: #222; }
body { margin: 2rem auto; padding: 0 1rem; }
h1, h2 { font-weight: 600; line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.92em; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
td:first-child { white-space: nowrap; }
figure { margin: 1.5rem 0; } img { max-width: 100%; } figcaption, .note { color: #555; }
pre { background: #f4f4f4; padding: 0.8rem; overflow-x: auto; } .changed { font-weight: 600; }
.remark { color: #b34700; }
"""


def write_page(path: Path, analysis: Analysis) -> None:
    """Write the page of an analysis whose figures are drawn.

    Raises
    ------
    OSError
        If a figure cannot be read, or the page cannot be written.
    """
    name = escape(analysis.name)
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f"<title>epmpi: {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        f"<h1>{name}</h1>\n<p>{escape(plain(analysis.title))}</p>",
        *_results(analysis),
        *_figures(analysis.figures),
        *_parameters(analysis.provenance.get("configuration", "")),
        *_provenance(analysis.provenance),
        "</body>\n</html>\n",
    ]
    path.write_text("\n".join(parts), encoding="utf-8")


def plain(title: str) -> str:
    """Return a title without its mathematical markup."""
    title = title.replace("$", "").replace("\n", ",  ")
    return title.replace(r"\times", "×").replace(r"\dot\gamma", "strain rate")


def _results(analysis: Analysis) -> Iterator[str]:
    yield "<h2>Results</h2>"
    yield "<p class=note>In brackets: the error of the last digits, half of a 68.3 % interval.</p>"
    for table in tables(analysis):
        yield _from_screen(table)
    for line in analysis.remarks:
        yield f"<p class=remark>remark: {escape(line)}</p>"
    for line in analysis.missing:
        yield f"<p class=note>missing: {escape(line)}</p>"


def _from_screen(table: Table) -> str:
    """Return a table of the screen as one of HTML."""
    heads = [str(column.header) for column in table.columns]
    rows = zip(*(column.cells for column in table.columns), strict=True)
    made = html_table(str(table.title), heads, rows)
    note = f"<p class=note>{escape(str(table.caption))}</p>" if table.caption else ""
    return made + note


def html_table(title: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table; all texts are escaped."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    lines = [f"<table><caption>{escape(title)}</caption><tr>{head}</tr>"]
    for row in rows:
        lines.append(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>")
    return "\n".join([*lines, "</table>"])


def _figures(figures: Iterable[Path]) -> Iterator[str]:
    yield "<h2>Figures</h2>"
    for png in figures:
        data = base64.b64encode(png.read_bytes()).decode("ascii")
        caption = escape(CAPTIONS.get(png.stem, png.stem))
        image = f'<img alt="{escape(png.stem)}" src="data:image/png;base64,{data}">'
        yield f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _parameters(text: str) -> Iterator[str]:
    """Yield all keys of the run, values other than the default in bold, and the TOML."""
    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # written by another version: shown unchanged
        sections = {}
    lines = []
    for item in describe():
        value = sections.get(item.section, {}).get(item.key)
        if value is None:
            continue
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        marked = ' class="changed"' if shown not in (item.default, item.default.strip('"')) else ""
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (shown, item.unit, item.help))
        lines.append(f"<tr{marked}><td>{item.section}.{item.key}</td>{cells}</tr>")
    yield "<h2>Parameters</h2>\n<p class=note>Bold: not the default.</p>"
    yield "<table><tr><th>key</th><th>value</th><th>unit</th><th>meaning</th></tr>"
    yield "\n".join([*lines, "</table>"])
    yield f"<details><summary>As TOML</summary><pre>{escape(text)}</pre></details>"


def _provenance(provenance: Mapping[str, Any]) -> Iterator[str]:
    known = {key: value for key, value in provenance.items() if key != "configuration"}
    yield "<h2>Provenance</h2>"
    yield html_table("", ("what", "value"), sorted(known.items()))
