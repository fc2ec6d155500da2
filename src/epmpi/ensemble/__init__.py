"""Ensembles: independent runs at once, the replicas, which share out the ranks."""

from epmpi.ensemble.ensemble import ENSEMBLE_MAY_CHANGE, Ensemble

__all__ = ["ENSEMBLE_MAY_CHANGE", "Ensemble"]
