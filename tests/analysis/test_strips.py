import numpy as np
import pytest
from run_files import brownian

from epmpi.analysis import RunFile, strips


@pytest.mark.parametrize("read_bytes", [1, 16 * 12 * 3, 10**9])
@pytest.mark.parametrize("strip_bytes", [1, 16 * 12 * 2, 10**9])
def test_strips_cover_all_tracers_within_bounds(make_run, monkeypatch, read_bytes, strip_bytes):
    monkeypatch.setattr(strips, "READ_BYTES", read_bytes)
    monkeypatch.setattr(strips, "STRIP_BYTES", strip_bytes)
    position = brownian(12, 7, 0.1, seed=1)
    with RunFile(make_run(position=position)) as run:
        found = list(strips.tracer_strips(run))
        assert len(found) == strips.tracer_strip_count(run)
    np.testing.assert_array_equal(np.concatenate(found, axis=1), position)
    assert max(strip.nbytes for strip in found) <= max(strip_bytes, 16 * 12)


@pytest.mark.parametrize("read_bytes", [1, 8 * 6 * 4, 8 * 6 * 20, 10**9])
@pytest.mark.parametrize("strip_bytes", [1, 8 * 6 * 3, 10**9])
def test_strips_cover_all_sites_in_order(make_run, monkeypatch, read_bytes, strip_bytes):
    monkeypatch.setattr(strips, "READ_BYTES", read_bytes)
    monkeypatch.setattr(strips, "STRIP_BYTES", strip_bytes)
    stress = np.random.default_rng(1).normal(size=(6, 5, 9))
    with RunFile(make_run(shape=(5, 9), fields={"stress": stress})) as run:
        alone = list(strips.field_strips(run, "stress"))
        shared = [one for share in range(2) for one in strips.field_strips(run, "stress", share, 2)]
    for found in (alone, shared):
        np.testing.assert_array_equal(np.concatenate(found, axis=1), stress.reshape(6, -1))
    assert max(strip.nbytes for strip in alone) <= max(strip_bytes, 8 * 6)
