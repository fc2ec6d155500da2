"""Rows of a benchmark, kept in a CSV file with the date, the commit and the hardware."""

from __future__ import annotations

import csv
import datetime
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from epmpi.output.provenance import git_revision

FLAGS = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}  # of Linux: the widest first


def append(row: Mapping[str, Any], file: Path) -> None:
    """Add a row to a CSV file; the file is written anew where the row brings new columns."""
    about = {
        "date": datetime.date.today().isoformat(),
        "commit": git_revision()[:7],
        "machine": hardware(),
    }
    rows: list[Mapping[str, Any]] = []
    if file.exists():
        with file.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    rows.append({**about, **row})
    columns = dict.fromkeys(name for one in rows for name in one)
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(columns), restval="")
        writer.writeheader()
        writer.writerows(rows)


def hardware() -> str:
    """Return what the processor is, as far as it matters here; no names."""
    processors = Path("/proc/cpuinfo")
    known = set(processors.read_text().split()) if processors.exists() else set()
    vectors = [name for flag, name in FLAGS.items() if flag in known]
    return ", ".join([f"{os.cpu_count()} cores {platform.machine()}", *vectors[:1]])
