"""The one error that analysis raises for what a user gave it."""

from __future__ import annotations


class AnalysisError(ValueError):
    """A run that cannot be analysed: one line that says what was got, expected, and the remedy."""
