"""The exact clock: every event at its own time, without a time step; see `clock`."""

from epmpi.model.exact.clock import ExactClock
from epmpi.model.exact.response import tile_width

__all__ = ["ExactClock", "tile_width"]
