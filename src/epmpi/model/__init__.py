"""The model: its state, its clocks, and what is observed of it."""
