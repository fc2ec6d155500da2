"""Calls of models to a card: the real CuPy and numba-cuda on a stand-in; run by `tools/ci_gpu.sh`.

Nothing is computed there (see `stand_in_card`), so nothing is said about values.
"""

import os
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
import stand_in_card as card
from two_devices import CASES, configuration_of

from epmpi.devices.gpu.graph_capture import IN_FLIGHT
from epmpi.devices.gpu.lines import JUDGED
from epmpi.model.batch import Batch
from epmpi.model.elasticity import elastic_kernels
from epmpi.model.model import Model
from epmpi.model.waiting import WaitingTimes
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place
from epmpi.physics.lattice import Lattice
from epmpi.run.planning import array_bytes
from epmpi.spectral import make_transform
from epmpi.spectral.transport import CUDA_AWARE, NCCL, NONE, STAGED

pytestmark = [
    pytest.mark.mpi,
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning"),  # draws that nobody made
]

EVERY = "tracers.every=1"  # unless a case says otherwise

TELL = """
import stand_in_card
from epmpi.devices import choose
print(choose("gpu").identity())
"""


@pytest.fixture
def gpu(comm):
    """Return the device; the ranks share a card."""
    return place("gpu", Communicator(comm))


def model_of(comm, *overrides):
    """Return a model on the card, whose kernels are compiled and whose step is recorded."""
    communicator = Communicator(comm)
    model = Model(configuration_of(EVERY, *overrides), communicator, place("gpu", communicator))
    for _ in range(4):
        model.step()
    return model


def steps(model, number=3):
    """Take some steps."""
    for _ in range(number):
        model.step()


@pytest.fixture(params=[STAGED, CUDA_AWARE, NCCL])
def transport(request, comm, monkeypatch):
    """Let arrays travel in each way; one rank has none."""
    if request.param == NCCL:
        name = f"GPU-{comm.rank}"
        monkeypatch.setattr("epmpi.devices.gpu.cards.identity_of", lambda number: name)
    aware = request.param == CUDA_AWARE
    monkeypatch.setattr("epmpi.spectral.transport.cuda_aware", lambda: aware)
    return request.param if comm.size > 1 else NONE


@pytest.mark.parametrize("case", CASES)
def test_a_step_is_its_recording(comm, case, transport):
    """One graph; three where the host exchanges between them.

    Where tracers may change ranks it ends a graph to send the host a list of them, which waits for
    that before their next move: never for all that the card has been asked for.
    """
    model = model_of(comm, *CASES[case])
    assert model.fft.transport == transport
    found = card.asked(steps, model, 4)
    assert (found["violations"], found["astray"]) == (0, 0)
    assert (found["launches"], found["allocations"]) == (0, 0)
    moves = 0 if comm.size == 1 or "tracers.number=0" in CASES[case] else 4
    exchanges = 2 * 4
    if "every 2" in case:
        moves, exchanges = moves // 2, exchanges + 2 * 2
    if transport in (STAGED, CUDA_AWARE):
        assert found["graph_launches"] == 4 + exchanges
    else:
        assert found["graph_launches"] == 4 + moves
        assert found["drained"] == 0
    waits = {STAGED: 2, CUDA_AWARE: 1}.get(transport, 0)
    behind = 1  # so that the host is a few steps ahead at most
    assert found["waits"] == exchanges * waits + moves + behind


def test_strips_of_columns_travel_beside_others(comm, monkeypatch):
    """In a second stream, which the recording takes too, and which is joined again."""
    name = f"GPU-{comm.rank}"
    monkeypatch.setattr("epmpi.devices.gpu.cards.identity_of", lambda number: name)
    monkeypatch.setattr("epmpi.spectral.between_cards.STRIP_MESSAGE", 1)
    communicator = Communicator(comm)
    model = Model(configuration_of(EVERY), communicator, place("gpu", communicator))
    step = card.asked(model.step)
    recorded = card.asked(model.step)
    assert recorded["violations"] == 0
    assert recorded["exchanges"] == step["exchanges"] == (0 if comm.size == 1 else 2 * strips(comm))
    assert recorded["graph_launches"] == len(graphs_of(model)) == (1 if comm.size == 1 else 2)


