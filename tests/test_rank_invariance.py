"""The exact promises for runs on different numbers of ranks.

With the default engines ("vector" and "numpy") on the CPU, stress, plastic strain, directions,
tracer positions and observables are bitwise the same on any number of ranks, in either precision,
at any time, whether the ranks share memory or exchange messages, and however a source travels.
With run.wire = "single" they are so among runs whose ranks all exchange messages, two or more.
With the engine "mpi4py-fft" the events of a run are the same, and its fields agree to
1e-10, over 200 steps; later the roundings of the two may tip an event.
"""

import itertools

import numpy as np
import pytest

from epmpi.config import Configuration
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.spectral import messages, sites, transport

pytestmark = pytest.mark.mpi

STEPS = 200
GAUSSIAN = ["initial.state=gaussian", "initial.stress_deviation=0.4"]
SINGLE = ["run.precision=single"]
CASES = {
    "square": ["lattice.shape=[32, 32]", "tracers.interpolation=nearest"],
    "square, single": ["lattice.shape=[64, 64]", *SINGLE],
    "smooth": ["lattice.shape=[60, 45]", "tracers.interpolation=stream", *GAUSSIAN],
    "uneven": ["lattice.shape=[37, 50]", "model.direction=either", *GAUSSIAN],
    "uneven, single": ["lattice.shape=[37, 50]", *GAUSSIAN, *SINGLE],
    "odd": ["lattice.shape=[29, 33]", "tracers.interpolation=stream", "propagator.symbol=lattice"],
    "prime rows": ["lattice.shape=[53, 64]", "tracers.interpolation=stream", "tracers.every=3"],
    "few rows, single": ["lattice.shape=[5, 101]", "model.direction=both", *SINGLE],
    "sheared": ["lattice.shape=[36, 80]", "model.strain_rate=0.3", "initial.drawn=site", *GAUSSIAN],
    "random": ["lattice.shape=[26, 45]", "model.activation=random", "model.activity=0.1"],
}


def configuration_of(*overrides):
    base = ["model.temperature=0.25", "tracers.number=100", "output.trajectory_every=0"]
    return Configuration().with_overrides([*base, *overrides])


def pair_of_models(comm, *overrides):
    """Return one model on all ranks, and the same on each rank by itself."""
    communicator = Communicator(comm)
    configuration = configuration_of(*overrides)
    return Model(configuration, communicator), Model(configuration, communicator.split(comm.rank))


def bits(array):
    """Return the bytes of an array, so that 0 and -0, or two NaN, are not taken for the same."""
    return np.ascontiguousarray(array).tobytes()


def assert_same_bits(shared, alone):
    """Compare this rank's part of the one model with the other."""
    rows = slice(shared.slab.start, shared.slab.stop)
    for name in ("stress", "plastic_strain", "active"):
        assert bits(getattr(shared, name)) == bits(getattr(alone, name)[rows]), name
    position = alone.tracers.position[np.argsort(alone.tracers.identity)]
    assert bits(shared.tracers.position) == bits(position[shared.tracers.identity])


@pytest.mark.parametrize("case", CASES)
def test_runs_are_bitwise_the_same_on_any_number_of_ranks(comm, case):
    shared, alone = pair_of_models(comm, *CASES[case])
    assert_same_bits(shared, alone)
    for _ in range(STEPS):
        shared.step()
        alone.step()
    assert_same_bits(shared, alone)
    mine, expected = shared.observables(), alone.observables()
    if comm.rank == 0:
        assert mine == expected
    assert expected["events"] > 50


@pytest.fixture
def no_shared_memory(monkeypatch):
    """Make the ranks exchange messages, as those of several nodes do."""
    monkeypatch.setattr(transport, "shared_memory", lambda communicator, sizes: None)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sparse", [False, True])
def test_messages_change_no_bit(comm, monkeypatch, no_shared_memory, case, sparse):
    """In chunks of few rows; sources travel as spectra, or now as spectra and now as sites."""
    monkeypatch.setattr(messages, "CHUNK_BYTES", 512)
    monkeypatch.setattr(sites, "REVIEWED_EVERY", 3)
    ways = iter([True, False] * STEPS) if sparse else itertools.repeat(False)
    monkeypatch.setattr(sites, "cheaper_as_sites", lambda *numbers: next(ways))
    shared, alone = pair_of_models(comm, *CASES[case])
    assert shared.fft.transport == (transport.HOST if comm.size > 1 else transport.NONE)
    for _ in range(50):
        shared.step()
        alone.step()
    assert_same_bits(shared, alone)


