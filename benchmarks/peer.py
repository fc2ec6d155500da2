"""A hand-written C++/FFTW program of the same step, built and run as the yardstick."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

FLAGS = ["-O3", "-march=native", "-std=c++17", "-fopenmp"]
LIBRARIES = ["-lfftw3_omp", "-lfftw3", "-lm"]


class Peer:
    """The yardstick, compiled once.

    Parameters
    ----------
    source : path
        C++ program with the arguments: L T dt steps warm tracers fields threads; it prints
        ``... ms/step  a=...``.  Needs g++ and libfftw3-dev.
    """

    def __init__(self, source: str | os.PathLike[str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._program = Path(self._folder.name) / "peer"
        subprocess.run(["g++", *FLAGS, str(source), "-o", self._program, *LIBRARIES], check=True)

    def step_seconds(
        self, length: int, temperature: float, time_step: float, steps: int, warm: int, tracers: int
    ) -> tuple[float, float]:
        """Run on one thread; return seconds a step and the mean activity."""
        numbers = [length, temperature, time_step, steps, warm, tracers, int(tracers > 0), 1]
        done = subprocess.run(
            [self._program, *map(str, numbers)], check=True, capture_output=True, text=True
        )
        found = re.search(r"([\d.]+) ms/step\s+a=([\d.]+)", done.stdout)
        if found is None:
            raise ValueError(f"the peer printed '{done.stdout}', expected '... ms/step  a=...'")
        return float(found[1]) * 1e-3, float(found[2])
