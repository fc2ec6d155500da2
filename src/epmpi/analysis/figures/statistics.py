"""All curves other than D(t), S(q,t) and those of avalanches, one panel each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from epmpi.analysis.curve import Curve
from epmpi.analysis.figures.panels import Panel, draw_panels

PANELS = (
    Panel("unit_displacement*", r"$u$", r"$P(u)$", y_log=True),
    Panel("displacement_correlation*", r"$t\;/\;\tau$", r"$C_u(t)$", levels=(0,)),
    Panel("van_hove*", r"$r$", r"$G_s(r,t)$", y_log=True),
    Panel("alpha_2*", r"$t\;/\;\tau$", r"$\alpha_2(t)$", levels=(0,)),
    Panel("overlap*", r"$t\;/\;\tau$", r"$Q(t)$", y_limits=(-0.03, 1.05)),
    Panel("chi_4*", r"$t\;/\;\tau$", r"$\chi_4(t)$"),
    Panel("local_q_exponent*", r"$q$", r"$n(q)$", levels=(1, 2), y_limits=(0.5, 3.5)),
    Panel(
        "stress_distribution*", r"$\sigma\;/\;\sigma_Y$", r"$P(\sigma)$", x_log=False, y_log=True,
    ),
    Panel("stress_correlation*", r"$t\;/\;\tau$", r"$C_\sigma(t)$", levels=(0,)),
    Panel("waiting_times*", r"$\tau_{ev}\;/\;\tau$", r"$\psi(\tau_{ev})$", y_log=True),
    Panel("persistence*", r"$t\;/\;\tau$", r"$F(t)$", y_limits=(-0.03, 1.05)),
    Panel(
        "renewal_slope*", r"$s\,\tau$", r"$\mathrm{d}\ln N/\mathrm{d}\ln s$", levels=(-2, -5 / 3),
    ),
    Panel(
        "event_persistence*", r"$t\;/\;\tau$", r"$\langle p(t) \rangle$", levels=(0.5,),
        y_limits=(-0.03, 1.05),
    ),
    Panel("event_chi_4*", r"$t\;/\;\tau$", r"$\chi_4(t)$ of the persistence"),
    Panel("event_s_4*", r"$q$", r"$S_4(q,t)$", y_log=True),
)  # fmt: skip


def draw_statistics(path: Path, curves: Mapping[str, Curve], title: str) -> None:
    """Draw a panel for each kind of curve."""
    draw_panels(path, PANELS, curves, title)
