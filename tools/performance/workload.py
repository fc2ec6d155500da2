"""The work of a step on one rank: operations, memory traffic and bytes sent, stage by stage.

The stages of a step (`epmpi.model`) are named as in the table of ``python -m benchmarks.step``.
The largest slab counts, and the largest block of modes, whosever they are: all others wait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from epmpi.config import Configuration, from_mapping
from epmpi.devices.cpu import BLOCK_BYTES
from epmpi.physics.lattice import Lattice, mode_blocks, split
from epmpi.run.planning import array_bytes

RULE_OPERATIONS = 60  # a site: its share of ten rounds of Philox, the stress, the bound of Eq. (2)
TRACER_OPERATIONS = 60  # a tracer: indices, weights, four velocities of two components
SECTOR_BYTES = 32  # least that a scattered read takes from memory
LONGEST_LINE_BYTES = 1 << 17  # of a line that a GPU transforms in one pass, in shared memory


@dataclass(frozen=True)
class Workload:
    """One step of an L x L lattice on so many ranks.

    Parameters
    ----------
    length : int
        L, in sites.
    ranks : int
    tracers : int
        Moved every step; 0 for none.
    interpolation : str
        As in the configuration.
    precision : str
        "double" or "single", of stress and transforms.
    """

    length: int
    ranks: int = 1
    tracers: int = 0
    interpolation: str = "bilinear"
    precision: str = "double"

    @property
    def real(self) -> int:
        """Bytes of a real number."""
        return 8 if self.precision == "double" else 4

    @property
    def responses(self) -> int:
        """Fields that come back from Fourier space: the stress rate and the flow."""
        if self.tracers == 0:
            return 1
        return 2 if self.interpolation == "stream" else 3

    @property
    def halo(self) -> int:
        """Rows beyond the slab in which the responses are wanted."""
        if self.tracers == 0:
            return 0
        return 5 if self.interpolation == "stream" else 3

    @property
    def rows(self) -> int:
        """Rows of the largest slab."""
        return -(-self.length // self.ranks)

    @property
    def modes(self) -> int:
        """Columns ky of the largest block of the spectrum."""
        return -(-(self.length // 2 + 1) // self.ranks)

    def sent(self, rank: int = 0) -> tuple[int, int]:
        """Return the bytes that a rank sends to others in a step: for the source, the responses.

        A slab's rows go to the ranks of their columns, ``16 rows (ky of the others)`` bytes in
        double precision; on the way back each rank sends its columns of all other slabs, with their
        halo rows, once for each response.
        """
        rows = [stop - start for start, stop in split(self.length, self.ranks)]
        lattice = Lattice((self.length, self.length))
        modes = [last - first for first, last in mode_blocks(lattice, self.ranks)]
        number = 2 * self.real
        source = number * rows[rank] * (sum(modes) - modes[rank])
        others = sum(rows) - rows[rank] + self.halo * (self.ranks - 1)
        return source, number * others * modes[rank] * self.responses

    @property
    def configuration(self) -> Configuration:
        """The configuration of a run with this lattice, these tracers and this precision."""
        number = self.tracers
        return from_mapping(
            {
                "lattice": {"shape": [self.length, self.length]},
                "tracers": {"number": number, "interpolation": self.interpolation, "every": 1},
                "output": {"trajectory_every": 0.0},
                "run": {"precision": self.precision},
            }
        )

    @cached_property
    def memory(self) -> int:
        """Bytes of arrays on the rank that holds most."""
        return array_bytes(self.configuration, self.ranks)


@dataclass(frozen=True)
class Stage:
    """A part of a step on one rank.

    Parameters
    ----------
    name : str
    operations : float
        Floating-point operations of the transforms, sites, tracers, bytes copied, blocks.
    traffic : float
        Bytes read from and written to memory if nothing stays in cache between stages.
    kernels : int
        Launches on a GPU.
    """

    name: str
    operations: float
    traffic: float
    kernels: int = 1


def stages(work: Workload, *, streaming: bool) -> list[Stage]:
    """Return the stages of a step, but for the exchange.

    Parameters
    ----------
    streaming : bool
        Whether each kernel reads its input from memory and writes its output there, as on a GPU;
        else blocks of rows and strips of columns stay in cache from one stage to the next.
    """
    number, real, fields = 2 * work.real, work.real, work.responses
    line = 2.5 * work.length * math.log2(work.length)  # of a real line; a complex one takes twice
    sites, rows = work.rows * work.length, work.rows + work.halo
    spectrum = work.rows * (work.length // 2 + 1)  # modes of the rows of a slab
    received = fields * rows * (work.length // 2 + 1)
    columns = work.modes * work.length
    tracers = work.tracers / work.ranks
    passes = 1 if work.length * number <= LONGEST_LINE_BYTES else 2  # a longer line takes two
    flow = (fields - 1) * rows * work.length * real  # velocities are stored, to be read by tracers
    if streaming:
        inverse = passes * (number * received + fields * rows * work.length * real)
        rule = (4 * real + 2) * sites
        forward = passes * (number * spectrum + real * sites)
        product = columns * (number + fields * (real + number))
        middle = product + passes * 2 * number * columns * (1 + fields)
    else:
        inverse = number * received + flow
        rule = (2 * real + 2) * sites
        forward = number * spectrum
        middle = columns * (number + fields * (real + number))
    listed = [
        Stage("inverse rows", fields * rows * line, inverse),
        Stage("rule", RULE_OPERATIONS * sites, rule),
        Stage("forward rows", work.rows * line, forward),
        Stage("columns", 2 * (1 + fields) * work.modes * line, middle, 3),
        Stage("rest", 1 + sites * real / BLOCK_BYTES, 0.0, 0),
    ]
    if work.ranks > 1:
        copied = number * (spectrum + received)
        listed.append(Stage("packing", copied, 2 * copied if streaming else 0.0, 2))
    if tracers:
        # The position is read and written; each row of sites around it is one sector a component.
        reads = SECTOR_BYTES * (fields - 1) * (4 if work.interpolation == "stream" else 2)
        listed.append(Stage("moving", TRACER_OPERATIONS * tracers, tracers * (32 + reads), 3))
    return listed
