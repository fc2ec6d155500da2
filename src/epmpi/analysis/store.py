"""Write the numbers of an analysis to HDF5, each with its error, definition and unit."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

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
from epmpi.analysis.curve import Curve, FittedLaw
from epmpi.analysis.relaxation import CollapseFit
from epmpi.analysis.results import UNITS, Analysis
from epmpi.analysis.tracer_results import TracerResults
from epmpi.trust import readable

LENGTH, TIME = "lattice spacing", "tau"


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
                _write_curve(curves.create_group(curve.name), curve)
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
        for key, value in asdict(estimate).items():
            _put(inner, key, value, UNITS[name] if key in ("value", "error") else "1")
        inner["correlation_time"].attrs["unit"] = "samples of the series"
        found = analysis.drifts[name]
        _put(inner, "drift", found.value, UNITS[name])
        _put(inner, "drift_error", found.error, UNITS[name])
        _put(inner, "drift_probability", found.probability, "1")
        inner["drift"].attrs["definition"] = stationarity.DEFINITION


def _write_diffusion(group: h5py.Group, tracers: TracerResults) -> None:
    diffusion, exponent = tracers.diffusion, tracers.exponent
    group.attrs["definition"] = displacement.DEFINITION
    _put(group, "lag", diffusion.lag, TIME)
    _put(group, "mean_square_displacement", diffusion.square, f"{LENGTH}^2")
    _put(group, "mean_square_displacement_error", diffusion.square_error, f"{LENGTH}^2")
    _put(group, "coefficient", diffusion.coefficient, f"{LENGTH}^2/{TIME}")
    _put(group, "coefficient_error", diffusion.coefficient_error, f"{LENGTH}^2/{TIME}")
    _put(group, "local_exponent", exponent.value, "1")
    _put(group, "local_exponent_error", exponent.error, "1")
    for name in ("origins", "blocks", "resolved"):
        _put(group, name, getattr(diffusion, name), "1")
    group["resolved"].attrs["definition"] = "whether the origins are enough for the error"
    windows = group.create_group("regimes")
    windows.attrs["definition"] = regimes.DEFINITION
    for window in tracers.windows:
        _put(windows, window.name, [window.start, window.stop], TIME)


def _write_structure_factor(group: h5py.Group, tracers: TracerResults) -> None:
    factor = tracers.structure_factor
    group.attrs["definition"] = structure_factor.DEFINITION
    group.attrs["floor"] = factor.floor
    group.attrs["tracers"] = factor.tracers
    _put(group, "q", factor.q, f"1/{LENGTH}")
    _put(group, "lag", factor.lag, TIME)
    _put(group, "value", factor.value, "1")
    _put(group, "value_error", factor.error, "1")
    for name in ("origins", "blocks", "resolved"):
        _put(group, name, getattr(factor, name), "1")
    vectors = group.create_group("wavevectors")
    vectors.attrs["definition"] = "all wavevectors of each modulus in q, one of each pair +q, -q"
    for number, shell in enumerate(factor.shells):
        _put(vectors, f"{number}", shell.wavevectors, f"1/{LENGTH}")
    times = group.create_group("relaxation_time")
    times.attrs["definition"] = relaxation.TIME_DEFINITION
    _put(times, "q", tracers.relaxation.q, f"1/{LENGTH}")
    _put(times, "value", tracers.relaxation.value, TIME)
    _put(times, "value_error", tracers.relaxation.error, TIME)
    fits = group.create_group("fits")
    fits.attrs["definition"] = relaxation.FIT_DEFINITION
    for fit in tracers.fits:
        _write_fit(fits.create_group(fit.window.name), fit)
    collapses = group.create_group("collapses")
    collapses.attrs["definition"] = collapse.DEFINITION
    for found in tracers.collapses:
        inner = collapses.create_group(found.window.name)
        _put(inner, "window", [found.window.start, found.window.stop], TIME)
        for name in ("n", "misfit", "overlaps"):
            _put(inner, name, getattr(found, name), "1")
        _put(inner, "n_error", found.error, "1")
    for kind, several in (
        ("fits_at_collapse", tracers.collapsed_fits),
        ("fits_of_theory", tracers.theory_fits),
    ):
        outer = group.create_group(kind)
        outer.attrs["definition"] = f"{relaxation.FIT_DEFINITION}; exponents without error are held"
        for fit in several:
            _write_fit(outer.create_group(fit.window.name), fit)


def _write_fit(group: h5py.Group, fit: CollapseFit) -> None:
    _put(group, "window", [fit.window.start, fit.window.stop], TIME)
    _put(group, "q_range", fit.q_range, f"1/{LENGTH}")
    for name in ("alpha", "n", "gamma"):
        _put(group, name, getattr(fit, name), "1")
        _put(group, f"{name}_error", getattr(fit, f"{name}_error"), "1")
    for name in ("value_range", "points", "deviation"):
        _put(group, name, getattr(fit, name), "1")
    group["alpha"].attrs["definition"] = "with q in 1/lattice spacing and t in tau"


def _write_comparisons(group: h5py.Group, tracers: TracerResults) -> None:
    group.attrs["definition"] = "pairs that theory says are equal; deviation in combined errors"
    for row in tracers.comparisons:
        inner = group.create_group(row.name)
        inner.attrs["left"], inner.attrs["right"] = row.left, row.right
        for name in ("left_value", "left_error", "right_value", "right_error", "deviation"):
            _put(inner, name, getattr(row, name), "1")


def _write_curve(group: h5py.Group, curve: Curve) -> None:
    group.attrs["definition"] = curve.definition
    _put(group, curve.argument, curve.x, curve.x_unit)
    _put(group, "value", curve.value, curve.unit)
    _put(group, "value_error", curve.error, curve.unit)
    for name, number in curve.parameters.items():
        group.attrs[name] = number


def _write_law(group: h5py.Group, law: FittedLaw) -> None:
    inner = group.create_group("fit")
    inner.attrs["law"] = law.law
    _put(inner, "range", law.span, str(group["value"].attrs["unit"]))
    for index, name in enumerate(law.names):
        _put(inner, name, law.value[index], "1")
        _put(inner, f"{name}_error", law.error[index], "1")


def _put(group: h5py.Group, name: str, value: ArrayLike, unit: str) -> None:
    group.create_dataset(name, data=np.asarray(value)).attrs["unit"] = unit
