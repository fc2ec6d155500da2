"""The programs of `make gpu-session` on a stand-in for a card; run by `tools/ci_gpu.sh`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import stand_in_card as card

from benchmarks import batch, memory, roofline, step
from benchmarks.stages import REPLAYS
from epmpi.devices.gpu import lines

ROOT = Path(__file__).parents[3]
SMALL = ["--sizes", "32", "--warmup", "4", "--steps", "2", "--rounds", "1"]
PROGRAMS = {
    "roofline": (roofline, [*SMALL, "--block-mib", "0", "0.01", "--strip-mib", "0", "0.02"]),
    "step": (step, [*SMALL, "--tracers", "0", "16"]),
    "batch": (batch, ["--sizes", "16", "--replicas", "2", "--steps", "2", "--rounds", "1"]),
    "memory": (memory, ["--size", "64"]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_runs_to_its_end(name, capsys, monkeypatch):
    program, options = PROGRAMS[name]
    monkeypatch.setattr(sys, "argv", [name, "--device", "gpu", *options])
    found = card.asked(program.main)
    assert found["violations"] == 0
    printed = capsys.readouterr().out
    assert "L=" in printed
    assert "nan" not in printed


def test_blocks_and_strips_are_as_large_as_they_are_told(monkeypatch):
    """Each for itself: smaller strips are more transforms of columns, blocks more of rows."""
    kept, asked = lines.STRIP_BYTES, {}

    def report(options, length, model, watch, bandwidth, sizes):
        asked[tuple(sizes.values())] = card.asked(model.clock.begin, 0)["transforms"]

    monkeypatch.setattr(roofline, "report", report)
    blocks, strips = ["--block-mib", "0", "0.004"], ["--strip-mib", "0", "0.02", "0.01"]
    size = ["--sizes", "32", "--warmup", "2"]
    monkeypatch.setattr(sys, "argv", ["roofline", "--device", "gpu", *size, *blocks, *strips])
    roofline.main()
    rows = asked[0.004, 0] - asked[0, 0]
    assert asked[0, 0] < asked[0, 0.02] < asked[0, 0.01]
    assert rows == asked[0.004, 0.02] - asked[0, 0.02] == asked[0.004, 0.01] - asked[0, 0.01] > 0
    assert kept == lines.STRIP_BYTES


def test_stages_are_timed_by_replays_and_later_sizes_are_recorded(capsys, monkeypatch):
    """Each stage is one graph, and taking the first size apart does not slow the second down."""
    arguments = ["roofline", "--device", "gpu", "--sizes", "32", "48", "--warmup", "4"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--steps", "50", "--rounds", "1"])
    timed = []

    def step_seconds(model, watch, steps):
        timed.append(card.asked(lambda: [model.step() for _ in range(steps)]))
        return 1.0

    monkeypatch.setattr(roofline, "step_seconds", step_seconds)
    found = card.asked(roofline.main)
    assert [asked["graph_launches"] for asked in timed] == [50, 50]
    assert [asked["launches"] for asked in timed] == [0, 0]
    stages = [line.split()[-1] for line in capsys.readouterr().out.splitlines() if "ms  " in line]
    assert stages.count("columns") == stages.count("rule") == 2
    assert found["graph_launches"] > 2 * (50 + 5 * REPLAYS)


def test_a_session_takes_what_tells_most_first_and_ends_in_time(tmp_path):
    """Here all its time is over when it begins: each part is named, and nothing is lost."""
    (tmp_path / "sitecustomize.py").write_text("import stand_in_card\n")
    paths = [tmp_path, ROOT / "tests", ROOT / "src", *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        ["bash", ROOT / "tools/gpu_session.sh", tmp_path / "session", sys.executable],
        capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": ":".join(map(str, paths)), "GPU_SESSION_SECONDS": "0"},
    )  # fmt: skip
    parts = [line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line[:2] == "=="]
    sizes = ["roofline-512", "roofline-4096", "roofline-8192", "roofline-32768"]
    assert parts[:7] == [*sizes, "tests", "strips", "blocks"], done.stderr
    assert done.stdout.count(": no time left") == done.returncode == len(parts)
    assert "NVIDIA STAND-IN" in (tmp_path / "session" / "hardware.txt").read_text()
