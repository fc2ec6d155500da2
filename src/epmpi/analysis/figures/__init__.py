"""Figures of one run, each a function that draws one PNG."""