def strips(comm):
    """Return in how many strips the columns of the small lattice travel."""
    return min(4, 6 // comm.size)


def test_spectra_that_travel_may_be_rounded(comm):
    model = model_of(comm, "run.wire=single")
    assert card.asked(steps, model)["violations"] == 0


@pytest.mark.parametrize("uuid", ["00112233445566778899aabbccddeeff", "12345678" + 12 * "00"])
def test_a_card_is_known_by_all_of_its_uuid(comm, launch, uuid):
    """Zero bytes included, at which CuPy's ends."""
    if comm.size > 1:
        return
    path = os.pathsep.join([str(Path(card.__file__).parents[1]), *sys.path[1:]])
    printed = launch("-c", TELL, STAND_IN_UUID=uuid, PYTHONPATH=path)
    assert printed.stdout.strip().replace("-", "") == f"GPU{uuid}", printed.stderr


@pytest.mark.parametrize("overrides", [[], ["run.precision=single", "tracers.number=0"]])
def test_two_models_of_one_process_are_both_recorded(comm, overrides):
    """Each on a device of its own, as in a notebook: the older one's steps are in its graph too."""
    if comm.size > 1:
        return
    older, newer = model_of(comm, *overrides), model_of(comm, *overrides)
    older.update_response()
    for model in (older, newer):
        steps(model, 1)
        found = card.asked(steps, model)
        assert found["graph_launches"] == 3
        (graph,) = graphs_of(model)
        assert graph.debug_dot_str().count('"graph_0_node') > 5


def graphs_of(model):
    """Return the graphs that a model's steps were recorded as."""
    recordings = [made for made in model.clock._step._recordings.values() if made is not None]
    return [graph for made in recordings for graph in made.graphs]


def test_a_step_that_asks_for_nothing_is_not_recorded(gpu):
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        gpu.record(lambda: None)


def test_small_lattices_are_no_reason_for_warnings(comm):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_of(comm, "lattice.shape=[9, 11]")


def test_restored_gathered_and_annealed(comm, gpu):
    """Each makes a step anew; then it is recorded again."""
    model = model_of(comm)
    model.accumulate("waiting_times", WaitingTimes(model.slab.shape, 0, model.device))
    steps(model)
    model.restore(model.state())
    assert card.asked(steps, model)["violations"] == 0
    for number in range(6):
        model.temperature = 0.5 - 0.01 * number
        model.step()
    steps(model)
    found = card.asked(steps, model)
    if comm.size == 1:
        assert (found["graph_launches"], found["launches"]) == (3, 0)
    assert model.fault() is None or comm.size > 1


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["run.precision=single", "tracers.interpolation=stream"],
        ["initial.state=gaussian", "initial.stress_deviation=0.4"],
        ["tracers.every=2"],
    ],
)
def test_the_card_has_what_is_planned(comm, overrides):
    """Arrays, work areas of cuFFT, and what the start takes; lattices that fill the card, too."""
    for side in (1000, 4096):
        shape = f"lattice.shape=[{side},{side}]"
        configuration = configuration_of(EVERY, shape, "tracers.number=100", *overrides)
        communicator = Communicator(comm)
        device = place("gpu", communicator)
        card.free()
        before = card.taken()
        model = Model(configuration, communicator, device)
        steps(model, 2)  # tracers have moved
        needed = array_bytes(configuration, comm.size, device)
        taken = card.taken() - before
        assert 0.6 < comm.allreduce(taken / needed, max) < 1.05
        del model


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["tracers.every=4", "propagator.symbol=lattice"],
        ["initial.state=gaussian", "initial.stress_deviation=0.4", "initial.drawn=fourier"],
        ["model.activation=random", "model.activity=0.3"],
    ],
)
def test_a_start_leaves_the_host_nearly_empty(comm, overrides):
    """The propagators are worked out on the card; of a field the host has a part at a time."""
    shape = 2000, 1024
    given = [f"lattice.shape=[{shape[0]}, {shape[1]}]", "tracers.number=100", EVERY, *overrides]
    communicator = Communicator(comm)
    device = place("gpu", communicator)
    Model(configuration_of(*overrides), communicator, device)  # its kernels are compiled
    tracemalloc.start()
    try:
        Model(configuration_of(*given), communicator, device)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * shape[0] * shape[1] // 2


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
def test_propagators_are_worked_out_on_the_card(comm, gpu, symbol):
    """But for a few columns, by which the host judges whether they are even or odd."""
    shape = 64, 50
    configuration = configuration_of(EVERY, f"propagator.symbol={symbol}")
    fft = make_transform("auto", Lattice(shape), Communicator(comm), gpu, np.float64, "double")
    kernels, _, _ = elastic_kernels(configuration, fft, with_flow=True)
    on_host, on_card = [], []

    def noted(kernel):
        def as_noted(kx, ky):
            (on_host if isinstance(kx, np.ndarray) else on_card).append(ky.size)
            return kernel(kx, ky)

        return as_noted

    fft.lines.tabulate([noted(kernel) for kernel in kernels], fft.kx, fft.ky, 1.0)
    assert on_host == [JUDGED] * len(kernels)
    assert sum(on_card) == fft.modes * len(kernels)


