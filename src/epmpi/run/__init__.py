"""A run: its course, what it writes and says, and when it stops."""
