"""Thermally activated elastoplastic models of yield stress materials, on MPI."""

from importlib.metadata import version

__version__ = version("epmpi")
