"""The elastic response to one event, tabulated for the exact clock, with bounds over tiles."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from epmpi.devices.thinning import Medium
from epmpi.spectral import Convolution, Transform

# Bounds are multiples of the largest response over 2^23: exact in single precision, and so are the
# sums of as many of them in double precision as there may be active sites.
BOUND_BITS = 23
FEW_SITES, HIGH_ACTIVITY = 96**2, 1e-3
FEW_SITES_OF_JUMPS = 256**2  # of thermal instantaneous events


def tile_width(sites: int, activity: float | None, *, thermal_jumps: bool = False) -> int:
    """Return the sites along a side of a tile, a multiple of 8.

    An event costs a pass over all tiles, and updates of tiles by the responses to all active
    sites: they are narrow where there are few sites or many active ones (`benchmarks.events`).
    Of instantaneous events the rates of the sites of a tile take most of the time, which favours
    narrow ones too; the extremal driver needs no rates (`benchmarks.jumps`).

    Parameters
    ----------
    sites : int
        Of the lattice.
    activity : float or None
        Expected fraction of active sites; None if unknown.
    thermal_jumps : bool
        Whether events are instantaneous and thermal.
    """
    few = FEW_SITES_OF_JUMPS if thermal_jumps else FEW_SITES
    return 8 if sites <= few or (activity or 0.0) > HIGH_ACTIVITY else 16


def response_to(convolution: Convolution, source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the response of this rank's slab to a source, both (rows, Ly).  Collective."""
    fft, device = convolution.fft, convolution.fft.device
    response = np.empty(fft.slab.shape)
    for begin, end in convolution.row_blocks:
        convolution.source_block(begin, end)[:] = device.asarray(source[begin:end])
        convolution.set_source(begin, end)
    convolution.apply()
    for begin, end in convolution.row_blocks:
        response[begin:end] = device.to_host(convolution.response_block(0, begin, end))
    return response


def on_all_ranks(fft: Transform, rows: NDArray) -> NDArray:
    """Return a field of the whole lattice (Lx, Ly) from the rows of all ranks.  Collective."""
    return fft.communicator.gather_everywhere(rows.reshape(-1)).reshape(fft.lattice.shape)


def tabulate(response: NDArray[np.float64], width: int, drive: float) -> Medium:
    """Return a response (Lx, Ly) to an event at (0, 0), with its bounds over tiles."""
    length, breadth = response.shape
    extended = np.pad(response, (0, width), mode="wrap")
    tables = bounds_over_tiles(response, width)
    along_x, along_y = -(-length // width), -(-breadth // width)
    return Medium(
        extended, *tables, length, breadth, breadth + width, width, along_x, along_y, drive
    )


def bounds_over_tiles(
    response: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the smallest and largest response in a tile, by place and distance; see `Medium`.

    The site of the event itself is left out; tiles at the far ends count as whole ones, which can
    only widen the bounds.
    """
    largest = float(np.abs(response).max())
    unit = 2.0 ** (math.ceil(math.log2(largest)) - BOUND_BITS) if largest > 0 else 1.0
    tables = []
    for sign in (-1.0, 1.0):
        signed = sign * response
        signed[0, 0] = -np.inf
        for axis, length in enumerate(response.shape):
            reach = np.arange(length + width - 1) % length
            windows = sliding_window_view(np.take(signed, reach, axis), width, axis)
            signed = windows.max(axis=-1)
        bound = np.ceil(signed / unit) * unit
        rows, columns = (_starts(length, width) for length in response.shape)
        table = bound[rows[:, None, :, None], columns[None, :, None, :]]
        tables.append((sign * table).astype(np.float32))
    return tables[0], tables[1]


def _starts(length: int, width: int) -> NDArray[np.int64]:
    """Return where tiles begin, counted from an event, modulo the length of the lattice.

    Shape (width, 2 tiles - 1): by the place of the event in its tile, and the distance of the tiles
    plus tiles - 1.
    """
    tiles = -(-length // width)
    distances = np.arange(-(tiles - 1), tiles)
    return (width * distances[None, :] - np.arange(width)[:, None]) % length
