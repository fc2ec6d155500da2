"""Transforms of lines: passes over several in the lanes of registers, or a library's."""
