"""epmpi info: what is compiled beforehand is not compiled by a run."""

import pytest

RUN = """
[lattice]
shape = [48, 40]
[tracers]
number = 10
[time]
warmup = 0.5
duration = 1.0
"""


@pytest.mark.ci
@pytest.mark.slow
@pytest.mark.parametrize("ranks", [None, 2])
def test_a_run_compiles_nothing_after_info_has(launch, tmp_path, ranks):
    (tmp_path / "run.toml").write_text(RUN)
    done = launch("-m", "epmpi.cli", "info", "--compile", ranks=ranks, cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2].startswith("compiled ")
    for number, changes in enumerate(
        (
            ["run.precision=single", "tracers.every=5"],
            ["tracers.interpolation=stream", "initial.state=gaussian"],
        )
    ):
        settings = [word for change in changes for word in ("--set", change)]
        if "gaussian" in changes[-1]:
            settings += ["--set", "initial.stress_deviation=0.2"]
        command = ["run", "run.toml", "-o", f"run{number}", *settings]
        done = launch("-m", "epmpi.cli", *command, ranks=ranks, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "compiling" not in done.stderr
