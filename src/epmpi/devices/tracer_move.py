"""One move of the tracers of a slab, but for the flow: what a pass over its rows does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.typing import NDArray

if TYPE_CHECKING:
    from epmpi.devices.device import Device


@dataclass(frozen=True)
class TracerMove:
    """Tracers move with the flow that is interpolated where they are.

    Attributes
    ----------
    device : Device
    interpolation : str
        As in the configuration: what the fields of the flow are.
    position : float64 array, shape (tracers, 2)
        Unwrapped (x, y) of the tracers of the slab, in lattice spacings; updated.
    time_step : float
        What the flow is multiplied by.
    length : int
        Lx.
    first_row : int
        x of the first row of the slab.
    """

    device: Device
    interpolation: str
    position: NDArray
    time_step: float
    length: int
    first_row: int

    def along(self, flow: NDArray) -> None:
        """Move them along a flow.

        Parameters
        ----------
        flow : float array, shape (fields, rows + halo, Ly)
            Velocity components, or B-spline coefficients of the stream function.
        """
        self.device.move_tracers(
            self.interpolation, self.position, flow, self.time_step, self.length, self.first_row
        )
