"""A run: its steps, its output, its progress, and when it stops."""
