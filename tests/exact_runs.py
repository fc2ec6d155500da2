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
    if "activation" in sections["model"]:
        del sections["model"]["temperature"]
    return from_mapping(sections)


def advanced(model: Model, time: float) -> Model:
    for _ in range(round(time / model.configuration.time.step)):
        model.step()
    return model
