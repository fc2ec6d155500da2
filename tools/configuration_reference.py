"""Print the reference of the configuration as Markdown: one table of keys for each section.

python tools/configuration_reference.py > docs/configuration.md
"""

from itertools import groupby

from epmpi.config import Description, describe

INTRODUCTION = """\
# Configuration

A run is described by a TOML file. Every key has a default, so that an empty file is valid. An
unknown section or key is an error that suggests the nearest one. `--set section.key=value` on the
command line replaces the value of the file; words need no quotes there.

Units: lengths in lattice spacings, stresses in default yield stresses, times in default relaxation
times. All times are whole multiples of `time.step`.

Defaults give way to what is written: with `tracers.number = 0` alone there is no trajectory,
another `time.step` or `tracers.every` moves the times that are left out to the nearest multiples,
and a fast rate or a time that is no multiple divides the step, by a factor of ten at most: another
time is refused. A choice gives way to the keys that only another one has: `model.activity` alone
takes the random model, `initial.stress_deviation` the Gaussian start, `model.residual`
instantaneous events and with them the exact clock. The head of a run names all that was adapted.
What is written is never changed, and a number without a default is asked for (`model.activity` with
`model.activation = "random"`).

<!-- Made by tools/configuration_reference.py from the table of keys: edit that instead. -->"""


def cell(text: str) -> str:
    """Return the text for a cell of a table: a bare "|" would end it, a bare "*" start italics."""
    return text.replace("|", "\\|").replace("*", "\\*") or "-"


def row(item: Description) -> str:
    """Return the row of one key; keys and defaults are set as code."""
    default = f"`{item.default}`" if item.default else "-"
    allowed = f"{item.type}, {item.range}"
    texts = map(cell, (f"`{item.key}`", default, item.unit, allowed, item.help))
    return f"| {' | '.join(texts)} |"


def reference() -> str:
    """Return the page."""
    lines = [INTRODUCTION]
    for section, items in groupby(describe(), key=lambda item: item.section):
        lines += ["", f"## [{section}]", ""]
        lines += ["| key | default | unit | values | meaning |", "|---|---|---|---|---|"]
        lines += map(row, items)
    return "\n".join(lines)


if __name__ == "__main__":
    print(reference())
