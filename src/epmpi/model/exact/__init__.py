"""The exact clock: every event at its own time, without a time step; see `clock`."""

from epmpi.model.exact.clock import ExactClock
from epmpi.model.exact.response import tile_width
from epmpi.model.exact.waiting import bin_edges

__all__ = ["ExactClock", "bin_edges", "tile_width"]
