"""The exact clock's loops: candidates, tiles and their bounds, compiled for the CPU."""

from epmpi.devices.cpu.thinning.candidates import follow
from epmpi.devices.cpu.thinning.start import enter, go_on

__all__ = ["enter", "follow", "go_on"]
