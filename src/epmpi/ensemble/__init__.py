"""Ensembles: independent runs at once, the replicas, which share out the ranks."""

from epmpi.ensemble.ensemble import Ensemble

__all__ = ["Ensemble"]
