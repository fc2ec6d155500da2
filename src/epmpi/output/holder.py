"""The holder of a run directory: the process named in run.lock, and whether it is alive."""

from __future__ import annotations

import json
import os
import platform
import uuid
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """A process that holds, or has held, a run directory.

    Parameters
    ----------
    process : int
        Its number.
    host : str
        For messages.
    machine : str
        Boot of the system and name space of the process, within which its number is unique.
    started : str
        Start time of the process, in the units of the system: numbers are reused.
    token : str
        Unique.
    seen : str
        Time at which it was last alive.
    """

    process: int
    host: str
    machine: str
    started: str
    token: str
    seen: str

    @classmethod
    def of_this_process(cls) -> Holder:
        """Return this process as the holder of one more directory."""
        number = os.getpid()
        started = start_of(number) or ""
        return cls(number, platform.node(), machine(), started, uuid.uuid4().hex, now())

    @classmethod
    def parse(cls, text: bytes) -> Holder | None:
        """Return the holder named in a lock; None if there is none."""
        try:
            found = json.loads(text)
            named = {item.name: found[item.name] for item in fields(cls)}
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        process = named.pop("process")
        if type(process) is not int or not 0 < process < 2**31:
            return None
        if not all(isinstance(value, str) for value in named.values()):
            return None
        return cls(process, **named)

    def line(self) -> bytes:
        """Return the text of a lock, with the present time; its length does not change."""
        return json.dumps(asdict(self) | {"seen": now()}).encode() + b"\n"

    @property
    def is_near(self) -> bool:
        """Whether its process can be checked: it runs, or ran, on this system."""
        return self.machine == machine()

    @property
    def is_alive(self) -> bool:
        """Whether its process is running; only for a holder that `is_near`."""
        return start_of(self.process) in (self.started, "")

    def __str__(self) -> str:
        """Return a description on one line."""
        host = "".join(letter for letter in self.host[:100] if letter.isprintable())
        return f"process {self.process} on {host}, alive at {self.seen[:19]}Z"


def machine() -> str:
    """Return an identifier of this boot of the system and of its name space of processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return platform.node()


def start_of(process: int) -> str | None:
    """Return the start time of a process: None if it is not running, empty if unknown."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except OSError:  # of another user
        pass
    try:
        status = (
            Path(f"/proc/{process}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
    except OSError:
        return ""
    return None if status[0] in "ZX" else status[19]


def now() -> str:
    """Return the time in UTC, always of the same length."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
