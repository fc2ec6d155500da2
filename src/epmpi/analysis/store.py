"""Write the numbers of an analysis to HDF5, each with its error, definition and unit."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

from epmpi.analysis import (
    blocks,
    collapse,
    displacement,
    regimes,
    relaxation,
    stationarity,
    structure_factor,
)
from epmpi.analysis.activity import definitions
from epmpi.analysis.curve import Curve, FittedLaw, with_errors
from epmpi.analysis.results import UNITS, Analysis
from epmpi.analysis.tracer_results import TracerResults
from epmpi.trust import readable

LENGTH, TIME = "lattice spacing", "tau"
HELD = f"{relaxation.FIT_DEFINITION}; exponents without error are held"
FITTED = (
    *("alpha", "alpha_error", "n", "n_error", "gamma", "gamma_error"),
    *("value_range", "points", "deviation"),
)


def write_analysis(path: Path, analysis: Analysis) -> None:
    """Write analysis.h5, whole or not at all.

    Every dataset has a `unit`, every group that needs one a `definition`; `*_error` is half of a
    68.3 % interval, by the method in the root attribute `error_method`.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with h5py.File(partial, "w", locking=False) as file:
            file.attrs["creator"] = "epmpi analyse"
            file.attrs["created"] = datetime.now(UTC).isoformat(timespec="seconds")
            file.attrs["replicas"] = analysis.replicas
            file.attrs["error_method"] = blocks.METHOD
            if analysis.replicas > 1:
                file.attrs["error_method"] = blocks.REPLICA_METHOD.format(
                    replicas=analysis.replicas
                )
            file.attrs["complete"] = analysis.shortfall is None
            if analysis.shortfall is not None:
                file.attrs["stopped"] = analysis.shortfall.brief
            file.attrs["remarks"] = "; ".join(analysis.remarks)
            file.attrs["missing"] = "; ".join(analysis.missing)
            _write_source(file.create_group("source"), analysis)
            _write_averages(file.create_group("averages"), analysis)
            if analysis.tracers is not None:
                _write_diffusion(file.create_group("diffusion"), analysis.tracers)
                _write_structure_factor(file.create_group("structure_factor"), analysis.tracers)
                _write_comparisons(file.create_group("consistency"), analysis.tracers)
            curves = file.create_group("curves")
            for curve in analysis.curves.values():
                _write_curve(curves, curve)
            for name, law in analysis.laws.items():
                _write_law(curves[name], law)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _write_source(group: h5py.Group, analysis: Analysis) -> None:
    """Record the run file that the numbers come from, and its provenance."""
    status = analysis.run.stat()
    group.attrs["run"] = analysis.name
    group.attrs["file"] = readable(analysis.run.name)
    group.attrs["bytes"] = status.st_size
    group.attrs["modified"] = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
    parameters = group.create_group("parameters")
    for key, value in analysis.provenance.items():
        parameters.attrs[key] = value


def _write_averages(group: h5py.Group, analysis: Analysis) -> None:
    group.attrs["definition"] = "averages over the time after the warm-up"
    ambiguous = definitions(analysis.averages)
    for name, estimate in analysis.averages.items():
        inner = group.create_group(name)
        if name in ambiguous:
            inner.attrs["definition"] = ambiguous[name]
        drift = analysis.drifts[name]
        _put(inner, UNITS[name], drift=drift.value, drift_error=drift.error)
        _put(inner, UNITS[name], **_named(estimate, "value", "error"))
        _put(inner, "1", drift_probability=drift.probability)
        _put(inner, "1", **_named(estimate, "blocks", "samples", "resolved"))
        _put(inner, "samples of the series", correlation_time=estimate.correlation_time)
        inner["drift"].attrs["definition"] = stationarity.DEFINITION


