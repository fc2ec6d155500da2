"""Expected activity of a run."""

from __future__ import annotations

import math

from epmpi.config import Configuration, ModelSettings, PropagatorSettings

ACTIVITY, BARRIER = 1.8, 0.479  # of a = A exp(-E/T), the default model: docs/validation.md


def expected_activity(configuration: Configuration) -> float | None:
    """Return the expected fraction of active sites, or None where it is unknown.

    Of the random model as given; of the thermal one by the Arrhenius law of the default model, in
    units of its own stress and rates.
    """
    model, default = configuration.model, ModelSettings()
    elastic = configuration.propagator == PropagatorSettings()
    if model.activity is not None:
        return model.activity
    same = (
        "activation", "barrier", "direction", "events", "shear_modulus", "event_strain",
        "yield_stress", "strain_rate",
    )  # fmt: skip
    unlike = any(getattr(model, name) != getattr(default, name) for name in same)
    if unlike or not elastic or model.restructuring_time != model.relaxation_time:
        return None
    rate = model.attempt_rate * model.restructuring_time
    return min(rate * ACTIVITY * math.exp(-BARRIER / model.temperature), 0.5)
