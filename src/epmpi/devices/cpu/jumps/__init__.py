"""The exact clock's loops for instantaneous events: candidates, tiles, bounds; for the CPU."""

from epmpi.devices.cpu.jumps.candidates import draw_thresholds, follow, restart

__all__ = ["draw_thresholds", "follow", "restart"]
