"""Memory of a scan: a run is measured again only if it has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import epmpi
from epmpi.campaign.quantities import Value, measure_quantities

Known = dict[str, dict[str, list[float]]]


def measure_once(
    runs: Sequence[Path], quantities: Sequence[str], workers: int, memory: Path
) -> list[dict[str, Value]]:
    """Measure these quantities of runs, except those that `memory` already has.

    Parameters
    ----------
    runs : sequence of Path
        RUN directories.
    memory : Path
        A JSON file, updated with the results.  Entries of another version of epmpi, or of a run
        file that has changed since, are ignored.
    """
    known: Known = json.loads(memory.read_text(encoding="utf-8")) if memory.is_file() else {}
    keys = [_key(run) for run in runs]
    wanted = {
        run: missing
        for run, key in zip(runs, keys, strict=True)
        if (missing := [name for name in quantities if name not in known.get(key, {})])
    }
    for run, found in zip(wanted, measure_quantities(wanted, workers), strict=True):
        values = {name: [float(x) for x in pair] for name, pair in found.items()}
        known.setdefault(_key(run), {}).update(values)
    memory.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return [
        {name: (known[key][name][0], known[key][name][1]) for name in quantities} for key in keys
    ]


def _key(run: Path) -> str:
    """Return a key that changes with the run file and the version of epmpi."""
    status = (run / "run.h5").stat()
    return f"{run.name} {status.st_size} {status.st_mtime_ns} {epmpi.__version__}"
