"""Time of a step: what processors and networks make of its work.

A processor turns the operations and the memory traffic of a stage into seconds; a network does so
with the bytes and the messages of an exchange.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from performance.workload import Stage, Workload, stages


class Processor(Protocol):
    """Processor of one rank."""

    @property
    def streaming(self) -> bool:
        """Whether each kernel reads its input from memory and writes its output there."""
        ...

    def seconds(self, stage: Stage, work: Workload) -> float:
        """Return the time of a stage."""
        ...


@dataclass(frozen=True)
class Link:
    """Messages of one kind: t = latency + messages gap + bytes / bandwidth.

    Parameters
    ----------
    latency, gap : float
        Seconds for each exchange, and for each message in it.
    bandwidth : float
        Bytes a second that one rank sends.
    shared : float
        Bytes a second that all ranks of a node send together.
    """

    latency: float
    gap: float
    bandwidth: float
    shared: float = math.inf

    def seconds(self, messages: float, volume: float, active: int) -> float:
        """Return the time in which each of the active ranks of a node sends its messages."""
        if messages <= 0:
            return 0.0
        bandwidth = min(self.bandwidth, self.shared / active)
        return self.latency + messages * self.gap + volume / bandwidth


@dataclass(frozen=True)
class Network:
    """Nodes of so many ranks, linked inside and between them; both links work at once."""

    ranks_per_node: int
    inside: Link
    between: Link

    def exchange(self, volume: float, ranks: int) -> float:
        """Return the time of an all-to-all in which each rank sends `volume` bytes to the others.

        ``max`` over the links of latency + peers gap + bytes / bandwidth: (P - 1) messages a rank.
        """
        if ranks == 1:
            return 0.0
        active = min(ranks, self.ranks_per_node)
        near, far = active - 1, ranks - active
        each = volume / (ranks - 1)
        return max(
            self.inside.seconds(near, near * each, active),
            self.between.seconds(far, far * each, active),
        )

    def two_hops(self, volume: float, ranks: int) -> float:
        """Return the time of the same exchange in two: inside the nodes, then between them.

        A rank gathers from its node what goes to its counterparts on the other nodes, so that it
        sends P / n - 1 long messages between nodes and not P - n short ones.
        """
        if ranks == 1:
            return 0.0
        active = min(ranks, self.ranks_per_node)
        nodes = ranks / active
        whole = volume * ranks / (ranks - 1)  # what a rank keeps for itself included
        near = self.inside.seconds(active - 1, whole * (1 - 1 / active), active)
        return near + self.between.seconds(nodes - 1, whole * (1 - 1 / nodes), active)

    def between_hosts(self, volume: float, ranks: int) -> float:
        """Return the time of the same exchange where the ranks of a node share memory.

        One message goes from each node to each other, P / n - 1 from a node, which its n ranks
        share out: on CPUs, see `epmpi.spectral.between_hosts`.
        """
        if ranks == 1:
            return 0.0
        active = min(ranks, self.ranks_per_node)
        nodes = ranks / active
        whole = volume * ranks / (ranks - 1)
        return self.between.seconds((nodes - 1) / active, whole * (1 - 1 / nodes), active)


@dataclass(frozen=True)
class Machine:
    """Equal processors, one a rank, and what links them.

    Parameters
    ----------
    name, description : str
    memory : float
        Bytes that the arrays of a rank may take.
    """

    name: str
    description: str
    processor: Processor
    network: Network
    memory: float = math.inf


@dataclass(frozen=True)
class Prediction:
    """Predicted time of a step and of its parts.

    Attributes
    ----------
    stages : mapping
        Seconds by stage, exchange and its messages not included.
    transport, messages : float
        Seconds of the exchange for its bytes, and for the number of its messages.
    overlapped, two_hops, between_hosts, single_wire : float
        Seconds of a step with the exchange hidden behind the computation as far as it can be; with
        the exchange in two hops; with one message between two nodes, whose ranks share memory; with
        numbers sent in single precision.
    """

    work: Workload
    stages: Mapping[str, float]
    transport: float
    messages: float
    overlapped: float = field(repr=False)
    two_hops: float = field(repr=False)
    between_hosts: float = field(repr=False)
    single_wire: float = field(repr=False)

    @property
    def exchange(self) -> float:
        """Seconds of the exchange."""
        return self.transport + self.messages

    @property
    def computing(self) -> float:
        """Seconds of all other stages."""
        return sum(self.stages.values())

    @property
    def seconds(self) -> float:
        """Seconds of a step."""
        return self.computing + self.exchange


def predict(work: Workload, machine: Machine) -> Prediction:
    """Predict the time of a step."""
    processor, network = machine.processor, machine.network
    spent = {
        stage.name: processor.seconds(stage, work)
        for stage in stages(work, streaming=processor.streaming)
    }
    computing = sum(spent.values())
    # Two small exchanges more where tracers change their ranks: how many, and they themselves.
    volumes = [*work.sent(), *((0, 0) if work.tracers else ())]
    exchange = sum(network.exchange(volume, work.ranks) for volume in volumes)
    messages = sum(network.exchange(0, work.ranks) for _ in volumes)
    hops = sum(network.two_hops(volume, work.ranks) for volume in volumes)
    hosts = sum(network.between_hosts(volume, work.ranks) for volume in volumes)
    thin = sum(network.exchange(volume * 4 / work.real, work.ranks) for volume in volumes)
    return Prediction(
        work, spent, exchange - messages, messages,
        overlapped=max(computing, exchange),
        two_hops=computing + hops,
        between_hosts=computing + hosts,
        single_wire=computing + thin,
    )  # fmt: skip


def predict_ranks(work: Workload, machine: Machine, most: int) -> list[Prediction]:
    """Predict a step on 1, 2, 4, ... ranks, as far as the memory and the number of lines allow."""
    limit = min(most, work.length // 2)
    ranks = [2**k for k in range(limit.bit_length()) if 2**k <= limit]
    works = [replace(work, ranks=count) for count in ranks]
    return [predict(each, machine) for each in works if each.memory <= machine.memory]


def efficiencies(predictions: Sequence[Prediction]) -> list[float]:
    """Return the parallel efficiencies, P0 t(P0) / (P t(P)), against the fewest ranks P0."""
    first = predictions[0]
    base = first.work.ranks * first.seconds
    return [base / (each.work.ranks * each.seconds) for each in predictions]
