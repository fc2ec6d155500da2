"""Tracers: interpolation against the oracle, and their travel from rank to rank."""

import numpy as np
import oracle
import pytest
from engines import apply_blockwise, transform
from mpi4py import MPI

from epmpi.config import Configuration
from epmpi.devices import CPU, TracerMove
from epmpi.devices.cpu.tracers import moves
from epmpi.model.elasticity import accumulated_flow
from epmpi.model.tracers import Tracers
from epmpi.parallel import Communicator
from epmpi.physics.advection import INTERPOLATIONS
from epmpi.physics.lattice import Lattice, slabs

SHAPE = (11, 14)
every_interpolation = pytest.mark.parametrize("interpolation", oracle.INTERPOLATIONS)


def configuration_of(*overrides):
    base = ["lattice.shape=[11, 14]", "tracers.number=50", "output.trajectory_every=0"]
    return Configuration().with_overrides([*base, *overrides])


def tracers_of(comm, *overrides):
    """Return the tracers of a configuration; collective."""
    configuration = configuration_of(*overrides)
    lattice = Lattice(configuration.lattice.shape)
    return Tracers(configuration, slabs(lattice, comm.size), Communicator(comm), CPU())


def flow_of(comm, strain, interpolation):
    """Return the flow, with halo rows, that a plastic strain causes; collective."""
    fft = transform("numpy", strain.shape, comm)
    configuration = configuration_of(f"tracers.interpolation={interpolation}")
    convolution = accumulated_flow(configuration, fft)
    apply_blockwise(convolution, strain[fft.slab.start : fft.slab.stop])
    fields = 1 if interpolation == "stream" else 2
    flow = np.empty((fields, fft.slab.rows + sum(convolution.halo), strain.shape[1]))
    convolution.responses(range(fields), flow)
    return flow


def constant_flow(comm, velocity, shape=SHAPE):
    """Return a uniform flow for bilinear tracers, with its halo rows."""
    rows = slabs(Lattice(shape), comm.size)[comm.rank].rows
    return np.full((2, rows + 3, shape[1]), np.reshape(velocity, (2, 1, 1)))


def all_positions(comm, tracers):
    """Return the positions of all tracers by identity, on every rank."""
    parts = comm.allgather((tracers.identity, tracers.position))
    identity = np.concatenate([part[0] for part in parts])
    position = np.concatenate([part[1] for part in parts])
    assert sorted(identity) == list(range(tracers.number))  # each on one rank, none lost
    return position[np.argsort(identity)]


def assert_on_their_slab(comm, tracers, shape=SHAPE):
    slab = slabs(Lattice(shape), comm.size)[comm.rank]
    row = np.floor(tracers.position[:, 0]) % shape[0]
    assert np.all((row >= slab.start) & (row < slab.stop))


@pytest.mark.mpi
@every_interpolation
def test_moves_are_those_of_the_oracle(comm, interpolation):
    strain = np.random.default_rng(4).standard_normal(SHAPE)
    tracers = tracers_of(comm, f"tracers.interpolation={interpolation}")
    position = all_positions(comm, tracers)
    # Unwrapped: anywhere, a hair below a row, on sites and halfway between them.
    position[::3] += np.array([-3.0, 5.0]) * SHAPE
    position[:4] = [[4.0, 6.0], [-1e-17, 13.999], [2.25, -1e-17], [10.75, 13.75]]
    mine = np.arange(comm.rank, len(position), comm.size)
    tracers.set(mine, position[mine])
    CPU().move_tracers(tracers.movement(0.1), flow_of(comm, strain, interpolation))
    tracers.migrate()
    expected = position + oracle.moved(interpolation, 0.1 * strain, position)
    assert np.abs(expected - position).max() > 0.1
    np.testing.assert_allclose(all_positions(comm, tracers), expected, rtol=0, atol=1e-13)
    assert_on_their_slab(comm, tracers)


def test_the_stream_flow_has_no_divergence():
    """By central differences of the interpolated velocity, anywhere between the sites."""
    strain = np.random.default_rng(5).standard_normal(SHAPE)
    random = np.random.default_rng(6).uniform(0, 10, (40, 2))
    shift = 1e-5

    def divergence(interpolate):
        by_axis = [
            (interpolate(strain, random + step) - interpolate(strain, random - step)) / (2 * shift)
            for step in shift * np.eye(2)
        ]
        return by_axis[0][:, 0] + by_axis[1][:, 1]

    assert np.abs(divergence(moved_by_device("stream"))).max() < 1e-8
    assert np.abs(divergence(moved_by_device("bilinear"))).max() > 0.1


