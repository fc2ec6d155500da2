"""Analysis of ensembles: averages over replicas, errors from their spread alone."""

import h5py
import numpy as np
import pytest
from rich.console import Console
from run_files import brownian, write_run

from epmpi.analysis import AnalysisError, RunFile, analyse
from epmpi.analysis.blocks import jackknife_error, student_factor
from epmpi.analysis.results import measure_replicas
from epmpi.config import from_mapping
from epmpi.parallel import Communicator

REPLICAS = 6
FRAMES = 60


def content(number, frames=FRAMES):
    """Return what replica `number` has in its file: all that is measured."""
    random = np.random.default_rng(number)
    edges = np.arange(0.5, 200.5, 8.0)
    waits = np.cumsum(random.poisson(60, (4, edges.size - 1)), axis=0)
    return {
        "position": brownian(frames, 12, 0.02 * (1 + number / 10), seed=number),
        "series": {
            "activity": 0.01 * (1 + number) + random.normal(0, 0.1, frames),
            "stress_mean": random.normal(0, 1, frames),
            "stress_variance": random.normal(1, 0.1, frames),
        },
        "warmup": {"activity": random.normal(0.1, 0.1, 20)},
        "fields": {
            name: random.normal(0, 0.5, (20, 16, 24))
            for name in ("stress", "plastic_strain", "active")
        },
        "waiting_times": (edges, np.concatenate([0 * waits[:1], waits])),
    }


def write_ensemble(directory, replicas=REPLICAS, **changes):
    """Write an ensemble whose replica 3 is changed; return RUN."""
    for number in range(replicas):
        extra = changes if number == 3 else {}
        write_run(directory / f"replica-{number:03d}", **(content(number) | extra))
    text = from_mapping({"run": {"replicas": replicas}}).to_toml()
    (directory / "ensemble.toml").write_text(text)
    return directory


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    return write_ensemble(tmp_path_factory.mktemp("ensemble") / "many")


def measured(directory, numbers):
    """Measure some replicas of an ensemble together."""
    runs = [RunFile(directory / f"replica-{number:03d}") for number in numbers]
    try:
        return measure_replicas(runs)
    finally:
        for run in runs:
            run.__exit__(None, None, None)


def test_averages_and_curves_are_means_with_the_spread_of_the_replicas(ensemble):
    together = measured(ensemble, range(REPLICAS))
    apart = [measured(ensemble, [number]) for number in range(REPLICAS)]

    def check(value, error, of_replicas):
        spread = np.std(of_replicas, axis=0, ddof=1) / np.sqrt(REPLICAS)
        np.testing.assert_allclose(value, np.mean(of_replicas, axis=0), rtol=1e-12)
        np.testing.assert_allclose(error, student_factor(REPLICAS) * spread, rtol=1e-9)

    for name, found in together.averages.items():
        check(found.value, found.error, [one.averages[name].value for one in apart])
        assert found.blocks == REPLICAS
        assert found.resolved
    diffusion, factor = together.tracers.diffusion, together.tracers.structure_factor
    coefficients = [one.tracers.diffusion.coefficient for one in apart]
    check(diffusion.coefficient, diffusion.coefficient_error, coefficients)
    check(factor.value, factor.error, [one.tracers.structure_factor.value for one in apart])
    overlap = together.curves["overlap"]
    check(overlap.value, overlap.error, [one.curves["overlap"].value for one in apart])
    density = together.curves["stress_distribution"]
    check(density.value, density.error, [one.curves["stress_distribution"].value for one in apart])
    assert together.replicas == REPLICAS


def test_derived_quantities_have_the_jackknife_over_replicas(ensemble):
    """Each delete-one estimate is the analysis of the other replicas."""
    together = measured(ensemble, range(REPLICAS))
    without = [
        measured(ensemble, [other for other in range(REPLICAS) if other != number])
        for number in range(REPLICAS)
    ]

    def check(value, error, pick):
        np.testing.assert_allclose(pick(together), value)
        np.testing.assert_allclose(error, jackknife_error([pick(one) for one in without]))

    exponent, times = together.tracers.exponent, together.tracers.relaxation
    check(exponent.value, exponent.error, lambda one: one.tracers.exponent.value)
    reached = np.flatnonzero(np.isfinite(times.value))[0]
    check(
        times.value[reached],
        times.error[reached],
        lambda one: one.tracers.relaxation.value[reached],
    )
    shape = together.curves["alpha_2"]
    check(shape.value, shape.error, lambda one: one.curves["alpha_2"].value)
    memory = together.curves["stress_correlation"]
    check(memory.value, memory.error, lambda one: one.curves["stress_correlation"].value)
    psi = together.curves["waiting_times"]
    check(psi.value, psi.error, lambda one: one.curves["waiting_times"].value)


def test_one_table_one_file_and_figures_for_the_ensemble(ensemble, tmp_path):
    console = Console(record=True, width=200)
    [analysis] = analyse(ensemble, tmp_path, console, page=True)
    shown = console.export_text()
    assert analysis.name == "many"
    assert "many: averages" in shown
    assert "replicas" in shown
    assert shown.count("averages") == 1
    assert {path.stem for path in analysis.figures} >= {"series", "diffusion", "statistics"}
    assert "run.replicas" in (tmp_path / "report.html").read_text()
    with h5py.File(tmp_path / "analysis.h5") as file:
        assert file.attrs["replicas"] == REPLICAS
        assert "6 independent replicas" in file.attrs["error_method"]
        assert file["averages/activity/blocks"][()] == REPLICAS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (content(3, frames=50), "replica-003/run.h5 has other frames"),
        ({"position": None}, "has other frames of /particles"),
        ({"shape": (16, 16), "fields": {}}, "has other frames"),
    ],
)
def test_replicas_of_different_lengths_are_refused_in_one_line(tmp_path, changes, words):
    run = write_ensemble(tmp_path / "uneven", 4, **changes)
    with pytest.raises(AnalysisError, match=words) as caught:
        analyse(run)
    assert len(str(caught.value).splitlines()) == 1


def test_a_replica_that_is_not_there_is_named(tmp_path):
    run = write_ensemble(tmp_path / "part", 2)
    (run / "ensemble.toml").write_text(from_mapping({"run": {"replicas": 3}}).to_toml())
    with pytest.raises(AnalysisError, match="replica-002"):
        analyse(run)
    (run / "ensemble.toml").write_text("[run]\nreplicas = 0")
    with pytest.raises(AnalysisError, match=r"run\.replicas = 0"):
        analyse(run)
    with pytest.raises(AnalysisError, match=r"give a replica, such as .*replica-000"):
        RunFile(run)


@pytest.mark.mpi(min_size=2)
def test_ranks_share_the_tracers_of_all_replicas(comm, shared_tmp_path):
    communicator = Communicator(comm)
    if communicator.is_root:
        write_ensemble(shared_tmp_path / "ensemble", 4)
    communicator.barrier()
    runs = [RunFile(shared_tmp_path / "ensemble" / f"replica-{number:03d}") for number in range(4)]
    together, alone = measure_replicas(runs, None, communicator), measure_replicas(runs)
    for name in ("square", "square_error"):
        np.testing.assert_allclose(
            getattr(together.tracers.diffusion, name), getattr(alone.tracers.diffusion, name)
        )
    for name, curve in alone.curves.items():
        np.testing.assert_allclose(together.curves[name].value, curve.value, rtol=1e-9)
    for run in runs:
        run.__exit__(None, None, None)
