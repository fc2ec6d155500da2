"""The kernels of a GPU against the CPU's loops: tests for whoever has a fixture `gpu`.

`devices/gpu/simulated_kernels.py` takes Numba's simulator, `test_on_hardware.py` beside it a card.
"""

import numpy as np
import pytest

from epmpi.devices import CPU, SiteUpdate, TracerMove
from epmpi.devices.cpu.fourier.library_lines import LibraryLines
from epmpi.model.waiting import bin_edges
from epmpi.physics.lattice import wavenumbers
from epmpi.physics.rules import READINGS, Increments, SwitchingRule

SHAPE = (4, 37)  # blocks begin anywhere within a group of 128 sites, and end so
FIRST = 3 * 128 + 41
RULES = {
    word: SwitchingRule(reading, attempt_rate=0.6, yield_stress=1.0, temperature=1.0, rate_off=0.7)
    if word == "random"
    else SwitchingRule(reading, attempt_rate=1.3, yield_stress=0.9, temperature=0.2, rate_off=0.7)
    for word, reading in READINGS.items()
}
RULES["saddle node"] = RULES["stress"]._replace(exponent=1.5)
INCREMENTS = Increments(time=0.1, stress=0.01, strain=0.05)


def lively_state(dtype):
    """Return stress, plastic strain, active and stress rate."""
    random = np.random.default_rng(3)
    stress = random.normal(0, 0.7, SHAPE).astype(dtype)
    stress[0, :5] = 0.0
    active = random.choice(np.array([-1, 0, 0, 1], np.int8), SHAPE)
    return stress, random.normal(size=SHAPE), active, random.normal(size=SHAPE).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("reading", RULES)
def test_sites_switch_as_on_the_cpu(gpu, reading, dtype):
    slow = lively_state(dtype)
    fast = [gpu.asarray(field.copy()) for field in slow]
    total = 0
    for step in (2**33 + 5, 7):
        counters = CPU().counter(step), gpu.counter(step)
        sources = np.empty(SHAPE, dtype), gpu.asarray(np.empty(SHAPE, dtype))
        begun = np.zeros(slow[0].size, np.int64), gpu.asarray(np.zeros(slow[0].size, np.int64))
        events = np.array([7, 0]), gpu.asarray(np.array([7, 3]))
        for device, state, source, counter, count, sites in zip(
            (CPU(), gpu), (slow, fast), sources, counters, events, begun, strict=True
        ):
            stress, plastic_strain, active, stress_rate = state
            update = SiteUpdate(
                stress=stress, plastic_strain=plastic_strain, active=active,
                step=counter, rule=RULES[reading], increments=INCREMENTS, events=count,
                begun=sites, seed=2**40 + 1, first_site=FIRST,
            )  # fmt: skip
            device.advance_sites(update, 0, len(stress), stress_rate, source)
        np.testing.assert_array_equal(gpu.to_host(events[1]), events[0])
        began = events[0][1]
        assert events[0][0] == 7 + began
        assert set(begun[0][:began]) == set(gpu.to_host(begun[1])[:began])
        np.testing.assert_array_equal(gpu.to_host(fast[2]), slow[2])
        np.testing.assert_array_equal(gpu.to_host(sources[1]), sources[0])
        tolerance = 4 * np.finfo(dtype).eps
        np.testing.assert_allclose(gpu.to_host(fast[0]), slow[0], rtol=0, atol=tolerance)
        np.testing.assert_allclose(gpu.to_host(fast[1]), slow[1], rtol=0, atol=1e-15)
        total += began
    assert total > 5


def test_draws_have_the_same_bits(gpu):
    numbers = 2**63 + 11, 4, 2**34 + 3, 2**35 - 7, 200
    np.testing.assert_array_equal(gpu.draw_uniforms(*numbers), CPU().draw_uniforms(*numbers))


