"""Figures of one run, each a function that draws one PNG."""

from epmpi.analysis.figures.avalanches import draw_avalanches, is_of_avalanches
from epmpi.analysis.figures.diffusion import draw_diffusion
from epmpi.analysis.figures.flow import draw_flow, is_sheared
from epmpi.analysis.figures.scattering import draw_structure_factor
from epmpi.analysis.figures.series import draw_series
from epmpi.analysis.figures.statistics import draw_statistics
from epmpi.analysis.figures.stress_map import draw_stress_map
from epmpi.analysis.figures.trajectories import draw_trajectories

__all__ = [
    "draw_avalanches",
    "draw_diffusion",
    "draw_flow",
    "draw_series",
    "draw_statistics",
    "draw_stress_map",
    "draw_structure_factor",
    "draw_trajectories",
    "is_of_avalanches",
    "is_sheared",
]