def moved_by_device(interpolation):
    """Return a function like those of the oracle that calls the compiled loop."""

    def move(strain, position):
        found, flow = np.empty_like(position), flow_of(MPI.COMM_SELF, strain, interpolation)
        way = INTERPOLATIONS[interpolation]
        moves.flow_at_all(way, position, len(position), flow, strain.shape[0], -1, found)
        return found

    return move


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_at_a_site_the_velocity_is_that_of_the_site(interpolation):
    strain = np.random.default_rng(7).standard_normal(SHAPE)
    sites = np.argwhere(np.ones(SHAPE, bool)).astype(float)
    moved = moved_by_device(interpolation)(strain, sites)
    expected = oracle.displacement(strain).reshape(2, -1).T
    np.testing.assert_allclose(moved, expected, atol=1e-14)


@every_interpolation
def test_half_way_is_near(interpolation):
    """However large a displacement is: no row is read that is not there."""
    strain = 300 * np.random.default_rng(8).standard_normal(SHAPE)
    position = np.random.default_rng(9).uniform(0, 10, (40, 2))
    moved = position.copy()
    flow = flow_of(MPI.COMM_SELF, strain, interpolation)
    CPU().move_tracers(TracerMove(interpolation, moved, 1.0, SHAPE[0], 0), flow)
    expected = oracle.moved(interpolation, strain, position)
    assert np.abs(expected).max() > 50
    np.testing.assert_allclose(moved - position, expected, rtol=0, atol=1e-10)


def test_the_midpoint_rule_is_of_second_order():
    """In a vortex: half the displacement a move, a quarter of the error of the path."""
    strain = np.zeros((32, 32))
    strain[12:20, 12:20] = 1.0
    errors = []
    start = np.random.default_rng(10).uniform(10, 22, (40, 2))

    def after(moves):
        position = start.copy()
        flow = flow_of(MPI.COMM_SELF, 4 * strain / moves, "stream")
        for _ in range(moves):
            CPU().move_tracers(TracerMove("stream", position, 1.0, 32, 0), flow)
        return position

    exact = after(2048)
    errors = [np.abs(after(moves) - exact).max() for moves in (16, 32, 64)]
    assert 3 < errors[0] / errors[1] < 5
    assert 3 < errors[1] / errors[2] < 5


@pytest.mark.mpi
@pytest.mark.parametrize("velocity", [(0.9, 0.0), (-2.7, 0.3), (9.5, -20.0), (1e4 + 0.5, 3.0)])
def test_tracers_travel_over_any_number_of_slabs(comm, velocity):
    tracers = tracers_of(comm)
    start = all_positions(comm, tracers)
    for _ in range(25):
        CPU().move_tracers(tracers.movement(1.0), constant_flow(comm, velocity))
        tracers.migrate()
        assert_on_their_slab(comm, tracers)
    expected = start + 25 * np.array(velocity)
    np.testing.assert_allclose(all_positions(comm, tracers), expected, rtol=1e-13, atol=1e-12)


@pytest.mark.mpi
def test_start_is_uniform_and_the_same_on_any_number_of_ranks(comm):
    tracers = tracers_of(comm, "tracers.number=154")
    position = all_positions(comm, tracers)
    assert_on_their_slab(comm, tracers)
    assert np.all((position >= 0) & (position < SHAPE))
    alone = tracers_of(comm.Split(comm.rank), "tracers.number=154")
    np.testing.assert_array_equal(position, alone.position[np.argsort(alone.identity)])
    assert abs(position.mean(axis=0) / SHAPE - 0.5).max() < 4 / np.sqrt(12 * 154)


@pytest.mark.mpi
def test_order_in_memory_is_that_of_the_sites(comm):
    tracers = tracers_of(comm, "tracers.number=154")
    x, y = np.floor(tracers.position).astype(int).T % np.array(SHAPE)[:, None]
    assert np.all(np.diff(x * SHAPE[1] + y) >= 0)


@pytest.mark.mpi
@pytest.mark.parametrize("number", [0, 1, 3])
def test_few_tracers_or_none(comm, number):
    tracers = tracers_of(comm, f"tracers.number={number}")
    CPU().move_tracers(tracers.movement(1.0), constant_flow(comm, (3.5, 0.0)))
    tracers.migrate()
    assert tracers.identity.dtype == np.int64
    assert tracers.position.shape == (len(tracers.identity), 2)
    assert len(all_positions(comm, tracers)) == number


@pytest.mark.mpi
def test_all_tracers_may_meet_on_one_rank(comm):
    tracers = tracers_of(comm)
    identity = np.arange(comm.rank, 50, comm.size)
    tracers.set(identity, np.full((len(identity), 2), 0.5))
    assert len(tracers.identity) == (50 if comm.rank == 0 else 0)
    CPU().move_tracers(tracers.movement(1.0), constant_flow(comm, (-1.0, 0.0)))
    tracers.migrate()
    assert len(tracers.identity) == (50 if comm.rank == comm.size - 1 else 0)
    np.testing.assert_array_equal(all_positions(comm, tracers), np.full((50, 2), (-0.5, 0.5)))
