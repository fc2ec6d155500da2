"""The exact clock: every event at its own time, without a time step; see `clock`."""

from epmpi.exact.clock import ExactClock

__all__ = ["ExactClock"]