def test_sums_over_rows_are_those_of_the_cpu_and_the_same_again(gpu):
    stress, strain, active, _ = (np.tile(field, (1, 5)) for field in lively_state(np.float64))
    on_gpu = [gpu.asarray(field.copy()) for field in (stress, strain, active)]
    first, second = (gpu.row_sums(*on_gpu) for _ in range(2))
    np.testing.assert_allclose(first, CPU().row_sums(stress, strain, active), rtol=1e-13)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("interpolation", "fields", "halo"), [("bilinear", 2, 3), ("nearest", 2, 3), ("stream", 1, 5)]
)
def test_tracers_move_as_on_the_cpu(gpu, interpolation, fields, halo, dtype):
    random = np.random.default_rng(5)
    flow = random.normal(size=(fields, 6 + halo, 9)).astype(dtype)
    position = random.uniform((64.0, -14.0), (70.0, -8.0), (150, 2))
    position[0] = 64.0, 8.5
    moved = gpu.asarray(position.copy())
    tolerance = 1e-13 if dtype is np.float64 else 1e-6  # the simulator adds up in single precision
    CPU().move_tracers(TracerMove(interpolation, position, 0.3, 20, 4), flow)
    gpu.move_tracers(TracerMove(interpolation, moved, 0.3, 20, 4), gpu.asarray(flow))
    np.testing.assert_allclose(gpu.to_host(moved), position, rtol=0, atol=tolerance)


