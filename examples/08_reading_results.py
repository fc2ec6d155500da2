"""Read a run with h5py, xarray and MDAnalysis: series, fields, tracer trajectories.

Physics: mean activity after the warm-up; stress variance of the last field; mean square
displacement over the whole run; all three drawn in reading.png.  Nothing of epmpi is imported: the
file is HDF5, laid out as H5MD.

Run time: about 2 s for the results of the quick start.
    mpiexec -n 2 epmpi run examples/quickstart.toml
    epmpi export runs/quickstart
    python examples/08_reading_results.py runs/quickstart
"""

import sys
from pathlib import Path

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import MDAnalysis
import numpy as np
import xarray
from matplotlib.axes import Axes


def with_h5py(path: Path, axes: Axes) -> None:
    """Print the mean activity and draw it; each quantity is a group with step, time and value."""
    with h5py.File(path) as file:
        activity = file["observables/activity/value"][()]
        time = file["observables/activity/time"][()]  # since the end of the warm-up, in tau
        temperature = file["parameters/model"].attrs["temperature"]
        configuration = file["parameters"].attrs["configuration"]  # TOML: repeats the run
    print(f"T = {temperature}: activity {activity.mean():.4f} over {time[-1]:g} tau")
    print(f"the configuration has {len(configuration.splitlines())} lines")
    axes.plot(time, activity, linewidth=0.8)
    axes.set(title=f"h5py: activity, T = {temperature}", xlabel=r"$t\,/\,\tau$")


def with_xarray(path: Path, axes: Axes) -> None:
    """Print the variance of the last stress and draw it; dimensions have names and units."""
    with xarray.open_dataset(path, group="fields/stress", engine="h5netcdf") as stress:
        last = stress.value.isel(time=-1)
        print(f"{dict(stress.sizes)}, stress in units of the {stress.value.attrs['units']}")
        print(f"variance of the stress at t = {float(last.time):g}: {float(last.var()):.4f}")
        corner = last[:64, :64].T
        image = axes.imshow(corner, origin="lower", cmap="RdBu_r", vmin=-1, vmax=1)
        axes.figure.colorbar(image, ax=axes, label="stress / yield stress", shrink=0.8)
        axes.set(title=f"xarray: stress at t = {float(last.time):g}", xlabel="x", ylabel="y")


def with_mdanalysis(view: Path, axes: Axes) -> None:
    """Print and draw <dr^2> of the trajectory: unwrapped positions, z = 0, times from `ts.time`.

    From the view that `epmpi export` makes: MDAnalysis expects all series of a file at the times of
    the trajectory.
    """
    with h5py.File(view) as file:
        number = file["particles/tracers/position/value"].shape[1]
    universe = MDAnalysis.Universe.empty(number, trajectory=True)
    universe.load_new(str(view), format="H5MD", convert_units=False)
    positions = [(frame.time, universe.atoms.positions.copy()) for frame in universe.trajectory]
    (_, start), *later = positions
    square = [(time, np.sum((moved - start) ** 2, axis=1).mean()) for time, moved in later]
    print(f"{number} tracers: <dr^2> = {square[-1][1]:.4g} at t = {square[-1][0]:g}")
    axes.loglog(*np.transpose(square))
    axes.set(title=r"MDAnalysis: $\langle\Delta r^2\rangle$", xlabel=r"$t\,/\,\tau$")


if __name__ == "__main__":
    run = Path(sys.argv[1])
    figure, panels = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    with_h5py(run / "run.h5", panels[0])
    with_xarray(run / "run.h5", panels[1])
    with_mdanalysis(run / "export" / "tracers.h5md", panels[2])
    figure.savefig("reading.png", dpi=150)
    print("figure in reading.png")
