"""One move of tracers, as a task for a device; the flow that they follow is given apart."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import NDArray


@dataclass(frozen=True)
class TracerMove:
    """Tracers move with the flow that is interpolated half way along their path.

    Attributes
    ----------
    interpolation : str
        As in the configuration; it determines the fields of the flow.
    position : float64 array, shape (tracers, 2)
        Unwrapped (x, y) of the tracers of the slab, in lattice spacings; updated.  Of a batch,
        (lattices, tracers, 2).
    time_step : float
        Factor of the flow.
    length : int
        Lx.
    first_row : int
        x of the first row of the slab.
    room : (array, array) or None
        The array whose first rows are the tracers, and how many of them, int64, shape (1,), on the
        device: where a recorded move is repeated, others may be there.
    """

    interpolation: str
    position: NDArray
    time_step: float
    length: int
    first_row: int
    room: tuple[NDArray, NDArray] | None = None
