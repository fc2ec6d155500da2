"""Constants are found again from times that they made, and errors are those of unseen sizes."""

import math

import numpy as np
import pytest
from measured_steps import CORE, LINK, PER_BYTE, PER_OPERATION, synthetic, write_rows
from performance.calibration import (
    CalibrationError,
    Measurement,
    calibrate,
    read_rows,
    validate,
)
from performance.machines import cpu_nodes
from performance.model import predict
from performance.workload import Workload, stages


def test_constants_are_found_again():
    machine = calibrate(synthetic())
    core, link = machine.processor, machine.network.inside
    assert core.cache == CORE.cache
    assert core.per_operation == pytest.approx(PER_OPERATION, rel=1e-6)
    for name, value in PER_BYTE.items():
        assert core.per_byte[name] == pytest.approx(value, rel=1e-6)
    assert (link.latency, link.bandwidth) == pytest.approx((LINK.latency, LINK.bandwidth))


def test_validation_of_exact_times_has_no_error():
    for item in validate(synthetic()):
        assert item.errors == pytest.approx((0.0, 0.0), abs=1e-6)


def test_errors_are_those_of_the_noise_and_unseen_ones_are_larger():
    compared = validate(synthetic(noise=0.05))
    fitted, unseen = np.abs([item.errors for item in compared]).T
    assert 0.01 < np.median(fitted) < 0.1
    assert np.sqrt(np.mean(unseen**2)) > np.sqrt(np.mean(fitted**2))


def test_rows_of_one_case_are_replaced_by_their_medians(tmp_path):
    file = tmp_path / "rows.csv"
    measured = synthetic()
    late = [Measurement(m.work, 9 * m.seconds, m.stages) for m in measured[:3]]
    write_rows(file, [*measured, *measured[:3], *late])
    found = {m.work: m for m in read_rows(file)}
    assert len(found) == len(measured)
    for m in measured:
        assert found[m.work].seconds == pytest.approx(m.seconds)
        assert found[m.work].stages == pytest.approx(dict(m.stages))


def test_rows_of_the_benchmark_can_be_read(tmp_path, launch, request):
    file = tmp_path / "rows.csv"
    done = launch(
        "-m", "benchmarks.step", "--sizes", "16", "32", "--warmup", "2", "--steps", "2",
        "--rounds", "1", "--split", "--csv", file, cwd=request.config.rootpath,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = read_rows(file)
    assert {m.work for m in measured} == {
        Workload(length, 1, tracers) for length in (16, 32) for tracers in (0, length**2 // 16)
    }
    for m in measured:
        assert sum(m.stages.values()) == pytest.approx(m.seconds, rel=0.05)
        for stage in stages(m.work, streaming=False):
            assert stage.name in m.stages
    assert calibrate(measured).processor.per_operation["rule"] > 0


def test_missing_and_foreign_files_are_reported(tmp_path):
    with pytest.raises(CalibrationError, match=r"run tools/scaling\.py first"):
        read_rows(tmp_path / "none.csv")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(CalibrationError, match="no table of"):
        read_rows(other)


def test_one_size_gives_no_constants():
    measured = [m for m in synthetic() if m.work.length == 256]
    with pytest.raises(CalibrationError, match="two sizes"):
        calibrate(measured)
    assert all(
        math.isnan(item.unseen)
        for item in validate([m for m in synthetic() if m.work.length in (256, 512)])
    )


def test_cores_of_a_full_node_share_its_memory_bandwidth():
    here = calibrate(synthetic())
    node = cpu_nodes(here)
    work = Workload(2**14, 128)
    alone, full = predict(work, here), predict(work, node)
    assert full.stages["rule"] > alone.stages["rule"]
