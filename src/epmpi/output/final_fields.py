"""The final state of another run, as the initial state of a new one."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from epmpi.config import ConfigError
from epmpi.output.checkpoint import NAME
from epmpi.output.restart import Damaged, plain_dataset, read_field
from epmpi.parallel import Communicator
from epmpi.physics.lattice import Slab
from epmpi.trust import check_file, followed, one_line, open_file, why_closed

FIELDS = ("stress", "active")
THRESHOLD = "threshold"  # of each site, where they are random

Found = tuple[NDArray, NDArray[np.int8], NDArray[np.float64] | None]


def read_final_fields(run: str | Path, slab: Slab, communicator: Communicator) -> Found:
    """Return stress, n s and thresholds of a slab from the last state of a run.  Collective.

    Parameters
    ----------
    run : path
        RUN directory (its checkpoint, or else the last field frame of its run.h5), or one of these
        files.
    slab : Slab
        Of the new run; the old one may have had another number of ranks.

    Returns
    -------
    stress : float array, shape (rows, Ly)
    active : int8 array, shape (rows, Ly)
    threshold : float64 array, shape (rows, Ly), or None
        None where the run has one for all sites.

    Raises
    ------
    ConfigError
        On all ranks, if the file cannot be read or does not fit.
    """
    path = Path(run)
    if path.is_dir():
        path = next((path / n for n in (NAME, "run.h5") if (path / n).exists()), path / "run.h5")
    path = followed(path)
    error = None
    fields: Found = (np.empty(0), np.empty(0, np.int8), None)
    try:
        fields = _read(path, slab)
    except ConfigError as found:
        error = found
    except OSError as found:
        error = ConfigError(f"initial.state = '{run}' cannot be read: {why_closed(path, found)}")
    except (RuntimeError, KeyError, ValueError, TypeError, Damaged) as found:
        error = ConfigError(f"initial.state = '{run}' cannot be read: {one_line(found)}")
    communicator.raise_named(error)
    return fields


def _read(path: Path, slab: Slab) -> Found:
    with open_file(path) as file:
        if "header" in file:
            return _read_checkpoint(file, path, slab)
        check_file(file)
        stress, active = (_last_frame(file, path, slab, name) for name in FIELDS)
        threshold = None
        if f"fields/{THRESHOLD}" in file:
            threshold = _last_frame(file, path, slab, THRESHOLD).astype(np.float64)
    return stress, active.astype(np.int8), threshold


def _last_frame(file: h5py.File, path: Path, slab: Slab, name: str) -> NDArray:
    values = file.get(f"fields/{name}/value")
    if not isinstance(values, h5py.Dataset) or values.ndim != 3 or not len(values):
        raise ConfigError(
            f"initial.state: {path} has no frames of fields/{name}: "
            "expected a run with output.fields_every > 0"
        )
    if values.shape[1:] != slab.lattice.shape:
        raise ConfigError(
            f"initial.state: {path} has a lattice of {values.shape[1:]}, "
            f"expected {slab.lattice.shape}"
        )
    return np.asarray(values[-1, slab.start : slab.stop])


def _read_checkpoint(file: h5py.File, path: Path, slab: Slab) -> Found:
    stress = plain_dataset(file, "fields/stress")
    if stress.dtype.kind != "f" or stress.shape != slab.lattice.shape:
        raise ConfigError(
            f"initial.state: {path} has a lattice of {stress.shape}, expected {slab.lattice.shape}"
        )
    threshold = None
    if f"fields/{THRESHOLD}" in file:
        threshold = read_field(file, THRESHOLD, np.empty(0), slab)
    active = read_field(file, "active", np.empty(0, np.int8), slab)
    return read_field(file, "stress", np.empty(0, stress.dtype), slab), active, threshold
