"""The table of a session on a GPU, from files as its parts write them."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "gpu_table.py"
HARDWARE = "date 2026-12-01 10:00 UTC\ncommit abc1234\nNVIDIA H200, GPU-1\n"
ROOFLINE = """must move: 128.0 bytes a site and step, double precision
    24.0  rows: read three response spectra
device=NVIDIA H200, GPU-1  copy_GB/s=4000.5
L=512  precision=double  ms_per_step=0.12  must_ms=0.01  of_roofline=0.070
    0.0300 ms     700.0 GB/s  columns
L=4096  precision=double  ms_per_step=0.9  must_ms=0.54  of_roofline=0.597
"""


def table_of(directory):
    done = subprocess.run(
        [sys.executable, TOOL, directory], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_one_row_a_size(tmp_path):
    (tmp_path / "hardware.txt").write_text(HARDWARE)
    (tmp_path / "roofline.txt").write_text(ROOFLINE)
    (tmp_path / "tests.txt").write_text("...\n40 passed, 0 failed\n")
    lines = table_of(tmp_path)
    start = "| 2026-12-01 | abc1234 | NVIDIA H200 | 4000.5 |"
    assert lines[2] == f"{start} 512 | double | 0.12 | 0.070 |"
    assert lines[3] == f"{start} 4096 | double | 0.9 | 0.597 |"
    assert lines[4:] == ["", "tests: 40 passed, 0 failed", "memory: not run"]


def test_a_session_without_results_has_no_rows(tmp_path):
    assert table_of(tmp_path)[2:] == ["", "tests: not run", "memory: not run"]
