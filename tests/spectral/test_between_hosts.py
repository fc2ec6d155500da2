"""Exchanges between hosts: the bits of shared memory and of messages, and how few messages.

Ranks of one machine that are said to be two or more hosts; tests/faults has hosts of their own.
"""

import numpy as np
import pytest
from engines import apply_blockwise, even_and_odd_kernels, kernels_of, local_rows, real_fields

from epmpi.devices import CPU
from epmpi.parallel import Communicator
from epmpi.parallel.hosts import find_hosts, group_hosts
from epmpi.physics.lattice import Lattice
from epmpi.spectral import SlabFFT
from epmpi.spectral.between_hosts import BetweenHosts
from epmpi.spectral.messages import ByMessages
from epmpi.spectral.sites import SourceMessages
from epmpi.spectral.transport import HOST, HOSTS

pytestmark = pytest.mark.mpi(min_size=3)
SHAPES = [(64, 64), (75, 80), (37, 50), (29, 33)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def hosts_of_two(communicator):
    """Return hosts of two ranks each, the last of the rest."""
    on_host = communicator.split(communicator.rank // 2)
    return group_hosts(communicator, on_host, [rank // 2 * 2 for rank in range(communicator.size)])


def transform(comm, shape, transport=HOSTS, wire="double"):
    fft = SlabFFT(Lattice(shape), Communicator(comm), CPU(), np.float64, wire=wire)
    if transport is not None:
        fft.transport, fft.hosts = transport, hosts_of_two(fft.communicator)
    return fft


def convolution(fft, halo=(1, 2)):
    kernels, imaginary = even_and_odd_kernels(fft.lattice.shape)
    first, last = fft.mode_blocks[fft.communicator.rank]
    mine = np.ascontiguousarray(np.swapaxes(kernels[..., first:last], 1, 2))
    return fft.convolution(kernels_of(fft, mine), imaginary, halo)


def responses(made, source):
    apply_blockwise(made, source)
    out = np.empty((3, len(source) + sum(made.halo), source.shape[1]))
    made.responses(range(3), out)
    return out


def same_bits(first, second):
    assert first.tobytes() == second.tobytes()


@every_shape
@pytest.mark.parametrize("halo", [(0, 0), (0, 1), (2, 3)])
@pytest.mark.parametrize("wire", ["double", "single"])
def test_the_bits_are_those_of_other_ways(comm, shape, halo, wire):
    other = convolution(transform(comm, shape, None if wire == "double" else HOST, wire), halo)
    made = convolution(transform(comm, shape, wire=wire), halo)
    assert isinstance(made._response, BetweenHosts)
    for source in local_rows(made.fft, real_fields(shape, 2)):
        same_bits(responses(made, source), responses(other, source))


@every_shape
def test_spectra_are_the_same(comm, shape):
    pair = [transform(comm, shape, way) for way in (None, HOSTS)]
    fields = local_rows(pair[0], real_fields(shape, 2))
    spectra = [fft.forward(fields) for fft in pair]
    same_bits(*spectra)
    same_bits(*(fft.backward(spectrum) for fft, spectrum in zip(pair, spectra, strict=True)))


@pytest.mark.parametrize("wire", ["double", "single"])
def test_sites_bring_the_same_bits_as_spectra(comm, wire):
    shape = (64, 64)
    field = np.zeros(shape)
    field[5, 7], field[33, 2], field[63, 63] = 1.5, -2.5, 0.1
    fft, columns = transform(comm, shape, wire=wire), []
    for as_sites in (False, True):
        source = SourceMessages(fft, fft.exchange(1, (0, 0)))
        source._exchanges, source.as_sites = 1, as_sites
        source.send_rows(local_rows(fft, field[None])[0][:, None])
        columns.append(source.to_columns().copy())
    same_bits(*columns)


def test_responses_need_not_be_read(comm):
    """Neither before the next source, nor before the convolution is forgotten."""
    made = convolution(transform(comm, (64, 64)))
    first, second = local_rows(made.fft, real_fields((64, 64), 2))
    for source in (second, first):
        apply_blockwise(made, source)
    same_bits(responses(made, second), responses(convolution(transform(comm, (64, 64))), second))
    for _ in range(20):
        apply_blockwise(convolution(transform(comm, (64, 64))), first)


def test_one_message_goes_from_each_host_to_each_other(comm, monkeypatch):
    """If ranks exchange one by one, each sends one to each rank of the other host."""
    counted = {}
    for way in (HOST, HOSTS):
        made = convolution(transform(comm, (64, 64), way))
        messages = []
        if way == HOSTS:
            begin = made.fft.hosts.begin_messages

            def note(outgoing, arriving, begin=begin, messages=messages):
                requests = begin(outgoing, arriving)
                sent = [one.nbytes for one in outgoing if one is not None]
                messages.extend([sum(sent) / len(sent)] * (len(requests) // 2))
                return requests

            object.__setattr__(made.fft.hosts, "begin_messages", note)
        else:
            begin = made.fft.communicator.begin_exchange

            def note(send, sent, receive, received, begin=begin, messages=messages):
                here = comm.rank // 2
                far = [count for rank, (_, count) in enumerate(sent) if rank // 2 != here]
                messages.extend(count * send.itemsize for count in far)
                return begin(send, sent, receive, received)

            monkeypatch.setattr(made.fft.communicator, "begin_exchange", note)
        for source in local_rows(made.fft, real_fields((64, 64), 1)):
            made._source._exchanges = 1  # as spectra
            responses(made, source)
        counted[way] = [sum(comm.allgather(len(messages))), sum(comm.allgather(sum(messages)))]
    hosts = [range(first, min(first + 2, comm.size)) for first in range(0, comm.size, 2)]
    pairs = [(a, b) for a in hosts for b in hosts if a != b]
    assert counted[HOSTS][0] == 2 * len(pairs)  # of the source, and of the responses
    assert counted[HOST][0] == 2 * sum(len(a) * len(b) for a, b in pairs)
    assert counted[HOSTS][1] == pytest.approx(counted[HOST][1], rel=0.2)  # less halo, more padding


def test_hosts_are_reported_apart():
    assert find_hosts(Communicator()) is None


def test_where_hosts_make_no_difference(comm):
    """One host, a rank on each, and ranks in turn, which have no rows in one piece."""
    communicator = Communicator(comm)
    ranks = list(range(comm.size))
    for first in ([0] * comm.size, ranks, [rank % 2 for rank in ranks]):
        assert group_hosts(communicator, communicator.split(0), first) is None
    assert find_hosts(communicator) is None  # this machine
    assert isinstance(transform(comm, (64, 64), HOST).exchange(1, (0, 0)), ByMessages)


def test_messages_where_memory_is_too_small(comm, monkeypatch):
    fft = transform(comm, (64, 64))
    monkeypatch.setattr("epmpi.spectral.between_hosts.shared_memory", lambda *arguments: None)
    assert isinstance(fft.exchange(1, (0, 0)), ByMessages)
    assert fft.transport == HOST
