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
    assert (run / "avalanches.png").is_file()
    assert analysis.curves["burst_time"].value[-1] > 0.5
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


def test_the_log_of_the_extremal_driver_is_analysed(tmp_path):
    """Avalanches below three thresholds, with their laws; P(x) of the stress; all are printed."""
    settings = configuration(
        1.0,
        model=AT_ONCE | {"activation": "extremal"},
        tracers={"number": 0},
        time={"warmup": 2000.0, "duration": 40000.0},
        output={"events": True, "fields_every": 1000.0, "trajectory_every": 0.0},
    )
    run = Simulation(settings).run(tmp_path / "run", progress=False)
    console = Console(record=True, width=120)
    analysis = analyse(run, console=console)[0]
    thresholds = [analysis.curves[f"threshold_{size}_sizes"] for size in (10, 100, 1000)]
    x0 = [curve.parameters["threshold"] for curve in thresholds]
    assert x0 == sorted(x0)
    for size, curve in zip((10, 100, 1000), thresholds, strict=True):
        assert abs(curve.parameters["number"] * size / 40000 - 1) < 0.1
    assert "avalanche_sizes" not in analysis.curves
    assert "burst_time" not in analysis.curves
    text = console.export_text()
    assert "P(S), threshold_100: exponent" in text
    with h5py.File(run / "analysis.h5") as file:
        curves = file["curves"]
        assert curves["threshold_10_sizes"].attrs["threshold"] == x0[0]
        assert "from its own threshold" in curves["threshold_10_sizes"].attrs["definition"]
        assert curves["weakest_distance"].attrs["mean_error"] > 0
        assert "distance_distribution" in curves
