"""One sentence on each row of the validation page that differs from the paper."""

from __future__ import annotations

import math

AGREES = 3.0  # errors within which two values count as equal

REMARKS = {
    "energy": "The fit of the paper is over other temperatures, without an error.",
    "prefactor": "The literal Eq. (2); see the table of readings for those that come nearer.",
    "n_I": "The window decides: n is 1 at the shortest lags and grows as events end.",
    "gamma_I": "The window decides: gamma is 2 at the shortest lags and falls as events end.",
    "alpha_b": (
        "alpha_b goes with the velocity variance, that is with the activity and with ln L, and the "
        "printed law has another activity at this T."
    ),
    "alpha_b_c": "Larger q see displacements that are not Gaussian.",
    "n_II": "The window decides: n falls to 2 as regime III comes near.",
    "gamma_II": "The window decides, with n held at the printed value.",
    "alpha_s": "alpha_s goes with the activity at this T; n is held at the printed value.",
    "n_III": "The diffusive window is short at this size of run.",
    "gamma_III": "The diffusive window is short at this size of run.",
    "alpha_D": "alpha_D = 2 D goes with the activity, of which the printed law has another.",
    "alpha_D_c": "Larger q see displacements that are not Gaussian.",
    "small_u": "The range of the power law is short.",
    "large_u": "The largest displacements are cut off by the lattice spacing.",
    "psi": "A fit with the cutoff; the paper's line is a guide to the eye.",
    "slope": "The measured local slope, not a guide to the eye.",
    "walk": (
        "The walk counts jumps without direction, the tracers' jumps are anticorrelated: the "
        "measured exponent may be lower."
    ),
    "negative": "The paper shows a negative part and prints no number.",
    "beta": "The paper shows a stretched exponential and prints no number.",
    "tau_sigma": "One number at all T is the collapse on a t.",
}


def remark(key: str, deviation: float) -> str:
    """Return the sentence on a row, or 'agrees' where it is within three errors of the paper."""
    if math.isfinite(deviation) and abs(deviation) <= AGREES:
        return "agrees"
    return REMARKS[key]
