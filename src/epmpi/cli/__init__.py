"""The command line.

First of all, errors of writing to standard output are made harmless, and signals are recorded while
the commands and their libraries are imported.
"""

from __future__ import annotations

from collections.abc import Sequence

from epmpi.host.console import forgiving, say
from epmpi.host.exits import INTERRUPTED
from epmpi.host.signals import keeping_handlers, recording


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code, the same on all ranks."""
    with forgiving(), recording():
        try:
            with keeping_handlers():  # an h5py built for MPI starts MPI when it is imported
                from epmpi.cli.commands import carry_out
            return carry_out(arguments)
        except KeyboardInterrupt:
            say("epmpi: interrupted")
            return INTERRUPTED
