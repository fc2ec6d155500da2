"""The worked examples of docs/extending.md, applied to a copy of the source and run there."""

import shutil
from pathlib import Path

import pytest
from patches import apply_patch, blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
# What the page says of the stress map, checked where it is drawn.
MAP = """
from pathlib import Path

import numpy as np

from epmpi import Simulation, from_mapping
from epmpi.analysis import analyse
from epmpi.analysis.fields import stress_change
from epmpi.analysis.figures import stress_map
from epmpi.analysis.run_file import RunFile

run = Simulation(
    from_mapping(
        {
            "lattice": {"shape": [16, 16]},
            "model": {"temperature": 0.5},
            "propagator": {"symbol": "mean_field"},
            "tracers": {"number": 0},
            "time": {"step": 0.1, "warmup": 0.0, "duration": 5.0},
            "output": {"fields_every": 1.0},
        }
    )
).run("run", progress=False)
drawn = []
stress_map.stress_change = lambda *of: drawn.append(stress_change(*of)) or drawn[-1]
analyse(run)
assert Path("run/stress_map.png").exists()
with RunFile(run) as file:
    active = file.field("active", -1)
# 2 mu G * n s eps0 / (2 tau): every event relaxes its own site, and G(q = 0) is -1 too.
assert active.any() and np.allclose(drawn[0], -active, atol=1e-12), drawn
"""


# And every command takes a run with the rule.
COMMANDS = """
from epmpi.cli import main
from epmpi.model.expected import expected_activity

changes = ["model.activation=washboard", "lattice.shape=[14, 11]", "tracers.number=0"]
changes += ["time.warmup=0", "time.duration=2", "output.fields_every=0.5"]  # 11: little to compile
Path("new.toml").touch()
run = ["run", "new.toml", "-o", "new", *(f"--set={change}" for change in changes)]
for line in (run, ["watch", "--once", "new"], ["analyse", "new"], ["export", "new"],
             ["resume", "new", "--set", "time.duration=3"]):
    assert main(line) == 0, line
at_low = ["--set=time.clock=exact", "--set=model.temperature=0.2", "--set=output.events=true"]
assert main([*run, *at_low, "-o", "exact"]) == 0  # bounds by barrier_fall, checked at each event
for other in ("model.barrier=1.5", "model.direction=both"):
    assert main([*run, f"--set={other}", "-o", "refused"]) == 2
assert expected_activity(from_mapping({"model": {"activation": "washboard"}})) is None
"""


@pytest.mark.ci
def test_a_rule_and_a_propagator_are_added_as_the_page_says(launch, tmp_path):
    """In one copy, so that the loops are compiled once."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "epmpi", tmp_path / "src" / "epmpi", ignore=ignore)
    patches, programs = blocks(PAGE, "diff"), blocks(PAGE, "python")
    assert len(patches) == len(programs) == 2
    for patch in patches:
        apply_patch(patch, tmp_path)
    text = "import epmpi\nassert epmpi.__file__.startswith({!r}), epmpi.__file__\n"
    program = text.format(str(tmp_path)) + "\n".join([*programs, MAP, COMMANDS])
    (tmp_path / "program.py").write_text(program)
    paths = {"PYTHONPATH": str(tmp_path / "src"), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = launch("program.py", ranks=None, cwd=tmp_path, timeout=600.0, **paths)
    assert done.returncode == 0, done.stderr
