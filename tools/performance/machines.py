"""Machines that nobody has measured this step on: data sheets and published rates, with sources.

A GPU is a roofline: a stage takes as long as its traffic at the rate of a plain copy, or as its
operations at the peak rate, whichever is longer.  Every constant says where it comes from; those
called assumptions are to be replaced by measurements where there is such a machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from performance.calibration import Core
from performance.model import Link, Machine, Network
from performance.workload import Stage, Workload

# Of the data sheet's memory bandwidth, a copy on an H100 reaches 2959 of 3350 GB/s
# (github.com/NVIDIA/cuda-samples, issue 392).
COPY = 0.88
# Assumption: how much of its roofline the step as a whole reaches.
REACHED = 0.6
# Assumption: what a kernel costs beyond its work when it is replayed in a CUDA graph.
LAUNCH = 2e-6


@dataclass(frozen=True)
class Roofline:
    """A GPU whose stages stream through memory.

    Parameters
    ----------
    bandwidth : float
        Bytes a second of a copy, reads and writes counted.
    peak : float
        Operations a second in double precision, outside the tensor cores; twice that in single.
    """

    bandwidth: float
    peak: float
    reached: float = REACHED
    launch: float = LAUNCH
    streaming = True

    def seconds(self, stage: Stage, work: Workload) -> float:
        """Return the time of a stage; the host's own work hides behind the device's."""
        if stage.kernels == 0:
            return 0.0
        peak = self.peak * 8 / work.real
        least = max(stage.traffic / self.bandwidth, stage.operations / peak)
        return least / self.reached + stage.kernels * self.launch


# NVIDIA data sheets: A100 80GB SXM, H100 SXM.
A100 = Roofline(COPY * 2.039e12, 9.7e12)
H100 = Roofline(COPY * 3.35e12, 33.5e12)
GIGABYTES = 1e9 * 0.92  # for arrays, of the memory on the data sheet

# Latencies of an exchange: base 8.4 us and 3.4 or 9.6 us for NVLink or network, the constants by
# which NCCL chooses its algorithms (github.com/NVIDIA/nccl, src/graph/tuning.cc).  1 us for each
# message between nodes is an assumption, half of that inside one.
# NVLink 4: 370 of 450 GB/s after protocol (github.com/NVIDIA/nccl-tests, issue 212); NVLink 3: the
# same share of 300 GB/s.
NVLINK4 = Link(8.4e-6 + 3.4e-6, 0.5e-6, 370e9)
NVLINK3 = Link(8.4e-6 + 3.4e-6, 0.5e-6, 300e9 * 370 / 450)

# One NIC a GPU.  A single stream reaches 48 of 50 GB/s on NDR (github.com/NVIDIA/nccl-tests, issue
# 267), an all-to-all over hundreds of nodes 70 % of the machine's bandwidth (cuFFTMp on Selene:
# NVIDIA technical blog, "Multinode Multi-GPU: Using NVIDIA cuFFTMp FFTs at Scale", 2022).
ALL_TO_ALL = 0.7
NDR = Link(8.4e-6 + 9.6e-6, 1e-6, ALL_TO_ALL * 50e9)
HDR = Link(8.4e-6 + 9.6e-6, 1e-6, ALL_TO_ALL * 25e9)

H100_NDR = Machine(
    "h100-ndr", "8 H100 a node, NVLink 4, an NDR NIC a GPU",
    H100, Network(8, NVLINK4, NDR), 80 * GIGABYTES,
)  # fmt: skip


# 2 x 64 cores of EPYC 7763: 512 MB of cache, 2 x 204.8 GB/s of memory bandwidth (AMD data sheet).
# Assumptions: 85 % of that bandwidth, 512 GB of memory, one HDR NIC.
CPU_RANKS, CPU_CACHE, CPU_BANDWIDTH, CPU_MEMORY = 128, 512e6, 0.85 * 409.6e9, 512 * GIGABYTES


def cpu_nodes(here: Machine) -> Machine:
    """Return CPU nodes with cores as measured here, the memory bandwidth shared by 128 ranks.

    Raises
    ------
    TypeError
        If the machine was not calibrated from measurements.
    """
    core, link = here.processor, here.network.inside
    if not isinstance(core, Core):
        raise TypeError(f"got a {type(core).__name__}, expected the Core of a calibrated machine")
    # A message between ranks of a node is copied into shared memory and out of it: four passes.
    inside = replace(link, gap=0.5e-6, shared=CPU_BANDWIDTH / 4)
    between = Link(2e-6, 1e-6, 24e9, shared=ALL_TO_ALL * 25e9)
    node = replace(core, cache=CPU_CACHE, ranks_per_node=CPU_RANKS, node_bandwidth=CPU_BANDWIDTH)
    return Machine(
        "cpu-hdr",
        f"{CPU_RANKS} cores a node like the measured one, one HDR NIC a node",
        node,
        Network(CPU_RANKS, inside, between),
        CPU_MEMORY / CPU_RANKS,
    )


@dataclass(frozen=True)
class Published:
    """A published time of a distributed transform on A100 nodes, to hold the model against.

    Parameters
    ----------
    what : str
    gpus : int
    length : int
        Of an L x L x L transform of complex numbers in single precision.
    published : float
        Seconds.
    """

    what: str
    gpus: int
    length: int
    published: float

    @property
    def predicted(self) -> float:
        """What the model gives for such nodes: three line transforms, a packing, one exchange."""
        local = 8 * self.length**3 / self.gpus
        sent = local * (1 - 1 / self.gpus)
        return 4 * 2 * local / A100.bandwidth + Network(8, NVLINK3, HDR).exchange(sent, self.gpus)


# The blog named above: 78 ms on 8 and 4 ms on 2048 A100 of Selene for 2048^3, and 1.8 PFlop/s, at
# 5 N log2 N operations, on 4096 of them for N = 16384^3.
CUFFTMP = [
    Published("2048^3 on 8 A100", 8, 2048, 78e-3),
    Published("2048^3 on 2048 A100", 2048, 2048, 4e-3),
    Published("16384^3 on 4096 A100", 4096, 16384, 5 * 16384**3 * 42 / 1.8e15),
]
