"""Small runs of the exact clock, of every kind that the model has."""

from epmpi.config import Configuration, from_mapping
from epmpi.model.model import Model

SHAPE = (17, 40)  # neither side a multiple of a tile
VARIANTS = {
    "stress": {},
    "either": {"model": {"direction": "either"}},
    "both": {"model": {"direction": "both"}, "propagator": {"symbol": "lattice"}},
    "sheared": {"model": {"strain_rate": 0.02}},
    "stress held": {"propagator": {"macroscopic": "stress"}},
    "saddle node": {"model": {"barrier": 1.5}},
    "random": {"model": {"activation": "random", "activity": 0.02}},
    "soft": {"model": {"shear_modulus": 0.3, "restructuring_time": 2.5}},
}
AT_ONCE = {"events": "instantaneous", "residual_scale": 0.5}
JUMPS = {
    "instantaneous": {"model": AT_ONCE},
    "instantaneous, saddle node, sheared": {
        "model": AT_ONCE | {"barrier": 1.5, "strain_rate": 0.02, "shear_modulus": 0.7}
    },
    "normal residual, normal thresholds": {
        "model": AT_ONCE
        | {
            "residual": "normal",
            "residual_scale": 0.2,
            "thresholds": "normal",
            "threshold_deviation": 0.3,
        },
        "propagator": {"macroscopic": "stress"},
    },
    "weibull thresholds": {
        "model": AT_ONCE
        | {"thresholds": "weibull", "threshold_deviation": 0.2, "barrier": 0.5, "temperature": 0.2},
        "propagator": {"symbol": "lattice", "prefactor": 1.5},
    },
    "random orientation": {
        "model": AT_ONCE | {"orientation": "random"},
        "propagator": {"macroscopic": "stress"},
        "tracers": {"number": 0},
        "output": {"trajectory_every": 0.0},
    },
    "random orientation, sheared": {
        "model": AT_ONCE | {"orientation": "random", "strain_rate": -0.01, "barrier": 1.5},
        "propagator": {"symbol": "lattice", "prefactor": 1.3},
        "tracers": {"number": 0},
        "output": {"trajectory_every": 0.0},
    },
    "extremal": {
        "model": AT_ONCE | {"activation": "extremal", "attempt_rate": 5.3},
        "propagator": {"macroscopic": "stress"},
    },
    "extremal, normal thresholds": {
        "model": AT_ONCE
        | {
            "activation": "extremal",
            "attempt_rate": 7.0,
            "thresholds": "normal",
            "threshold_deviation": 0.2,
        },
    },
}


def configuration(tick: float = 1.0, **changes) -> Configuration:
    sections = {
        "lattice": {"shape": SHAPE},
        "model": {"temperature": 0.08},
        "tracers": {"number": 30},
        "time": {"clock": "exact", "step": tick, "warmup": 0.0, "duration": 10000 * tick},
        "initial": {"state": "gaussian", "stress_deviation": 0.3},
    }
    for name, values in changes.items():
        sections[name] = sections.get(name, {}) | values
    if sections["model"].get("activation") == "random":
        del sections["model"]["temperature"]
    return from_mapping(sections)


def advanced(model: Model, time: float) -> Model:
    for _ in range(round(time / model.configuration.time.step)):
        model.step()
    return model
