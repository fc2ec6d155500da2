"""Devices: where arrays live and loops run.  The only place that knows Numba and CuPy.

Both are loaded with the first device, so that commands that compute nothing start at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from epmpi.devices.device import Device, TracerBlocks
from epmpi.devices.repeated_step import RepeatedStep
from epmpi.devices.site_update import BatchUpdate, SiteUpdate
from epmpi.devices.tracer_move import TracerMove
from epmpi.devices.visible import gpus

if TYPE_CHECKING:
    from epmpi.devices.cpu import CPU

__all__ = [
    "CPU",
    "BatchUpdate",
    "Device",
    "RepeatedStep",
    "SiteUpdate",
    "TracerBlocks",
    "TracerMove",
    "choose",
    "code_folder",
    "gpus",
    "tell_of_compiling",
]


def __getattr__(name: str) -> Any:
    """Return `CPU`, which is loaded when it is first asked for."""
    if name != "CPU":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from epmpi.devices.cpu import CPU

    return CPU


def tell_of_compiling(tell: Callable[[str], None]) -> None:
    """Set the receiver of lines on the compilation of loops, and on code that cannot be stored."""
    from epmpi.devices.cpu.code_cache import FILES

    FILES.tell = tell


def code_folder() -> str:
    """Return where the compiled code of this process lies, or that it is nowhere."""
    from epmpi.devices.cpu.code_cache import FILES

    return "nowhere" if FILES.place is None else str(FILES.place)


def choose(name: str, number: int = 0) -> Device:
    """Return the device "cpu", or the GPU of this number among those that the process sees.

    Raises
    ------
    ValueError
        For another name than "cpu" or "gpu".
    ConfigError
        Where kernels for GPUs cannot be compiled.
    """
    if name == "cpu":
        from epmpi.devices.cpu import CPU

        return CPU()
    if name != "gpu":
        raise ValueError(f"device is '{name}', expected 'cpu' or 'gpu'")
    # Imported here: a machine without CuPy must be able to import this.
    from epmpi.devices.gpu.cards import Card
    from epmpi.devices.gpu.compiler import check_compiler

    check_compiler()
    return Card(number)
