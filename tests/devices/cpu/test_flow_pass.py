"""The flow pass in one loop, against the whole flow and then the tracers: the same bits."""

import numpy as np
import pytest

import epmpi.devices.cpu.rows
from epmpi.devices import CPU, TracerMove
from epmpi.devices.cpu.fourier.vector_lines import VectorLines
from epmpi.devices.cpu.rows import CompiledRows
from epmpi.devices.cpu.tracers.flow_pass import order_by_row

SHAPE = 45, 36


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("interpolation", "fields", "halo"), [("bilinear", 2, 3), ("nearest", 2, 3), ("stream", 1, 5)]
)
@pytest.mark.parametrize(("rows", "start"), [(45, 0), (13, 30), (1, 44)])
@pytest.mark.parametrize("flow_bytes", [0, 1 << 17])
def test_one_loop_moves_tracers_as_the_stored_flow_does(
    monkeypatch, rows, start, interpolation, fields, halo, dtype, flow_bytes
):
    monkeypatch.setattr(epmpi.devices.cpu.rows, "FLOW_BYTES", flow_bytes)
    lines, random = VectorLines(SHAPE, dtype), np.random.default_rng(4)
    flow = random.normal(size=(rows + halo, fields, SHAPE[1])).astype(dtype)
    flow = flow[np.arange(rows + halo) % SHAPE[0]]  # periodic, as a tracer may find either row
    spectra = np.empty((rows + halo, 1 + fields, SHAPE[1] // 2 + 1), lines.complex_dtype)
    lines.transform_rows(flow, spectra[:, 1:])
    # Anywhere in the slab, and any number of periods away from it.
    position = random.uniform((start, 0), (start + rows, SHAPE[1]), (300, 2))
    position += np.array(SHAPE) * random.integers(-2, 3, position.shape)

    expected = position.copy()
    restored = np.empty_like(flow)
    lines.restore_rows(spectra[:, 1:], restored)
    move = TracerMove(interpolation, expected, 0.01, SHAPE[0], start)
    CPU().move_tracers(move, restored.swapaxes(0, 1))
    found = position.copy()
    move = TracerMove(interpolation, found, 0.01, SHAPE[0], start)
    CompiledRows(lines).move_tracers(spectra[:, 1:], halo, move)
    assert np.array_equal(found, expected)
    assert not np.any(found == position)


def test_tracers_are_ordered_by_row_and_stay_in_order_within_it():
    position = np.random.default_rng(6).uniform(-90, 90, (200, 2))
    row = np.floor(position[:, 0]).astype(int) % 45
    position, row = position[row >= 5], row[row >= 5] - 5
    starts, order = np.empty(41, np.int64), np.empty(len(position), np.int64)
    order_by_row(position, 45, 5, starts, order)
    assert np.array_equal(order, np.argsort(row, kind="stable"))
    assert np.array_equal(starts, np.searchsorted(np.sort(row), np.arange(41)))


def test_no_tracers_move():
    lines = VectorLines(SHAPE, float)
    spectra = np.zeros((48, 2, SHAPE[1] // 2 + 1), complex)
    none = np.empty((0, 2))
    CompiledRows(lines).move_tracers(spectra, 3, TracerMove("bilinear", none, 1.0, 45, 0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_position_that_is_not_finite_leads_out_of_no_array(bad):
    """It stays until the run finds it; the others move as ever."""
    lines, random = VectorLines(SHAPE, float), np.random.default_rng(4)
    flow = random.normal(size=(48, 2, SHAPE[1]))
    spectra = np.empty((48, 2, SHAPE[1] // 2 + 1), complex)
    lines.transform_rows(flow, spectra)
    expected = random.uniform(0, 36, (50, 2))
    found = np.insert(expected, 20, bad, axis=0)
    for position in (expected, found):
        CompiledRows(lines).move_tracers(spectra, 3, TracerMove("bilinear", position, 0.01, 45, 0))
    assert np.array_equal(np.delete(found, 20, axis=0), expected)
    assert not np.isfinite(found[20]).any()
