"""The exact clock: every event at its own time, without a time step; see `clock`."""

from epmpi.exact.clock import ExactClock
from epmpi.exact.response import tile_width
from epmpi.exact.waiting import bin_edges

__all__ = ["ExactClock", "bin_edges", "tile_width"]