@pytest.mark.parametrize("height", [1, 4, 6])
@pytest.mark.parametrize("number", [1, 150])
def test_blocks_of_rows_move_each_tracer_once(gpu, height, number):
    """As the whole slab at once does, in blocks that hold all tracers or none, too."""
    random = np.random.default_rng(8)
    flow = random.normal(size=(2, 6 + 3, 9))
    position = random.uniform((64.0, -14.0), (70.0, -8.0), (200, 2))
    position[:number:2, 0] = np.nextafter(66.0, 0)
    expected = position.copy()
    CPU().move_tracers(TracerMove("bilinear", expected[:number], 0.3, 20, 4), flow)
    for device in (CPU(), gpu):
        moved = device.asarray(position.copy())
        room = moved, device.asarray(np.array([number]))
        move = TracerMove("bilinear", moved[:number], 0.3, 20, 4, room)
        blocks = device.tracer_blocks(6, height)
        blocks.sort(move)
        for block in range(-(-6 // height)):
            mine = np.zeros((2, height + 3, 9))
            rows = flow[:, block * height : (block + 1) * height + 3]
            mine[:, : rows.shape[1]] = rows
            blocks.move(block, move, device.asarray(mine))
        np.testing.assert_allclose(device.to_host(moved), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("known", [0, 3, 100])
def test_tracers_that_leave_are_those_of_the_cpu(gpu, known, monkeypatch):
    """In order, however many are copied at once; those beyond their number are none."""
    monkeypatch.setattr("epmpi.devices.gpu.departures.KNOWN", known)
    random = np.random.default_rng(6)
    identity, number = random.permutation(60), 43
    seen = []
    for stop in (8, 20, 6):
        leaving = gpu.departures(4, stop, 20, 60)
        expected = CPU().departures(4, stop, 20, 60)
        for low, high in ((4.0, 4.9), (0.0, 20.0), (-60.0, 60.0)):
            position = random.uniform((low, -14.0), (high, 30.0), (60, 2))
            position[7, 0] = 4.0 if high < 20 else np.nextafter(4.0, 0)
            there = gpu.asarray(identity), gpu.asarray(position)
            leaving.look(*there, gpu.asarray(np.array([number])))
            found = leaving.found(*(array[:number] for array in there))
            wanted = expected.found(identity[:number], position[:number])
            for ours, theirs in zip(found, wanted, strict=True):
                assert ours.dtype == theirs.dtype
                np.testing.assert_array_equal(ours, theirs)
            seen.append(len(found.places))
    assert min(seen) == 0 and 3 < max(seen) <= number


def tabulated(lines, kernels):
    """Return kernels (fields, ky, Lx) as `convolve` takes them."""
    modes, length = kernels.shape[1:]
    kx, ky = wavenumbers(length)[None, :], np.arange(modes)[:, None]

    def function(table):
        # Where the wavenumbers are: on the card too.
        return lambda kx, ky: on(kx, table)[ky, kx]

    def on(kx, table):
        return table if type(kx) is np.ndarray else lines._device.asarray(table)

    return lines.tabulate([function(table) for table in kernels], kx, ky, 1.0)


@pytest.mark.parametrize("shape", [(7, 10), (8, 9), (5, 4)])
@pytest.mark.parametrize("halo", [(0, 0), (0, 1), (1, 2)])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("strip", [1, 2, 10])
def test_convolution_is_that_of_the_cpu(gpu, shape, halo, in_place, strip, monkeypatch):
    """In place, the source lies where the first response will; by strips of so many columns."""
    monkeypatch.setattr("epmpi.devices.gpu.lines.STRIP_BYTES", strip * 3 * 16 * shape[0])
    random = np.random.default_rng(7)
    length, modes = shape[0], shape[1] // 2 + 1
    kernels, imaginary = random.normal(size=(3, modes, length)), [False, True, True]
    opposite = kernels[:, :, -np.arange(length) % length]
    kernels += np.array([1, 1, -1])[:, None, None] * opposite  # two are even in kx, one is odd
    source = random.normal(size=(length, 1, modes)) + 1j * random.normal(size=(length, 1, modes))
    rows = length + sum(halo)
    expected = np.zeros((rows, 3, modes), complex)
    slow = LibraryLines(shape, np.float64)
    fast = gpu.lines("auto", shape, np.float64)
    table = slow.table(3, modes, lambda field, some: kernels[field, some])
    slow.convolve(source.copy(), table, imaginary, expected, halo[0])
    found = gpu.zeros((rows, 3, modes), complex)
    given = gpu.asarray(source.copy())
    if in_place:
        given = found[halo[0] : halo[0] + length, :1]
        given[...] = gpu.asarray(source)
    fast.convolve(given, tabulated(fast, kernels), imaginary, found, halo[0])
    np.testing.assert_allclose(gpu.to_host(found), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [10, 9])
def test_rows_there_and_back(gpu, width):
    """Whole arrays, and one field of several."""
    random = np.random.default_rng(9)
    rows, lines = random.normal(size=(4, 2, width)), gpu.lines("auto", (4, width), "d")
    spectra = gpu.asarray(np.zeros((4, 2, width // 2 + 1), complex))
    lines.transform_rows(gpu.asarray(rows), spectra)
    expected = np.fft.rfft(rows)
    np.testing.assert_allclose(gpu.to_host(spectra), expected, rtol=0, atol=1e-13)
    back = gpu.asarray(np.zeros((3, 1, width)))
    lines.restore_rows(spectra[1:, 1:2], back)
    restored = gpu.to_host(back) / width
    np.testing.assert_allclose(restored, rows[1:, 1:2], rtol=0, atol=1e-13)


def test_waits_are_counted_as_on_the_cpu(gpu):
    """Events too early to count, the first of a site, short waits and long ones."""
    begun = np.random.default_rng(2).permutation(40)  # of which 31 are events
    last = np.append(np.full(30, -1), 5000 - np.geomspace(1, 4000, 60).astype(np.int64))
    counted = []
    for device in (CPU(), gpu):
        number, edges = np.zeros(bin_edges().size - 1, np.int64), bin_edges()
        host = begun, np.array([31]), np.array([5001]), last.copy(), edges, number
        sites, events, since, before, edges, number = map(device.asarray, host)
        for step in (5000, 5001, 123456):
            now = device.counter(step)
            device.count_waits(sites, events, 20, now, since, before, edges, number)
        counted.append((device.to_host(number), device.to_host(before)))
    np.testing.assert_array_equal(counted[1][0], counted[0][0])
    np.testing.assert_array_equal(counted[1][1], counted[0][1])
    assert 31 < counted[0][0].sum() < 62


def test_several_sources_are_multiplied_each_for_itself(gpu):
    random = np.random.default_rng(8)
    length, modes, sources = 6, 5, 3
    kernels = random.normal(size=(2, modes, length))
    kernels += kernels[:, :, -np.arange(length) % length]
    given = random.normal(size=(length, sources, modes)) * (1 + 2j)
    lines = gpu.lines("auto", (length, 8), np.float64)
    prepared = tabulated(lines, kernels)
    together = gpu.zeros((length + 1, 2 * sources, modes), complex)
    lines.convolve(gpu.asarray(given.copy()), prepared, [False, True], together, 0)
    for s in range(sources):
        alone = gpu.zeros((length + 1, 2, modes), complex)
        one = gpu.asarray(np.ascontiguousarray(given[:, s : s + 1]))
        lines.convolve(one, prepared, [False, True], alone, 0)
        found = gpu.to_host(together)[:, s::sources]
        np.testing.assert_allclose(found, gpu.to_host(alone), rtol=0, atol=1e-13)
