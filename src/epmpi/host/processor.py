"""The processor of this machine."""

from __future__ import annotations

import platform


def processor_name() -> str:
    """Return the name of the processor, or else its architecture."""
    return platform.processor() or platform.machine()