def _write_diffusion(group: h5py.Group, tracers: TracerResults) -> None:
    diffusion, exponent = tracers.diffusion, tracers.exponent
    group.attrs["definition"] = displacement.DEFINITION
    _put(group, TIME, lag=diffusion.lag)
    _put(
        group, f"{LENGTH}^2",
        mean_square_displacement=diffusion.square,
        mean_square_displacement_error=diffusion.square_error,
    )  # fmt: skip
    _put(group, f"{LENGTH}^2/{TIME}", **_named(diffusion, "coefficient", "coefficient_error"))
    _put(group, "1", local_exponent=exponent.value, local_exponent_error=exponent.error)
    _put(group, "1", **_named(diffusion, "origins", "blocks", "resolved"))
    group["resolved"].attrs["definition"] = "whether the origins are enough for the error"
    windows = _defined(group, "regimes", regimes.DEFINITION)
    _put(windows, TIME, **{one.name: [one.start, one.stop] for one in tracers.windows})


def _write_structure_factor(group: h5py.Group, tracers: TracerResults) -> None:
    factor = tracers.structure_factor
    group.attrs["definition"] = structure_factor.DEFINITION
    group.attrs["floor"] = factor.floor
    group.attrs["tracers"] = factor.tracers
    _put(group, f"1/{LENGTH}", q=factor.q)
    _put(group, TIME, lag=factor.lag)
    _put(group, "1", value_error=factor.error)
    _put(group, "1", **_named(factor, "value", "origins", "blocks", "resolved"))
    vectors = _defined(
        group, "wavevectors", "all wavevectors of each modulus in q, one of each pair +q, -q"
    )
    shells = enumerate(factor.shells)
    _put(vectors, f"1/{LENGTH}", **{f"{number}": shell.wavevectors for number, shell in shells})
    _write_curve(group, tracers.relaxation)
    for name, definition, fits in (
        ("fits", relaxation.FIT_DEFINITION, tracers.fits),
        ("fits_at_collapse", HELD, tracers.collapsed_fits),
        ("fits_of_theory", HELD, tracers.theory_fits),
    ):
        outer = _defined(group, name, definition)
        for fit in fits:
            inner = _of_window(outer, fit.window)
            _put(inner, f"1/{LENGTH}", q_range=fit.q_range)
            _put(inner, "1", **_named(fit, *FITTED))
            inner["alpha"].attrs["definition"] = "with q in 1/lattice spacing and t in tau"
    collapses = _defined(group, "collapses", collapse.DEFINITION)
    for found in tracers.collapses:
        inner = _of_window(collapses, found.window)
        _put(inner, "1", n_error=found.error, **_named(found, "n", "misfit", "overlaps"))


def _write_comparisons(group: h5py.Group, tracers: TracerResults) -> None:
    group.attrs["definition"] = "pairs that theory says are equal; deviation in combined errors"
    for row in tracers.comparisons:
        inner = group.create_group(row.name)
        inner.attrs["left"], inner.attrs["right"] = row.left, row.right
        _put(
            inner, "1",
            **_named(row, "left_value", "left_error", "right_value", "right_error", "deviation"),
        )  # fmt: skip


def _write_curve(outer: h5py.Group, curve: Curve) -> None:
    group = _defined(outer, curve.name, curve.definition)
    _put(group, curve.x_unit, **{curve.argument: curve.x})
    _put(group, curve.unit, value=curve.value, value_error=curve.error)
    for name, number in curve.parameters.items():
        group.attrs[name] = number


def _write_law(group: h5py.Group, law: FittedLaw) -> None:
    inner = group.create_group("fit")
    inner.attrs["law"] = law.law
    _put(inner, str(group["value"].attrs["unit"]), range=law.span)
    _put(inner, "1", **with_errors(law.names, law.value, law.error))


def _defined(outer: h5py.Group, name: str, definition: str) -> h5py.Group:
    group = outer.create_group(name)
    group.attrs["definition"] = definition
    return group


def _of_window(outer: h5py.Group, window: regimes.Window) -> h5py.Group:
    group = outer.create_group(window.name)
    _put(group, TIME, window=[window.start, window.stop])
    return group


def _put(group: h5py.Group, unit: str, **values: ArrayLike) -> None:
    for name, value in values.items():
        group.create_dataset(name, data=np.asarray(value)).attrs["unit"] = unit


def _named(record: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}
