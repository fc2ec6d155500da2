"""Measurements of speed and memory; not tests, they assert nothing."""
