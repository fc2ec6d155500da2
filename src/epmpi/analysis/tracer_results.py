"""What one pass over a trajectory gives: D(t), S(q,t), distributions and correlations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from epmpi.analysis import autocorrelation, distribution
from epmpi.analysis.autocorrelation import Autocorrelation, unit_displacements
from epmpi.analysis.collapse import Collapse, best_collapse, local_q_exponent
from epmpi.analysis.consistency import Comparison, compare
from epmpi.analysis.curve import Curve
from epmpi.analysis.displacement import Diffusion, SquaredDisplacement
from epmpi.analysis.distribution import DisplacementDistribution
from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.heterogeneity import DisplacementShape
from epmpi.analysis.lags import Lag, sliding_lags
from epmpi.analysis.reading import POSITION, Clock, RunFile
from epmpi.analysis.regimes import LocalExponent, Window, find_regimes, local_exponent
from epmpi.analysis.relaxation import CollapseFit, RelaxationTime, fit_window, relaxation_times
from epmpi.analysis.structure_factor import MOST_ORIGINS, CosineSums, StructureFactor
from epmpi.analysis.wavevectors import choose_shells
from epmpi.parallel import Communicator

UNIT = 1.0  # tau: displacements u are per this time


@dataclass(frozen=True)
class TracerResults:
    """What the trajectory gives.

    Attributes
    ----------
    fits : list of CollapseFit
        alpha, n and gamma free: one for each window that has enough points.
    collapses : list of Collapse
        n of the best collapse of each window, without a law.
    collapsed_fits : list of CollapseFit
        alpha and gamma at the n of the best collapse.
    theory_fits : list of CollapseFit
        alpha at the exponents of theory, (1, 2) in regime I and (2, 1) in III.
    comparisons : list of Comparison
    curves : list of Curve
        P(u), van Hove functions, C_u(t), alpha_2(t), overlap, chi_4(t), n(q).
    """

    diffusion: Diffusion
    exponent: LocalExponent
    windows: list[Window]
    structure_factor: StructureFactor
    fits: list[CollapseFit]
    relaxation: RelaxationTime
    collapses: list[Collapse] = field(default_factory=list)
    collapsed_fits: list[CollapseFit] = field(default_factory=list)
    theory_fits: list[CollapseFit] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)


class Sums(Protocol):
    """Something that adds up strips of a trajectory, and whose sums add up over ranks."""

    sums: list[NDArray]

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add a strip, shape (frames, tracers, 2)."""
        ...


class Displacements:
    """Adds up C_u(t) and P(u): the displacements over a unit of time."""

    def __init__(self, clock: Clock) -> None:
        found = unit_displacements(clock, UNIT)
        self.sums: list[NDArray] = []
        self.known = found is not None
        if found is None:
            return
        origins, self.first, self.end = found
        lag = Lag(UNIT, self.first, self.end, self.first.size)
        self.lengths = DisplacementDistribution(lag)
        self.correlation = Autocorrelation(origins.step.size, sliding_lags(origins, MOST_ORIGINS))
        self.sums = self.lengths.sums + self.correlation.sums

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add a strip, shape (frames, tracers, 2)."""
        if self.known:
            self.lengths.add(strip)
            self.correlation.add(strip[self.end] - strip[self.first])

    def result(self, tracers: int) -> list[Curve]:
        """Return P(u) and C_u(t) of this many tracers, where frames are one unit apart."""
        if not self.known:
            return []
        self.correlation.columns = tracers
        return [
            self.lengths.result("unit_displacement", distribution.UNIT),
            self.correlation.result(
                "displacement_correlation", autocorrelation.DISPLACEMENT, subtract_mean=False
            ),
        ]


def measure_tracers(
    run: RunFile, strips: Iterable[NDArray[np.float64]], communicator: Communicator | None
) -> TracerResults | None:
    """Measure everything that the trajectory allows.  Collective, if there is a communicator.

    Parameters
    ----------
    run : RunFile
    strips : iterable of arrays
        `run.strips()` of this rank's part.
    communicator : Communicator or None

    Returns
    -------
    TracerResults or None
        None where there are too few frames.
    """
    clock = run.clock(POSITION)
    lags = sliding_lags(clock)
    if not lags:
        return None
    few = sliding_lags(clock, MOST_ORIGINS)
    squares = SquaredDisplacement(lags)
    cosines = CosineSums(few, choose_shells(run.shape))
    shape = DisplacementShape(few)
    displacements = Displacements(clock)
    van_hove = [DisplacementDistribution(lag) for lag in _one_a_decade(few)]
    accumulators: list[Sums] = [squares, cosines, shape, displacements, *van_hove]
    add_strips(strips, accumulators, communicator)
    squares.tracers = cosines.tracers = shape.tracers = run.tracers

    diffusion, factor = squares.result(), cosines.result()
    exponent = local_exponent(diffusion)
    windows = find_regimes(exponent)
    relaxation = relaxation_times(factor)
    collapses = [found for one in windows if (found := best_collapse(factor, one)) is not None]
    collapsed = [fit_window(factor, collapse.window, n=collapse.n) for collapse in collapses]
    comparisons, theory = compare(diffusion, exponent, factor, windows)
    fits = [fit_window(factor, window) for window in windows]
    return TracerResults(
        diffusion=diffusion,
        exponent=exponent,
        windows=windows,
        structure_factor=factor,
        fits=[fit for fit in fits if fit is not None],
        relaxation=relaxation,
        collapses=collapses,
        collapsed_fits=[fit for fit in collapsed if fit is not None],
        theory_fits=theory,
        comparisons=comparisons,
        curves=[
            *displacements.result(run.tracers),
            *shape.result(),
            *(
                one.result(f"van_hove_{number}", distribution.VAN_HOVE, radial=True)
                for number, one in enumerate(van_hove)
            ),
            local_q_exponent(relaxation),
        ],
    )


def add_strips(
    strips: Iterable[NDArray[np.float64]],
    accumulators: list[Sums],
    communicator: Communicator | None,
) -> None:
    """Give each strip to all accumulators, then add their sums up over the ranks.  Collective.

    Raises
    ------
    AnalysisError
        On all ranks, if the file cannot be read on one.
    """
    error = None
    try:
        for strip in strips:
            for accumulator in accumulators:
                accumulator.add(strip)
    except AnalysisError as found:
        error = found
    if communicator is None or communicator.size == 1:
        if error is not None:
            raise error
        return
    communicator.raise_alike(error)
    for accumulator in accumulators:
        for total in accumulator.sums:
            total[...] = communicator.sum(total)


def _one_a_decade(lags: list[Lag]) -> list[Lag]:
    """Return the lags nearest to whole powers of ten."""
    times = np.array([lag.time for lag in lags])
    first, last = np.log10(times[[0, -1]])
    powers = 10.0 ** np.arange(np.ceil(first - 1e-9), np.floor(last + 1e-9) + 1)
    chosen = np.unique([np.abs(np.log(times / power)).argmin() for power in powers])
    return [lags[index] for index in chosen.astype(int)] or lags[:1]
