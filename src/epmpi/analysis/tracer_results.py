"""Results from one pass over a trajectory: D(t), S(q,t), distributions and correlations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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
from epmpi.analysis.regimes import LocalExponent, Window, find_regimes, local_exponent
from epmpi.analysis.relaxation import CollapseFit, RelaxationTime, fit_window, relaxation_times
from epmpi.analysis.run_file import POSITION, Clock, RunFile
from epmpi.analysis.structure_factor import MOST_ORIGINS, CosineSums, StructureFactor
from epmpi.analysis.wavevectors import choose_shells
from epmpi.parallel import Communicator

UNIT = 1.0  # tau: time of the displacements u


@dataclass(frozen=True)
class TracerResults:
    """Results from the trajectory.

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

    @property
    def sums(self) -> list[NDArray]:
        """Arrays of sums."""
        ...

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add a strip, shape (frames, tracers, 2)."""
        ...


class TrajectorySums:
    """All sums over the trajectory of one run, and later of its replicas.

    Parameters
    ----------
    clock : Clock
    shape : (int, int)
        Of the lattice.
    """

    def __init__(self, clock: Clock, shape: tuple[int, int]) -> None:
        few = sliding_lags(clock, MOST_ORIGINS)
        self.squares = SquaredDisplacement(sliding_lags(clock))
        self.cosines = CosineSums(few, choose_shells(shape))
        self.shape = DisplacementShape(few)
        self.van_hove = [DisplacementDistribution(lag) for lag in _one_a_decade(few)]
        self.lengths: DisplacementDistribution | None = None
        self.correlation: Autocorrelation | None = None
        found = unit_displacements(clock, UNIT)
        if found is not None:
            origins, self._first, self._end = found
            self.lengths = DisplacementDistribution(
                Lag(UNIT, self._first, self._end, self._first.size)
            )
            lags = sliding_lags(origins, MOST_ORIGINS)
            self.correlation = Autocorrelation(origins.step.size, lags)

    def _strip_sums(self) -> list[Any]:
        """Return the accumulators that take whole strips, in order."""
        lengths = [] if self.lengths is None else [self.lengths]
        return [self.squares, self.cosines, self.shape, *lengths, *self.van_hove]

    def _all(self) -> list[Any]:
        return self._strip_sums() + ([] if self.correlation is None else [self.correlation])

    @property
    def sums(self) -> list[NDArray]:
        """All sums, in order."""
        return [total for one in self._all() for total in one.sums]

    def add(self, strip: NDArray[np.float64]) -> None:
        """Add a strip, shape (frames, tracers, 2)."""
        for one in self._strip_sums():
            one.add(strip)
        if self.correlation is not None:
            self.correlation.add(strip[self._end] - strip[self._first])

    def join(self, others: Sequence[TrajectorySums]) -> None:
        """Take over the sums of other replicas."""
        for one, *same in zip(self._all(), *(other._all() for other in others), strict=True):
            one.join(same)

    def hold(self, tracers: int) -> None:
        """Set the number of tracers of the whole run; this rank has added only a part of them."""
        self.squares.tracers = self.cosines.tracers = self.shape.tracers = tracers
        if self.correlation is not None:
            self.correlation.columns = tracers

    def unit_curves(self) -> list[Curve]:
        """Return P(u) and C_u(t), where frames are one unit apart."""
        if self.lengths is None or self.correlation is None:
            return []
        return [
            self.lengths.result("unit_displacement", distribution.UNIT),
            self.correlation.result(
                "displacement_correlation", autocorrelation.DISPLACEMENT, subtract_mean=False
            ),
        ]


def measure_tracers(
    runs: Sequence[RunFile],
    strips: Callable[[RunFile], Iterable[NDArray[np.float64]]],
    communicator: Communicator | None,
) -> TracerResults | None:
    """Measure everything that the trajectories of replicas allow.  Collective.

    Parameters
    ----------
    runs : sequence of RunFile
        One, or the replicas of an ensemble.
    strips : function
        Of a run: `strips.tracer_strips` of this rank's part.
    communicator : Communicator or None

    Returns
    -------
    TracerResults or None
        None where there are too few frames.
    """
    clock, number = runs[0].clock(POSITION), runs[0].tracers
    if not sliding_lags(clock):
        return None
    sums, *others = [TrajectorySums(clock, run.shape) for run in runs]
    for run, of_run in zip(runs, [sums, *others], strict=True):
        add_strips(strips(run), [of_run], communicator)
    if others:
        sums.join(others)
    sums.hold(number)

    diffusion, factor = sums.squares.result(), sums.cosines.result()
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
            *sums.unit_curves(),
            *sums.shape.result(),
            *(
                one.result(f"van_hove_{number}", distribution.VAN_HOVE, radial=True)
                for number, one in enumerate(sums.van_hove)
            ),
            local_q_exponent(relaxation),
        ],
    )


def add_strips(
    strips: Iterable[NDArray[np.float64]],
    accumulators: Sequence[Sums],
    communicator: Communicator | None,
) -> None:
    """Give each strip to all accumulators, then add their sums up over the ranks.  Collective.

    Parameters
    ----------
    strips : iterable of arrays, shape (frames, tracers, 2)
        Of this rank's tracers, in lattice spacings.
    accumulators : sequence of Sums
    communicator : Communicator or None

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
    communicator.raise_named(error)
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
