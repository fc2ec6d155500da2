"""The exact clock's loops: candidates, tiles and their bounds, compiled for the CPU."""

from epmpi.devices.cpu.thinning.candidates import follow, list_active, restart

__all__ = ["follow", "list_active", "restart"]
