"""The passes of a step over the rows of a slab: sites advance and switch, tracers move.

A pass restores rows of a response from their spectra and works on them while they are in cache; one
more transforms the growth of the plastic strain.
Where the device has compiled loops for whole passes, and the spectra of the rows lie in one piece,
a pass is one loop; elsewhere it goes block by block.  The bits are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.devices import SiteUpdate, TracerMove
from epmpi.spectral import Convolution, RowSpectra


class BlockPasses:
    """Transforms and physics block by block; of the flow no more is stored than a block.

    Parameters
    ----------
    flow : range
        Which responses are the flow.
    """

    def __init__(self, convolution: Convolution, flow: range) -> None:
        self._convolution = convolution
        self._device = convolution.fft.device
        self._fields = flow
        if flow:
            rows, width = convolution.fft.slab.shape
            self._height = convolution.row_blocks[0][1]
            shape = len(flow), self._height + sum(convolution.halo), width
            self._flow = self._device.empty(shape, convolution.fft.dtype)
            self._tracers = self._device.tracer_blocks(rows, self._height)

    def advance_sites(self, rate: int, update: SiteUpdate) -> Iterator[int]:
        """Advance the sites of the slab, and set the next source: their new n s.

        Parameters
        ----------
        rate : int
            Which response is the rate of their stress.

        Yields
        ------
        int
            The first row of each block, when it has advanced.
        """
        convolution = self._convolution
        for begin, end in convolution.row_blocks:
            stress_rate = convolution.response_block(rate, begin, end)
            source = convolution.source_block(begin, end)
            self._device.advance_sites(update, begin, end, stress_rate, source)
            convolution.set_source(begin, end)
            yield begin

    def set_increments(self, now: NDArray[np.float64], before: NDArray[np.float64]) -> None:
        """Set the next source: by how much a field (rows, Ly) has grown; `before` is then `now`."""
        convolution = self._convolution
        for begin, end in convolution.row_blocks:
            source = convolution.source_block(begin, end)
            self._device.subtract(now[begin:end], before[begin:end], source)
            convolution.set_source(begin, end)
        before[:] = now

    def move_tracers(self, move: TracerMove) -> None:
        """Move the tracers along the flow that the last source causes, in each block of rows."""
        blocks, flow = self._convolution.row_blocks, self._flow
        if len(blocks) == 1:
            self._convolution.responses(self._fields, flow)
            self._device.move_tracers(move, flow)
            return
        self._tracers.sort(move)
        halo = sum(self._convolution.halo)
        for block, (begin, end) in enumerate(blocks):
            known = halo if begin else 0  # rows of the block before; restored once, since a GPU's
            for first in range(0, known, self._height):  # transforms destroy what they restore
                last = min(first + self._height, known)
                for field in flow:  # each in one piece: a recording may not allocate
                    field[first:last] = field[first + self._height : last + self._height]
            rows = flow[:, known : end - begin + halo]
            self._convolution.responses(self._fields, rows, begin + known)
            self._tracers.move(block, move, flow)


class LoopPasses:
    """The same passes, each in one compiled loop.

    Parameters
    ----------
    loops
        Of the device; see `cpu.rows`.
    halo : (before, after)
        Rows of the responses beyond the slab.
    flow : range
        Which responses are the flow.
    """

    def __init__(self, loops: Any, spectra: RowSpectra, halo: tuple[int, int], flow: range) -> None:
        self._loops = loops
        self._halo = sum(halo)
        self._source = spectra.source
        self._responses = spectra.responses[halo[0] : halo[0] + len(spectra.source)]
        self._flow = spectra.responses[:, flow.start : flow.stop]

    def advance_sites(self, rate: int, update: SiteUpdate) -> Iterator[int]:
        """Advance the sites of the slab; see `BlockPasses`."""
        self._loops.advance_sites(self._responses[:, rate], self._source, update)
        yield 0

    def set_increments(self, now: NDArray[np.float64], before: NDArray[np.float64]) -> None:
        """Set the next source; see `BlockPasses`."""
        self._loops.transform_increments(now, before, self._source)

    def move_tracers(self, move: TracerMove) -> None:
        """Move the tracers of the slab while the flow is restored, a few rows at a time."""
        self._loops.move_tracers(self._flow, self._halo, move)


Passes = BlockPasses | LoopPasses


def passes_over(convolution: Convolution, flow: range) -> Passes:
    """Return the passes over a convolution's responses: loops where its device has them.

    Parameters
    ----------
    flow : range
        Which of its responses tracers follow; empty for none.
    """
    spectra = convolution.row_spectra()
    loops = None if spectra is None else convolution.fft.device.row_loops(spectra.lines)
    if spectra is None or loops is None:
        return BlockPasses(convolution, flow)
    return LoopPasses(loops, spectra, convolution.halo, flow)
