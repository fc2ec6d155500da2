"""Read a run with h5py, xarray and MDAnalysis: series, fields, tracer trajectories.

Physics: mean activity after the warm-up; stress variance of the last field; mean square
displacement over the whole run.  Nothing of epmpi is imported: the file is HDF5, laid out as H5MD.

Run time: about 2 s for the results of the quick start.
    mpiexec -n 2 epmpi run examples/quickstart.toml
    epmpi export runs/quickstart
    python examples/08_reading_results.py runs/quickstart
"""

import sys
from pathlib import Path

import h5py
import MDAnalysis
import numpy as np
import xarray


def with_h5py(path: Path) -> None:
    """Print the mean activity; each quantity is a group with step, time and value."""
    with h5py.File(path) as file:
        activity = file["observables/activity/value"][()]
        time = file["observables/activity/time"][()]  # since the end of the warm-up, in tau
        temperature = file["parameters/model"].attrs["temperature"]
        configuration = file["parameters"].attrs["configuration"]  # TOML: repeats the run
    print(f"T = {temperature}: activity {activity.mean():.4f} over {time[-1]:g} tau")
    print(f"the configuration has {len(configuration.splitlines())} lines")


def with_xarray(path: Path) -> None:
    """Print the variance of the last stress; series and fields have named dimensions, units."""
    with xarray.open_dataset(path, group="fields/stress", engine="h5netcdf") as stress:
        last = stress.value.isel(time=-1)
        print(f"{dict(stress.sizes)}, stress in units of the {stress.value.attrs['units']}")
        print(f"variance of the stress at t = {float(last.time):g}: {float(last.var()):.4f}")


def with_mdanalysis(view: Path) -> None:
    """Print <dr^2> of the trajectory: unwrapped positions, z = 0, times from `ts.time`.

    From the view that `epmpi export` makes: MDAnalysis expects all series of a file at the times of
    the trajectory.
    """
    with h5py.File(view) as file:
        number = file["particles/tracers/position/value"].shape[1]
    universe = MDAnalysis.Universe.empty(number, trajectory=True)
    universe.load_new(str(view), format="H5MD", convert_units=False)
    universe.trajectory[0]
    start = universe.atoms.positions.copy()
    frame = universe.trajectory[-1]
    square = np.sum((universe.atoms.positions - start) ** 2, axis=1).mean()
    print(f"{number} tracers: <dr^2> = {square:.4g} at t = {frame.time:g}")


if __name__ == "__main__":
    run = Path(sys.argv[1])
    with_h5py(run / "run.h5")
    with_xarray(run / "run.h5")
    with_mdanalysis(run / "export" / "tracers.h5md")
