"""The model: its state, its clocks, and its observables."""
