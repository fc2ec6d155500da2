"""Memory that this process can still get from the machine and within the limits of its job.

Batch systems and containers set limits by control groups (cgroups); the kernel kills a process that
exceeds them, without a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
UNLIMITED = 2**60  # bytes; cgroups of version 1 have a larger number for no limit
# Of a group: its limit, the memory in use, and the cached files in it, which the kernel can drop.
FILES = {
    2: ("memory.max", "memory.current", ("inactive_file", "active_file")),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file")),
}  # fmt: skip


def free_memory(proc: Path = PROC, groups: Path = GROUPS) -> tuple[int, str] | None:
    """Return the bytes that are free, and whose limit that is; None if unknown.

    The least of those of the system, swap included, and of all control groups of this process.
    """
    found = [(left, name) for name, left in (*_of_system(proc), *_of_groups(proc, groups))]
    return min(found, default=None)


def _of_system(proc: Path) -> Iterator[tuple[str, int]]:
    known = _numbers(proc / "meminfo")
    if "MemAvailable:" in known:
        left = known["MemAvailable:"] + known.get("SwapFree:", 0)
        yield "this machine", 1024 * left


def _of_groups(proc: Path, groups: Path) -> Iterator[tuple[str, int]]:
    """Yield the memory left in each control group of this process."""
    for line in _lines(proc / "self" / "cgroup"):
        number, kinds, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not kinds:
            version, tops = 2, [groups, groups / "unified"]
        elif "memory" in kinds.split(","):
            version, tops = 1, [groups / "memory"]
        else:
            continue
        for top in tops:
            # In a container the path may be that of the host, and the top folder is the group's.
            inside = Path(path.lstrip("/"))
            for folder in dict.fromkeys([inside, *inside.parents, Path(".")]):
                yield from _left(top / folder, version)


def _left(folder: Path, version: int) -> Iterator[tuple[str, int]]:
    limit, used, cached = FILES[version]
    most, now = (_lines(folder / name) for name in (limit, used))
    if not (most and now and most[0].isdigit() and now[0].isdigit()) or int(most[0]) >= UNLIMITED:
        return
    known = _numbers(folder / "memory.stat")
    left = int(most[0]) - int(now[0]) + sum(known.get(name, 0) for name in cached)
    yield f"the memory limit of this job or container ({folder / limit})", max(left, 0)


def _numbers(path: Path) -> dict[str, int]:
    """Return the numbers of a file with a name and a number in each line."""
    words = [line.split() for line in _lines(path)]
    return {word[0]: int(word[1]) for word in words if len(word) > 1 and word[1].isdigit()}


def _lines(path: Path) -> list[str]:
    """Return the lines of a small file; none where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def in_bytes(count: float) -> str:
    """Return a number of bytes with a suitable unit."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 999.5:  # three digits are enough
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"
