"""Texts of the validation page: remarks on rows that differ from the paper, and captions."""

from __future__ import annotations

import math

AGREES = 3.0  # errors within which two values count as equal

TOGETHER = (
    "Tracers move together, so that their sum fluctuates: the mean of its square is above the "
    "square of its mean where S is small."
)
REMARKS = {
    "energy": (
        "The paper does not say which temperatures it fitted, prints no error, and rounds to 0.01."
    ),
    "prefactor": "The literal Eq. (2); see the table of readings for those that come nearer.",
    "curvature": "An Arrhenius law has none: E changes with the temperatures of the fit.",
    "n_I": "The window decides: n is 1 at the shortest lags and grows as events end.",
    "gamma_1": "The paper says about 2; events end within the window, which bends it.",
    "gamma_I": "The window decides: gamma falls as events end.",
    "alpha_b": (
        "alpha_b is <v^2>/2, which grows as the activity and as ln L; the printed law has twice "
        "the activity at this T. That explains a part."
    ),
    "alpha_b_c": TOGETHER,
    "n_II": "The window decides: n is largest amid regime II and falls to 2 towards III.",
    "gamma_II": "The window decides, with n held at the printed value.",
    "alpha_s": (
        "alpha_s grows as the activity to the gamma; the printed law has 1.7 times the activity at "
        "this T. That explains a part."
    ),
    "n_III": "The diffusive window is short.",
    "gamma_III": TOGETHER,
    "alpha_D": (
        "alpha_D = 2 D grows as the activity, twice as large in the printed law at this T, and as "
        "ln L."
    ),
    "alpha_D_c": TOGETHER,
    "small_u": "The range of the power law is short; it bends towards its maximum.",
    "large_u": "The largest displacements are cut off by the lattice spacing.",
    "lowest_thermal": "Below 1 is regime II; the paper prints no number.",
    "lowest_random": "The exact law never goes below 1; a minimum over many lags leans low.",
    "end_II": "The paper: longer as T falls; one number at all T would be a collapse on a t.",
    "end_II_open": (
        "A lower bound: until then D(t) surely falls; it is not seen constant. The paper: longer "
        "as T falls."
    ),
    "D_III": "The paper prints no number.",
    "psi_thermal": (
        "Beyond the shoulder of repeated events (10 tau_res) the exponent grows as T falls and its "
        "range widens; the paper's line is a guide to the eye."
    ),
    "psi_random": "An exponential has none.",
    "mean_wait": "Waits longer than the run are not seen: the mean comes out too short.",
    "slope": (
        "psi ~ tau^-2/3 up to its cutoff gives -4/3, hence the paper's t^(1/3); its -5/3 goes with "
        "t^(2/3). The local slope changes with T and s."
    ),
    "walk": (
        "The walk starts at an event and moves with events of its own site only; tracers move with "
        "distant ones too, which brings their exponent nearer to 1. The paper has it below the "
        "walk's."
    ),
    "negative": "The paper shows a negative part and prints no number.",
    "beta": "The paper shows a stretched exponential, beta < 1, and prints no number.",
    "tau_sigma": "One number at all T would be a perfect collapse on a t.",
}

CAPTIONS = {
    "fig1": (
        "Figure 1. Left: stress change (colour) and displacement (arrows, rescaled) of three "
        "simultaneous events. Right: trajectories of neighbouring tracers in the steady state."
    ),
    "fig2a": (
        "Figure 2a. D(t); colour: thermal, grey: random at the same measured activity. The pointed "
        "lines are drawn where the coldest run leaves regime I and enters III; hotter runs enter "
        "III earlier."
    ),
    "fig2b": "Figure 2b. S(q,t) of regime I against q^1.125 t, with a fit; inset: all lags.",
    "fig2c": "Figure 2c. S(q,t) of regime II against q^2.3 t, with a fit; inset: all lags.",
    "fig2d": "Figure 2d. S(q,t) of regime III against q^2 t, with a fit; inset: all lags.",
    "fig3a": (
        "Figure 3a. P(u), scaled by the root of the activity; inset: raw. In a small and cold "
        "system there are times without an event, when tracers stand still: there P(u) is shifted "
        "to small u, which the scaling does not undo."
    ),
    "fig3b": (
        "Figure 3b. psi(tau_ev), scaled by the activity; inset: raw. The shoulder below ten tau "
        "is a site that yields again."
    ),
    "fig3c": "Figure 3c. C_u(t); inset: N(s) of the random walk with these waiting times.",
    "fig3d": (
        "Figure 3d. C_sigma against a t; inset: against t. Above T = 0.1 it decays while the first "
        "events last, faster than an exponential, and then with a slow tail: no stretched "
        "exponential is fitted there. The stress of the random model is not stationary: its curve "
        "depends on the length of the run."
    ),
    "activity": "Activity against 1/T, with the fit to the low temperatures and the printed law.",
}


def remark(key: str, deviation: float) -> str:
    """Return the remark on a row, or 'agrees' where it is within three errors of the paper."""
    if math.isfinite(deviation) and abs(deviation) <= AGREES:
        return "agrees"
    return REMARKS[key]
