"""Values that the paper prints or shows, remarks on those that differ, and captions of figures."""

from __future__ import annotations

from typing import NamedTuple

NONE = float("nan")  # where the paper prints no value
TOGETHER = (
    "Tracers move together, so that their sum fluctuates: the mean of its square is above the "
    "square of its mean where S is small."
)


class Printed(NamedTuple):
    """A value of the paper: its row on the validation page.

    Attributes
    ----------
    figure, quantity : str
    value : float
        nan where the paper prints none.
    remark : str
        On the reason why a measured value differs.
    """

    figure: str
    quantity: str
    value: float
    remark: str


PRINTED = {key: Printed(*entry) for key, entry in {
    "energy": ("text", "E of a ~ exp(-E/T)", 0.48,
        "The paper does not say which temperatures it fitted, prints no error, and rounds to "
        "0.01."),
    "prefactor": ("text", "prefactor of a", 3.1,
        "The literal Eq. (2); see the table of readings for those that come nearer."),
    "curvature": ("text", "c of a ~ exp(-E/T + c/T^2)", 0.0,
        "An Arrhenius law has none: E changes with the temperatures of the fit."),
    "lowest_thermal": ("2a", "lowest exponent of the MSD, thermal", NONE,
        "Below 1 is regime II; the paper prints no number."),
    "lowest_random": ("2a", "lowest exponent of the MSD, random", 1.0,
        "The exact law never goes below 1; a minimum over many lags leans low."),
    "end_II": ("2a", "end of regime II, a t", NONE,
        "The paper: longer as T falls; one number at all T would be a collapse on a t."),
    "end_II_open": ("2a", "end of regime II, a t, more than", NONE,
        "A lower bound: until then D(t) surely falls; it is not seen constant. The paper: longer "
        "as T falls."),
    "D_III_thermal": ("2a", "D of regime III, thermal", NONE, "The paper prints no number."),
    "D_III_random": ("2a", "D of regime III, random", NONE, "The paper prints no number."),
    "n_I": ("2b", "n, regime I", 1.125,
        "The window decides: n is 1 at the shortest lags and grows as events end."),
    "gamma_I": ("2b", "gamma, regime I", 1.8, "The window decides: gamma falls as events end."),
    "alpha_b": ("2b", "alpha_b", 0.07,
        "alpha_b is <v^2>/2, which grows as the activity and as ln L; the printed law has twice "
        "the activity at this T. That explains a part."),
    "gamma_1": ("2b", "gamma, regime I, n = 1", 2.0,
        "The paper says about 2; events end within the window, which bends it."),
    "alpha_b_c": ("2b", "alpha_b against <v^2>/2", NONE, TOGETHER),
    "n_II": ("2c", "n, regime II", 2.3,
        "The window decides: n is largest amid regime II and falls to 2 towards III."),
    "gamma_II": ("2c", "gamma, regime II", 0.86,
        "The window decides, with n held at the printed value."),
    "alpha_s": ("2c", "alpha_s", 0.0015,
        "alpha_s grows as the activity to the gamma; the printed law has 1.7 times the activity "
        "at this T. That explains a part."),
    "n_III": ("2d", "n, regime III", 2.0, "The diffusive window is short."),
    "gamma_III": ("2d", "gamma, regime III", 1.0, TOGETHER),
    "alpha_D": ("2d", "alpha_D", 0.1,
        "alpha_D = 2 D grows as the activity, twice as large in the printed law at this T, and "
        "as ln L."),
    "alpha_D_c": ("2d", "alpha_D against 2 D", NONE, TOGETHER),
    "small_u": ("3a", "exponent of P(u), small u", 1.0,
        "The range of the power law is short; it bends towards its maximum."),
    "large_u": ("3a", "exponent of P(u), large u", -3.0,
        "The largest displacements are cut off by the lattice spacing."),
    "psi_thermal": ("3b", "exponent of psi, thermal", -2 / 3,
        "Beyond the shoulder of repeated events (10 tau_res) the exponent grows as T falls and "
        "its range widens; the paper's line is a guide to the eye."),
    "psi_random": ("3b", "exponent of psi, random", 0.0, "An exponential has none."),
    "mean_wait": ("3b", "a times the mean wait", NONE,
        "Waits longer than the run are not seen: the mean comes out too short."),
    "slope": ("3c", "slope of N(s)", -5 / 3,
        "psi ~ tau^-2/3 up to its cutoff gives -4/3, hence the paper's t^(1/3); its -5/3 goes "
        "with t^(2/3). The local slope changes with T and s."),
    "walk": ("3c", "lowest exponent of the MSD, against that of N(t)", NONE,
        "The walk starts at an event and moves with events of its own site only; tracers move "
        "with distant ones too, which brings their exponent nearer to 1. The paper has it below "
        "the walk's."),
    "negative": ("3c", "most significant negative C_u", NONE,
        "The paper shows a negative part and prints no number."),
    "beta": ("3d", "beta of C_sigma", NONE,
        "The paper shows a stretched exponential, beta < 1, and prints no number."),
    "tau_sigma": ("3d", "a t where C_sigma = 1/e", NONE,
        "One number at all T would be a perfect collapse on a t."),
}.items()}  # fmt: skip

CAPTIONS = {
    "fig1": (
        "Figure 1. Left: stress change (colour) and displacement (arrows, rescaled) of three "
        "simultaneous events. Right: trajectories of neighbouring tracers in the steady state."
    ),
    "fig2a": (
        "Figure 2a. D(t); colour: thermal, grey: random at the same measured activity. The dotted "
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
