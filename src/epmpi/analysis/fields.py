"""Elastic response to plastic strain, for the maps: displacement and stress change.

With the propagators of the run, and `numpy.fft` on the whole lattice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.run_file import RunFile
from epmpi.physics.propagators import (
    SYMBOLS,
    Modes,
    active_strain,
    displacement_propagator,
    stress_propagator,
)


@dataclass(frozen=True)
class Medium:
    """Parameters of the elastic response of a run; defaults are those of the model."""

    shear_modulus: float = 1.0
    symbol: str = "continuum"
    macroscopic: str = "strain"
    prefactor: float = 1.0
    relaxation_time: float = 1.0
    event_strain: float = 1.0

    @classmethod
    def of(cls, run: RunFile) -> Medium:
        """Return the medium of a run file.

        Raises
        ------
        AnalysisError
            If its propagator is not known here.
        """
        values = {
            field.name: value
            for field in fields(cls)
            for section in ("model", "propagator")
            if (value := run.parameter(section, field.name)) is not None
        }
        if values.get("symbol", cls.symbol) not in SYMBOLS:
            raise AnalysisError(
                f"{run.path}: propagator.symbol = {values['symbol']!r}, expected one of "
                f"{', '.join(SYMBOLS)}; analyse it with the epmpi that has this propagator"
            )
        return cls(**values)

    def strain_rate(self, active: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return d(eps_pl)/dt = n s eps0 / (2 tau) from `active` = n s, in 1/tau."""
        return active * active_strain(self.event_strain, self.relaxation_time)


def displacement(plastic_strain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the displacement that plastic strain on the lattice causes.

    Parameters
    ----------
    plastic_strain : array, shape (Lx, Ly)
        Or its rate, which gives the velocity: the map is linear.

    Returns
    -------
    array of float64, shape (2, Lx, Ly)
        (ux, uy) in lattice spacings.
    """
    shape = plastic_strain.shape
    kernel = 1j * displacement_propagator(*_wavevectors(shape))
    return np.fft.irfft2(kernel * np.fft.rfft2(plastic_strain), s=shape)


def stress_change(plastic_strain: NDArray[np.float64], medium: Medium) -> NDArray[np.float64]:
    """Return 2 mu (G * eps_pl), the stress that plastic strain adds, shape (Lx, Ly)."""
    shape = plastic_strain.shape
    propagator = stress_propagator(
        *_wavevectors(shape), medium.symbol, medium.prefactor, medium.macroscopic
    )
    spectrum = propagator * np.fft.rfft2(plastic_strain)
    return 2 * medium.shear_modulus * np.fft.irfft2(spectrum, s=shape)


def _wavevectors(shape: tuple[int, ...]) -> tuple[Modes, Modes]:
    """Return qx and qy of the half spectrum."""
    qx = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    return qx, 2 * np.pi * np.fft.rfftfreq(shape[1])[None, :]
