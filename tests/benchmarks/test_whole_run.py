"""The benchmarks of whole runs and of hosts run, and print what they say."""

import re
import shlex

import pytest

NUMBER = r"-?[\d.]+"


@pytest.mark.ci
def test_a_run_beside_its_steps(launch):
    options = shlex.split("--size 32 --warmup 20 --steps 4 --rounds 3 --runs 2 --windows 3")
    done = launch("-m", "benchmarks.whole_run", *options)
    assert done.returncode == 0, done.stderr
    first, *runs, last = done.stdout.splitlines()
    ratio = re.search(rf"ms_per_step=({NUMBER})  with_tracers=({NUMBER})  ratio={NUMBER}", first)
    assert ratio is not None
    assert all(float(number) > 0 for number in ratio.groups())
    assert len(runs) == 2
    steps = rf"in_a_run={NUMBER}  alone={NUMBER}  ratio={NUMBER}"
    assert all(re.search(steps, run) for run in runs)
    assert float(re.search(rf"runs=2  median_ratio=({NUMBER})", last)[1]) > 0


@pytest.mark.ci
def test_ways_between_hosts(launch):
    """Two ranks of one host share memory: nothing is sent, whatever the way."""
    options = shlex.split("--size 32 --warmup 2 --steps 2 --rounds 2")
    done = launch("-m", "benchmarks.hosts", *options, ranks=2)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["tracers=0"] * 7 + ["tracers=16"] * 7
    assert lines[0].split("  ")[2] == "as it is:"
    assert all(re.search(rf"ms={NUMBER}  ratio={NUMBER}  MB={NUMBER}", line) for line in lines)
