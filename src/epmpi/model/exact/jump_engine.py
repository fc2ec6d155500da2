"""The engine of instantaneous events, between which the stress changes by the drive alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epmpi.config import Configuration
from epmpi.devices import Device
from epmpi.devices.jumps import (
    JUMP_PROGRESS,
    JumpRecords,
    Jumps,
    JumpSites,
    JumpTiles,
    Orientation,
)
from epmpi.model.exact.engine import (
    CAPACITY,
    Engine,
    in_tiles,
    media,
    on_the_lattice,
    scratch,
    tile_arrays,
)
from epmpi.physics import jumps, randomness
from epmpi.physics.jumps import JumpRule


class JumpEngine(Engine):
    """Sites that yield at once; see `Engine` and `media`."""

    ENDED = ("x", "y", "direction", "start", "distance", "drop")
    records: JumpRecords

    def __init__(
        self,
        configuration: Configuration,
        kernels: Sequence[NDArray[np.float64]],
        drive: float,
        device: Device,
    ) -> None:
        medium, *others = media(configuration, kernels, drive)
        jump, isotropic = jump_rule(configuration), kernels[0]
        orientation = Orientation(  # unused where that of all events is fixed
            sine=others[0] if others else medium,
            own=float(isotropic[0, 0]),
            far=float(isotropic[0, 1]),  # alike at all other sites
        )
        shape, number = (medium.length, medium.breadth), medium.along_x * medium.along_y
        kinds: dict[str, type] = {"x": np.int64, "y": np.int64, "direction": np.int8}
        events: dict[str, Any] = {
            name: np.zeros(CAPACITY, kinds.get(name, np.float64)) for name in Jumps._fields
        }
        records = JumpRecords(
            medium,
            JumpSites(
                stress=np.zeros((number, medium.width**2)),
                threshold=in_tiles(initial_thresholds(configuration, jump, device), medium),
                inside=in_tiles(np.ones(shape), medium),
                last=np.full(shape, -np.inf),
            ),
            JumpTiles(**tile_arrays(JumpTiles._fields, medium)),
            Jumps(**events),
            scratch(medium, CAPACITY),
        )
        active = np.zeros(shape, np.int8)  # no site is, at any time
        super().__init__(
            records, JUMP_PROGRESS, configuration.run.seed, device.jumps(), active,
            (jump, orientation),
        )  # fmt: skip
        self._oriented = jump.oriented

    @property
    def threshold(self) -> NDArray[np.float64]:
        """The threshold of each site, (Lx, Ly), a stress."""
        return on_the_lattice(self.records.sites.threshold, self.medium)

    def set_threshold(self, threshold: NDArray[np.float64]) -> None:
        """Set the threshold of each site; see `Engine.set_threshold`."""
        self.records.sites.threshold[:] = in_tiles(threshold, self.medium)

    def shift(self, now: float) -> bool:
        """Count times from now on, and change nothing else; see `Engine.shift`."""
        for name in ("now", "renewed", "horizon", "next"):
            self.progress[name] -= now
        self.records.sites.last[:] -= now
        self.records.events.start[:] -= now
        return True

    def yielded(self, now: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where sites have yielded since the last flush, and how much, signed.

        As `Engine.yielded`: an event of amount a has the plastic strain of a site that yields for a
        time a.  Of random orientation, (3, n): also times cos 4 psi, and sin 4 psi.
        """
        completed, events = self.progress["completed"], self.records.events
        x, y = events.x[:completed], events.y[:completed]
        amount = events.amount[:completed].copy()
        if self._oriented:
            factors = events.cosine[:completed], events.sine[:completed]
            amount = np.stack([amount, *(amount * factor for factor in factors)])
        return x * self.medium.breadth + y, amount

    def active_time(self, now: float) -> float:
        """Return 0: an instantaneous event takes no time."""
        return 0.0

    def arrays(self) -> dict[str, NDArray]:
        """Return the arrays of the state but the thresholds, which are a field of the sites."""
        found = super().arrays()
        del found["site_threshold"]
        return found

    def read_ended(self) -> dict[str, NDArray]:
        """Return the events since the last call, which end as they start."""
        found = super().read_ended()
        return found | {"end": found["start"]}


def jump_rule(configuration: Configuration) -> JumpRule:
    """Return the parameters of instantaneous events for a configuration."""
    model = configuration.model
    thresholds, deviation = jumps.THRESHOLDS[model.thresholds], model.threshold_deviation
    shape, scale = 1.0, 1.0
    if thresholds == jumps.WEIBULL:
        shape, scale = jumps.weibull(model.yield_stress, deviation)
    return JumpRule(
        oriented=int(model.orientation == "random"),
        driver=jumps.EXTREMAL if model.activation == "extremal" else jumps.THERMAL,
        residual=jumps.RESIDUALS[model.residual],
        residual_scale=model.residual_scale,
        thresholds=thresholds,
        mean=model.yield_stress,
        deviation=deviation,
        shape=shape,
        scale=scale,
    )


def initial_thresholds(
    configuration: Configuration, jump: JumpRule, device: Device
) -> NDArray[np.float64]:
    """Return a threshold for each site of the lattice, (Lx, Ly)."""
    shape, seed = configuration.lattice.shape, configuration.run.seed
    sites = shape[0] * shape[1]
    first, second = (
        device.draw_uniforms(seed, randomness.THRESHOLDS, step, 0, sites) for step in (0, 1)
    )
    threshold = np.empty(sites)
    device.jumps().draw_thresholds(first, second, jump, threshold)
    return threshold.reshape(shape)
