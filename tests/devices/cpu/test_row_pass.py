"""The row pass in one loop, against the same work block by block: the same bits."""

import numpy as np
import pytest

from epmpi.config import from_mapping
from epmpi.devices import CPU
from epmpi.devices.cpu.fourier.vector_lines import VectorLines
from epmpi.devices.cpu.rows import CompiledRows
from epmpi.model.activation import Activation
from epmpi.physics.lattice import Lattice, Slab


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("gathers", [False, True])
@pytest.mark.parametrize(("rows", "start"), [(45, 0), (7, 3), (1, 44)])
def test_one_loop_does_what_the_blocks_do(rows, start, gathers, dtype):
    shape = 45, 36
    model = {"temperature": 0.3, "direction": "either"}
    configuration = from_mapping({"lattice": {"shape": shape}, "model": model})
    activation = Activation(configuration, Slab(Lattice(shape), start, start + rows))
    lines, random = VectorLines(shape, dtype), np.random.default_rng(5)
    stress = random.normal(0, 0.7, (rows, shape[1])).astype(dtype)
    active = random.choice(np.array([-1, 0, 0, 1], np.int8), stress.shape)
    spectra = np.empty((rows, 2, shape[1] // 2 + 1), lines.complex_dtype)
    rate = random.normal(size=(rows, 2, shape[1])).astype(dtype)
    lines.transform_rows(rate, spectra)

    def state():
        fields = stress.copy(), np.zeros(stress.shape), active.copy()
        events, begun = np.zeros(2, np.int64), np.zeros(stress.size, np.int64)
        update = activation.update(*fields, CPU().counter(9), events, begun if gathers else None)
        return update, *fields, events, begun

    update, *blocks = state()
    restored, source = np.empty((rows, 1, shape[1]), dtype), np.empty(stress.shape, dtype)
    lines.restore_rows(spectra[:, 1:], restored)
    CPU().advance_sites(update, 0, rows, restored[:, 0], source)
    expected = np.empty((rows, 1, spectra.shape[2]), lines.complex_dtype)
    lines.transform_rows(source[:, None], expected)

    update, *found = state()
    CompiledRows(lines).advance_sites(spectra[:, 1], spectra[:, 1], update)
    assert np.array_equal(spectra[:, 1], expected[:, 0])
    began = [np.sort(given.pop()) for given in (found, blocks)]  # they come in any order
    for one, other in zip([*found, began[0]], [*blocks, began[1]], strict=True):
        assert np.array_equal(one, other)
    assert found[-1][0] > 0 or rows == 1
