"""The error that analysis raises for invalid input."""

from __future__ import annotations


class AnalysisError(ValueError):
    """A run that cannot be analysed: one line with what was found, what is expected, the remedy."""