def test_the_host_is_a_few_steps_ahead_at_most(comm):
    model = model_of(comm)
    assert card.asked(steps, model, 100)["most_in_flight"] <= 3 * IN_FLIGHT  # graphs: three a step


def test_a_batch_is_one_graph(comm):
    if comm.size > 1:
        return  # a batch needs one rank
    batch = Batch([model_of(comm, f"run.seed={seed}") for seed in range(3)])
    for _ in range(4):
        batch.step()
    found = card.asked(batch.step)
    assert (found["graph_launches"], found["launches"]) == (1, 0)


def nodes_with(comm, blocks):
    """Return the nodes of a step that moves tracers in so many blocks of rows."""
    communicator = Communicator(comm)
    device = place("gpu", communicator)
    configuration = configuration_of(EVERY, "lattice.shape=[192, 20]", "tracers.number=500")
    height = 192 // comm.size // blocks
    device.block_rows = lambda row_bytes: height
    model = Model(configuration, communicator, device)
    model.step()
    assert card.asked(model.step)["violations"] == 0
    found = card.asked(steps, model)
    assert (found["launches"], found["allocations"]) == (0, 0)
    assert model.clock._passes._flow.shape == (2, height + 3, 20)
    return sum(graph.debug_dot_str().count("_node_") for graph in graphs_of(model))


def test_tracers_move_block_by_block(comm):
    """A block more is so many nodes more: the tracers of a slab are listed once."""
    nodes = [nodes_with(comm, blocks) for blocks in (2, 4, 8)]
    assert nodes[2] - nodes[1] == 2 * (nodes[1] - nodes[0]) > 0


@pytest.mark.parametrize(
    "part",
    [np.s_[:], np.s_[:, 1], np.s_[:, :, 1], np.s_[0], np.s_[:, ::2], np.s_[:0], np.s_[1, 1, 1:2]],
)
def test_copies_to_the_host_leave_the_queue_as_it_is(gpu, part):
    """Of whole arrays, of those of a batch's models, of any other part, as it stands or turned."""
    array = gpu.asarray(np.arange(24.0).reshape(4, 3, 2))
    plain = np.arange(24.0).reshape(4, 3, 2)
    for turn in (lambda a: a, np.transpose):

        def fetch(turn=turn):
            assert gpu.to_host(turn(array)[part]).shape == turn(plain)[part].shape

        assert card.asked(fetch)["astray"] == 0
        assert card.asked(gpu.zeros, (3,), "d")["astray"] == 0


def test_odd_sizes(comm):
    for shape in ("[61, 83]", "[37, 64]", "[128, 30]"):
        model = model_of(comm, f"lattice.shape={shape}")
        assert card.asked(steps, model)["violations"] == 0
        assert np.isfinite(model.time)
