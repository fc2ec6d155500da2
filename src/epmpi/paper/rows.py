"""A row of the validation page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epmpi.paper.measured import Measured

NONE = float("nan")  # printed value where the paper prints none


@dataclass(frozen=True)
class Row:
    """One value of the reproduction table.

    Attributes
    ----------
    figure, quantity : str
    printed : float
        nan where the paper prints none.
    value, error : float
    parameters : str
        Of the run and of the fit.
    key : str
        Name of the remark on why the values differ.
    window : float
        Error of the choice of the window, see `epmpi.paper.windows`.
    """

    figure: str
    quantity: str
    printed: float
    value: float
    error: float
    parameters: str
    key: str
    window: float = 0.0

    @property
    def deviation(self) -> float:
        """Difference in errors of the measurement, those of the window included."""
        whole = float(np.hypot(self.error, self.window))
        return (self.value - self.printed) / whole if whole > 0 else float("nan")


def name_of(run: Measured) -> str:
    """Name the parameters of a run."""
    model = (
        f"random, a = {run.activity.value:.3g}"
        if run.case.random
        else f"T = {run.case.temperature:g}"
    )
    return f"{model}, L = {run.case.size}"
