"""Rows of a benchmark, appended to a CSV file."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def append(row: Mapping[str, Any], file: Path) -> None:
    """Append a row to a CSV file, with the date; the first one brings the names of the columns."""
    row = {"date": datetime.date.today().isoformat(), **row}
    new = not file.exists()
    with file.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
