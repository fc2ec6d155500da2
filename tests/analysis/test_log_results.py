"""Results of `epmpi analyse` from logs of finite and of instantaneous events."""

import h5py
import numpy as np
import pytest
from exact_runs import AT_ONCE, configuration
from rich.console import Console

from epmpi.analysis import analyse
from epmpi.run.simulation import Simulation

CURVES = {
    "event_persistence", "event_chi_4", "event_s_4", "avalanche_sizes", "avalanche_durations",
    "avalanche_sites",
}  # fmt: skip


def carried_out(path, tick, **model):
    settings = configuration(
        tick,
        model={"temperature": 0.2} | model,
        tracers={"number": 0},
        time={"warmup": 50 * tick, "duration": 4000 * tick},
        output={
            "events": True, "waiting_times_every": 250 * tick, "trajectory_every": 0.0,
            "series_every": 10 * tick,
        },
    )  # fmt: skip
    return Simulation(settings).run(path, progress=False)


@pytest.mark.parametrize(
    ("tick", "model"),
    [(1.0, {}), (20.0, AT_ONCE | {"temperature": 0.06})],
    ids=["finite", "instantaneous"],
)
def test_the_log_is_analysed(tmp_path, tick, model):
    """Its persistence is that which Palm's formula makes of the waits."""
    run = carried_out(tmp_path / "run", tick, **model)
    console = Console(record=True, width=120)
    analysis = analyse(run, console=console)[0]
    pauses = bool(model)  # the finite events of this temperature have none as long as a gap
    wanted = {name for name in CURVES if pauses or not name.startswith("avalanche")}
    assert set(analysis.curves) >= wanted
    seen, palm = analysis.curves["event_persistence"], analysis.curves["persistence"]
    between = (seen.x > tick) & (seen.value > 0.05)
    expected = np.interp(seen.x[between], palm.x, palm.value)
    error = np.hypot(seen.error[between], np.interp(seen.x[between], palm.x, palm.error))
    assert np.all(np.abs(seen.value[between] - expected) < 4 * error + 0.01)
    text = console.export_text()
    assert "tau_alpha: persistence 1/2" in text
    assert "chi_4 of the persistence" in text
    with h5py.File(run.parent / "analysis.h5" if run.is_file() else run / "analysis.h5") as file:
        group = file["curves/event_persistence"]
        assert group["lag"].attrs["unit"] == "tau"
        assert "averaged over origins" in group.attrs["definition"]
        assert group.attrs["relaxation_time_error"] > 0
