"""Many runs: carried out, resumed or reused, a few at a time, each a process of its own."""

from epmpi.campaign.runs import Job, carry_out, is_finished

__all__ = ["Job", "carry_out", "is_finished"]
