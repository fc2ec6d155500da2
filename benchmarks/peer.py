"""A hand-written C++/FFTW program of the same step, built and run as the yardstick."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("epm_ref.cpp")
FLAGS = ["-O3", "-march=native", "-std=c++17", "-fopenmp"]
LIBRARIES = ["-lfftw3_omp", "-lfftw3", "-lm"]


class Peer:
    """The yardstick, compiled once.

    Parameters
    ----------
    source : path
        C++ program with the arguments and the output of epm_ref.cpp.  Needs g++ and libfftw3-dev.
    """

    def __init__(self, source: str | os.PathLike[str] = SOURCE) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._program = Path(self._folder.name) / "peer"
        subprocess.run(["g++", *FLAGS, str(source), "-o", self._program, *LIBRARIES], check=True)

    def run(self, *words: object) -> str:
        """Run with these arguments; return what is printed."""
        command = [str(self._program), *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def step_seconds(
        self, length: int, temperature: float, time_step: float, steps: int, warm: int, tracers: int
    ) -> tuple[float, float]:
        """Run on one thread; return seconds a step and the mean activity."""
        moving = int(tracers > 0)
        printed = self.run(length, temperature, time_step, steps, warm, tracers, moving, 1)
        found = re.search(r"([\d.]+) ms/step\s+a=([\d.]+)", printed)
        if found is None:
            raise ValueError(f"the peer printed '{printed}', expected '... ms/step  a=...'")
        return float(found[1]) * 1e-3, float(found[2])
