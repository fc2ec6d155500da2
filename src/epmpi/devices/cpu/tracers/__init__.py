"""Tracers: their moves with the flow, and the pass over its rows."""
