"""The transpose: in shared memory and by messages, bitwise the same."""

import numpy as np
import pytest
from engines import apply_blockwise, even_and_odd_kernels, kernels_of, local_rows, real_fields

from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Lattice
from epmpi.spectral import SlabFFT, messages
from epmpi.spectral.exchange import OneMemory, in_one_memory
from epmpi.spectral.messages import ByMessages
from epmpi.spectral.sites import SourceMessages, cheaper_as_sites
from epmpi.spectral.transport import HOST, NONE, SHARED

pytestmark = pytest.mark.mpi
SHAPES = [(64, 64), (75, 80), (37, 50), (29, 33)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def transform(comm, shape, *, by_messages, wire="double"):
    fft = SlabFFT(Lattice(shape), Communicator(comm), CPU(), np.float64, wire=wire)
    if by_messages and comm.size > 1:
        fft.transport = HOST
    return fft


def source_messages(fft):
    return SourceMessages(fft, fft.exchange(1, (0, 0)))


def convolution(fft, halo=(1, 2)):
    kernels, imaginary = even_and_odd_kernels(fft.lattice.shape)
    first, last = fft.mode_blocks[fft.communicator.rank]
    mine = np.ascontiguousarray(np.swapaxes(kernels[..., first:last], 1, 2))
    return fft.convolution(kernels_of(fft, mine), imaginary, halo)


def responses(made, source):
    """Return all responses of a convolution to this rank's rows of a source."""
    apply_blockwise(made, source)
    out = np.empty((3, len(source) + sum(made.halo), source.shape[1]))
    made.responses(range(3), out)
    return out


def sparse_field(shape, sites=9):
    """Return a field with a few sites, one of them a zero with a sign, and empty rows."""
    field = np.zeros(shape)
    draw = np.random.default_rng(5)
    field[draw.integers(shape[0], size=sites), draw.integers(shape[1], size=sites)] = 1.5
    field[1, 2] = -0.0
    return field


def same_bits(first, second):
    assert first.tobytes() == second.tobytes()


def test_ranks_of_one_node_share_memory(comm):
    fft = transform(comm, (64, 64), by_messages=False)
    assert fft.transport == (SHARED if comm.size > 1 else NONE)
    assert isinstance(fft.exchange(1, (0, 0)), OneMemory)


@every_shape
@pytest.mark.parametrize("halo", [(0, 0), (0, 1), (1, 2)])
def test_messages_bring_the_same_bits(comm, shape, halo):
    shared = convolution(transform(comm, shape, by_messages=False), halo)
    sent = convolution(transform(comm, shape, by_messages=True), halo)
    for source in local_rows(shared.fft, real_fields(shape, 2)):
        same_bits(responses(shared, source), responses(sent, source))


@every_shape
def test_spectra_are_the_same_either_way(comm, shape):
    pair = [transform(comm, shape, by_messages=way) for way in (False, True)]
    fields = local_rows(pair[0], real_fields(shape, 2))
    spectra = [fft.forward(fields) for fft in pair]
    same_bits(*spectra)
    same_bits(*(fft.backward(spectrum) for fft, spectrum in zip(pair, spectra, strict=True)))


@every_shape
@pytest.mark.parametrize("backwards", [False, True])
def test_chunks_do_not_matter(comm, monkeypatch, shape, backwards):
    """Blocks of two rows, and chunks that end in the middle of some, in either order."""
    monkeypatch.setattr(CPU, "block_rows", lambda self, row_bytes: 2)
    found = []
    for chunk_bytes in (1 << 40, 1):
        monkeypatch.setattr(messages, "CHUNK_BYTES", chunk_bytes)
        made = convolution(transform(comm, shape, by_messages=True))
        if backwards:
            made.row_blocks.reverse()
        for source in local_rows(made.fft, real_fields(shape, 2)):
            found.append(responses(made, source))
        if comm.size > 1:
            most = min(messages.MOST_CHUNKS, shape[0] // comm.size)
            assert len(made._response._ends) == (1 if chunk_bytes > 1 else most)
    same_bits(found[0], found[2])
    same_bits(found[1], found[3])


@pytest.mark.mpi(min_size=2)
@every_shape
def test_sites_bring_the_same_bits_as_spectra(comm, shape):
    ways = []
    for as_sites in (False, True):
        fft = transform(comm, shape, by_messages=True)
        source = source_messages(fft)
        for field in (sparse_field(shape), np.zeros(shape), sparse_field(shape, 400)):
            source._exchanges = 1  # no review
            source.as_sites = as_sites
            rows = local_rows(fft, field[None])[0]
            middle = len(rows) // 2
            for begin, end in ((middle, len(rows)), (0, middle)):  # out of order
                source.send_rows(rows[begin:end, None], begin)
            ways.append(source.to_columns().copy())
    for spectra, sites in zip(ways[:3], ways[3:], strict=True):
        same_bits(spectra, sites)
    assert ways[2].any()


@pytest.mark.mpi(min_size=2)
def test_the_way_of_the_source_follows_its_density(comm):
    shape = (64, 64)
    fft = transform(comm, shape, by_messages=True)
    source = source_messages(fft)
    seen = []
    for field in [sparse_field(shape, 4)] * 20 + [np.ones(shape)] * 20:
        source.send_rows(local_rows(fft, field[None])[0][:, None])
        source.to_columns()
        seen.append(source.as_sites)
    assert seen == comm.bcast(seen)
    assert seen[0] and seen[30]
    assert not seen[33]


def test_sites_are_cheaper_where_their_bytes_and_rows_are():
    shape = (1000, 1000)
    # Two ranks: 1e6 bytes stand for the rows transformed twice, spectra are 2.004e6 bytes.
    assert cheaper_as_sites(shape, 2, sites=100_000, rows=1000, site_bytes=16, mode_bytes=16)
    assert not cheaper_as_sites(shape, 2, sites=130_000, rows=1000, site_bytes=16, mode_bytes=16)
    # Ten ranks: 1.8e6 against 0.72e6, unless most rows are empty.
    assert not cheaper_as_sites(shape, 10, sites=1000, rows=1000, site_bytes=16, mode_bytes=16)
    assert cheaper_as_sites(shape, 10, sites=200, rows=180, site_bytes=16, mode_bytes=16)


@pytest.mark.mpi(min_size=2)
@every_shape
def test_a_single_wire_rounds_what_travels(comm, shape):
    exact = convolution(transform(comm, shape, by_messages=True))
    rounded = convolution(transform(comm, shape, by_messages=True, wire="single"))
    for source in local_rows(exact.fft, real_fields(shape, 2)):
        expected, found = responses(exact, source), responses(rounded, source)
        for right, wrong in zip(expected, found, strict=True):
            largest = comm.allreduce(np.abs(right).max(), op=max)
            error = comm.allreduce(np.abs(wrong - right).max(), op=max) / largest
            assert 1e-10 < error < 3e-7


@pytest.mark.mpi(min_size=2)
def test_a_single_wire_rounds_sites_and_spectra_alike(comm):
    shape = (64, 64)
    fft = transform(comm, shape, by_messages=True, wire="single")
    columns = []
    for as_sites in (False, True):
        source = source_messages(fft)
        source._exchanges, source.as_sites = 1, as_sites
        source.send_rows(local_rows(fft, sparse_field(shape)[None])[0][:, None])
        columns.append(source.to_columns().copy())
    same_bits(*columns)


@pytest.mark.mpi(min_size=2)
def test_messages_where_memory_is_too_small(comm, monkeypatch):
    fft = transform(comm, (64, 64), by_messages=False)
    monkeypatch.setattr("epmpi.spectral.exchange.shared_memory", lambda *arguments: None)
    assert in_one_memory(fft, 1, (0, 0)) is None
    assert isinstance(fft.exchange(1, (0, 0)), ByMessages)
    assert fft.transport == HOST


@pytest.mark.mpi(min_size=2)
def test_responses_need_not_be_read(comm):
    """Neither before the next source, nor before the convolution is forgotten."""
    made = convolution(transform(comm, (64, 64), by_messages=True))
    first, second = local_rows(made.fft, real_fields((64, 64), 2))
    for source in (second, first):
        apply_blockwise(made, source)
    expected = responses(convolution(transform(comm, (64, 64), by_messages=False)), second)
    same_bits(responses(made, second), expected)
    for _ in range(20):
        apply_blockwise(convolution(transform(comm, (64, 64), by_messages=True)), first)
