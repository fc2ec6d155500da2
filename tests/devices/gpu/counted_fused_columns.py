"""The kernel of whole columns: its values on the host, its compilation, and its launches.

Run by `tools/ci_gpu.sh`.  On the host the transforms of cuFFTDx are sums, and its threads are the
host's; on the stand-in for a card the real headers are compiled, and nothing is computed.
"""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
import stand_in_card as card
from two_devices import configuration_of

from epmpi.devices.cpu.fourier.library_lines import LibraryLines
from epmpi.devices.gpu import fused_columns
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place

HOST = Path(card.__file__).parent / "host_kernels"


def on_host(folder, length, dtype, points, columns):
    """Return the kernel, compiled for the host, as a function (source, kernels, ...)."""
    real = "double" if dtype is np.float64 else "float"
    given = {"LENGTH": length, "REAL": real, "POINTS": points, "COLUMNS": columns}
    given |= {"ARCHITECTURE": 900, "KERNEL": f'"{fused_columns.SOURCE}"'}
    library = folder / "kernel.so"
    command = ["g++", "-std=c++20", "-O1", "-w", "-shared", "-fPIC", "-pthread", f"-I{HOST}"]
    command += [f"-D{name}={value}" for name, value in given.items()]
    subprocess.run([*command, "-o", library, HOST / "launch.cpp"], check=True)
    launch = ctypes.CDLL(str(library)).launch

    def convolve(source, kernels, imaginary, odd, responses):
        strides = [
            array.strides[axis] // array.itemsize
            for array, axis in ((source, 0), (source, 1), (kernels, 1), (kernels, 0),
                                (responses, 0), (responses, 1))
        ]  # fmt: skip
        numbers = source.shape[2], source.shape[1], len(kernels), imaginary, odd
        launch(
            -(-source.shape[2] // columns), source.shape[1], source.ctypes.data_as(ctypes.c_void_p),
            (ctypes.c_longlong * 6)(*strides), kernels.ctypes.data_as(ctypes.c_void_p),
            responses.ctypes.data_as(ctypes.c_void_p), (ctypes.c_int * 5)(*numbers),
        )  # fmt: skip

    return convolve


@pytest.mark.parametrize(
    ("length", "dtype", "points", "columns"),
    [(16, np.float64, 4, 2), (16, np.float32, 2, 1), (8, np.float64, 4, 3)],
)
@pytest.mark.parametrize("sources", [1, 2])
@pytest.mark.parametrize("in_place", [False, True])
def test_its_values_are_those_of_the_cpu(
    tmp_path, length, dtype, points, columns, sources, in_place
):
    """Of even and odd kernels, times i or not, also where a response replaces its source."""
    modes, before, imaginary = 5, 1, [False, True, True]
    random = np.random.default_rng(2)
    kernels = random.normal(size=(3, modes, length))
    kernels += np.array([1, 1, -1])[:, None, None] * kernels[:, :, -np.arange(length) % length]
    shape = length, sources, modes
    source = random.normal(size=shape) + 1j * random.normal(size=shape)
    lines = LibraryLines((length, 2 * (modes - 1)), np.float64)
    expected = np.zeros((length + 3, 3 * sources, modes), complex)
    for one in range(sources):
        found = np.zeros((length + 3, 3, modes), complex)
        table = lines.table(3, modes, lambda field, some: kernels[field, some])
        lines.convolve(source[:, one : one + 1].copy(), table, imaginary, found, before)
        expected[:, one::sources] = found
    responses = np.zeros(expected.shape, np.result_type(dtype, "F"))
    inner = responses[before : before + length]
    given = source.astype(responses.dtype)
    if in_place:
        inner[:, :sources] = given
        given = inner[:, :sources]
    half = np.ascontiguousarray(kernels[:, :, : length // 2 + 1].swapaxes(1, 2), dtype)
    on_host(tmp_path, length, dtype, points, columns)(given, half, 0b110, 0b100, inner)
    tolerance = 1e-11 if dtype is np.float64 else 1e-4
    wanted = expected[before : before + length]
    assert np.abs(wanted).max() > 10
    np.testing.assert_allclose(inner, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("length", "mode_bytes", "shape"),
    [(64, 16, (4, 2)), (4096, 16, (16, 2)), (8192, 16, (16, 1)), (8192, 8, (16, 2)),
     (16384, 8, (16, 1))],
)  # fmt: skip
def test_columns_that_fit_are_taken(length, mode_bytes, shape):
    assert fused_columns.shape_of(length, mode_bytes) == shape


@pytest.mark.parametrize(("length", "mode_bytes"), [(96, 16), (32, 8), (16384, 16), (32768, 8)])
def test_others_are_refused_in_one_line(length, mode_bytes):
    with pytest.raises(ValueError, match=f"^columns of {length} modes .* takes powers of two from"):
        fused_columns.shape_of(length, mode_bytes)


def test_a_step_asks_for_one_kernel_of_columns(comm):
    """In place of a product and transforms, forward and back, of one source and three responses."""
    asked = []
    for fused in (False, True):
        communicator = Communicator(comm)
        device = place("gpu", communicator)
        device.fused_columns = fused
        small = "lattice.shape=[64, 20]", "run.precision=single"
        model = Model(configuration_of(*small), communicator, device)
        assert (model.fft.lines.fused is not None) == fused
        asked.append(card.asked(model.step))
        model.step()
        replayed = card.asked(model.step)
        assert (replayed["graph_launches"], replayed["launches"]) == (1, 0)
        assert asked[-1]["violations"] == asked[-1]["astray"] == 0
    assert asked[0]["transforms"] - asked[1]["transforms"] == 2
    assert asked[0]["launches"] == asked[1]["launches"]
