"""Results from one pass over a trajectory: D(t), S(q,t), distributions and correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from epmpi.analysis import autocorrelation, distribution
from epmpi.analysis.autocorrelation import Autocorrelation, unit_displacements
from epmpi.analysis.collapse import Collapse, best_collapse, local_q_exponent
from epmpi.analysis.consistency import Comparison, compare
from epmpi.analysis.curve import Curve
from epmpi.analysis.displacement import Diffusion, SquaredDisplacement
from epmpi.analysis.distribution import DisplacementDistribution
from epmpi.analysis.heterogeneity import DisplacementShape
from epmpi.analysis.lags import Lag, sliding_lags
from epmpi.analysis.pooling import Strips, summed
from epmpi.analysis.regimes import Window, find_regimes, local_exponent
from epmpi.analysis.relaxation import CollapseFit, fit_window, relaxation_times
from epmpi.analysis.run_file import POSITION, RunFile
from epmpi.analysis.strips import tracer_strip_count, tracer_strips
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
    curves : list of Curve
        P(u), van Hove functions, C_u(t), alpha_2(t), overlap, chi_4(t), n(q).
    """

    diffusion: Diffusion
    exponent: Curve
    windows: list[Window]
    structure_factor: StructureFactor
    fits: list[CollapseFit]
    relaxation: Curve
    collapses: list[Collapse]
    collapsed_fits: list[CollapseFit]
    theory_fits: list[CollapseFit]
    comparisons: list[Comparison]
    curves: list[Curve]


def measure_tracers(
    runs: Sequence[RunFile], console: Console | None, communicator: Communicator
) -> TracerResults | None:
    """Measure everything that the trajectories of replicas allow; None with too few frames.

    Collective; a terminal shows a progress bar.
    """
    clock = runs[0].clock(POSITION)
    lags, few = sliding_lags(clock), sliding_lags(clock, MOST_ORIGINS)
    if not lags:
        return None
    shells, decades = choose_shells(runs[0].shape), _one_a_decade(few)
    unit = unit_displacements(clock, UNIT)

    def accumulators() -> list[Any]:
        found = [SquaredDisplacement(lags), CosineSums(few, shells), DisplacementShape(few)]
        found += [DisplacementDistribution(lag) for lag in decades]
        if unit is not None:
            origins, pairs = unit
            steps = sliding_lags(origins, MOST_ORIGINS)
            found += [DisplacementDistribution(pairs), Autocorrelation(pairs.count, steps, pairs)]
        return found

    squares, cosines, shape, *rest = summed(
        runs, accumulators, lambda run: _strips(run, console, communicator), communicator
    )
    curves: list[Curve] = []
    if unit is not None:
        *rest, lengths, correlation = rest
        curves = [
            lengths.result("unit_displacement", distribution.UNIT),
            correlation.result(
                "displacement_correlation", autocorrelation.DISPLACEMENT, subtract_mean=False
            ),
        ]
    curves += shape.result()
    curves += [
        one.result(f"van_hove_{number}", distribution.VAN_HOVE, radial=True)
        for number, one in enumerate(rest)
    ]
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
        curves=[*curves, local_q_exponent(relaxation)],
    )


def _strips(run: RunFile, console: Console | None, communicator: Communicator) -> Strips:
    """Return the strips of this rank's tracers, with a progress bar on a terminal."""
    share = communicator.rank, communicator.size
    return track(
        tracer_strips(run, *share),
        description=f"{run.name}: trajectory",
        total=tracer_strip_count(run, *share),
        console=console,
        transient=True,
        disable=console is None or not console.is_terminal,
    )


def _one_a_decade(lags: list[Lag]) -> list[Lag]:
    """Return the lags nearest to whole powers of ten."""
    times = np.array([lag.time for lag in lags])
    first, last = np.log10(times[[0, -1]])
    powers = 10.0 ** np.arange(np.ceil(first - 1e-9), np.floor(last + 1e-9) + 1)
    chosen = np.unique([np.abs(np.log(times / power)).argmin() for power in powers])
    return [lags[index] for index in chosen.astype(int)] or lags[:1]