@pytest.mark.mpi(min_size=4)
@pytest.mark.parametrize("case", ["square", "uneven"])
def test_a_single_wire_is_the_same_among_messages(comm, no_shared_memory, case):
    configuration = configuration_of(*CASES[case], "run.wire=single")
    whole = Communicator(comm)
    many, two = Model(configuration, whole), Model(configuration, whole.split(comm.rank // 2))
    for _ in range(50):
        many.step()
        two.step()
    joined = [model.communicator.gather_rows(model.stress) for model in (many, two)]
    if comm.rank == 0:
        assert bits(joined[0]) == bits(joined[1])


@pytest.mark.mpi(min_size=2)
def test_a_single_wire_changes_the_stress_by_little(comm, no_shared_memory):
    """After 100 steps; docs/performance.md has the error of longer runs."""
    communicator = Communicator(comm)
    fields = []
    for wire in ("double", "single"):
        model = Model(configuration_of("lattice.shape=[64, 80]", f"run.wire={wire}"), communicator)
        for _ in range(100):
            model.step()
        fields.append(model.stress)
    assert 1e-9 < communicator.max(np.abs(fields[0] - fields[1]).max()) < 1e-5


@pytest.mark.parametrize("precision", ["double", "single"])
def test_blocks_of_rows_and_strips_of_columns_do_not_matter(comm, precision):
    """A lattice whose slabs are worked on in several blocks, cut elsewhere on each rank."""
    overrides = ["lattice.shape=[150, 1000]", "tracers.number=2000", "model.temperature=0.3"]
    shared, alone = pair_of_models(comm, *overrides, f"run.precision={precision}")
    assert len(alone.clock.elasticity.convolution.row_blocks) > 1
    for _ in range(20):
        shared.step()
        alone.step()
    assert_same_bits(shared, alone)
    assert alone.observables()["events"] > 1000


def test_a_run_repeats_itself(comm):
    communicator, configuration = Communicator(comm), configuration_of(*CASES["uneven"])
    first, second = Model(configuration, communicator), Model(configuration, communicator)
    for _ in range(50):
        first.step()
        second.step()
    for name in ("stress", "plastic_strain", "active"):
        assert bits(getattr(first, name)) == bits(getattr(second, name))
    assert bits(first.tracers.position) == bits(second.tracers.position)


@pytest.mark.parametrize("case", ["uneven", "prime rows", "random"])
@pytest.mark.parametrize(("every", "rounding"), [(1, 1e-10), (4, 1e-5)])
def test_engines_agree_for_200_steps(comm, case, every, rounding):
    """To rounding: in single precision where tracers move every few steps."""
    pytest.importorskip("mpi4py_fft", reason="needs mpi4py-fft")
    communicator = Communicator(comm)
    settings = *CASES[case], f"tracers.every={every}"
    shared = Model(configuration_of(*settings, "run.fft=mpi4py-fft"), communicator)
    alone = Model(configuration_of(*settings), communicator.split(comm.rank))
    for _ in range(STEPS):
        shared.step()
        alone.step()
    rows = slice(shared.slab.start, shared.slab.stop)
    np.testing.assert_array_equal(shared.active, alone.active[rows])
    np.testing.assert_allclose(shared.stress, alone.stress[rows], rtol=0, atol=1e-10)
    position = alone.tracers.position[np.argsort(alone.tracers.identity)]
    mine = position[shared.tracers.identity]
    np.testing.assert_allclose(shared.tracers.position, mine, rtol=0, atol=rounding)


def test_the_seed_matters(comm):
    first, second = (
        Model(configuration_of("lattice.shape=[16, 16]", f"run.seed={seed}"), Communicator(comm))
        for seed in (1, 2)
    )
    for _ in range(50):
        first.step()
        second.step()
    differ = not np.array_equal(first.active, second.active)
    assert comm.allreduce(int(differ)) > 0
