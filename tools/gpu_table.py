"""Make the table of benchmarks/results/gpu.md from the files of `tools/gpu_session.sh`.

usage: python tools/gpu_table.py DIRECTORY
"""

import re
import sys
from pathlib import Path

HEAD = (
    "| date | commit | GPU | copy, GB/s | L | precision | ms a step | of the roofline |\n"
    "|------|--------|-----|-----------:|--:|-----------|----------:|----------------:|"
)


def main() -> int:
    """Print the table, and the line of the tests and of the memory."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    directory = Path(sys.argv[1])
    print(HEAD)
    for row in rows(directory):
        print("| " + " | ".join(row) + " |")
    print()
    for name in ("tests", "memory"):
        lines = read(directory / f"{name}.txt").splitlines()
        print(f"{name}: {lines[-1] if lines else 'not run'}")
    return 0


def rows(directory: Path) -> list[list[str]]:
    """Return the rows of the table, one a size and precision."""
    known = read(directory / "hardware.txt")
    date, commit = (first(rf"^{what} (\S+)", known) for what in ("date", "commit"))
    found = []
    for path in sorted(directory.glob("roofline*.txt"), key=lambda path: path.stat().st_mtime_ns):
        text = read(path)
        card, copy = first(r"^device=(.*?),", text), first(r"copy_GB/s=(\S+)", text)
        found += [
            [date, commit, card, copy, *values]
            for values in re.findall(
                r"^L=(\d+)  precision=(\w+)  ms_per_step=(\S+) .*of_roofline=(\S+)", text, re.M
            )
        ]
    return found


def read(path: Path) -> str:
    """Return the text of a file; nothing where it is missing."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def first(pattern: str, text: str) -> str:
    """Return the first group of the first match, or "?"."""
    match = re.search(pattern, text, re.M)
    return match[1] if match else "?"


if __name__ == "__main__":
    sys.exit(main())
