"""Campaigns: many runs, started, resumed or reused, a few at a time, each in its own process."""

from epmpi.campaign.runs import Job, carry_out

__all__ = ["Job", "carry_out"]
