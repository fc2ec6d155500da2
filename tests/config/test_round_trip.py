"""Properties of any configuration: the round trip is exact, and garbage ends in ConfigError."""

import tomllib
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from refusals import message_of, override

from epmpi.config import FFT_ENGINES, ConfigError, Configuration, describe, from_mapping, load

# No deadline: ranks of one test run share cores. No database: they would share its files.
PROPERTY = settings(deadline=None, database=None)
KEYS = [(item.section, item.key) for item in describe()]

# Random configurations: each key by itself over its range, the combinations made possible.
positive = st.floats(1e-3, 1e3)
paths = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])).map("/".__add__)


@st.composite
def configurations(draw):
    """Draw valid configurations, every key of which varies."""
    thermal, steps = draw(st.booleans()), st.integers(1, 10**6)
    shape = draw(st.tuples(st.integers(4, 2**20), st.integers(4, 2**20)))
    tracers = draw(st.integers(0, shape[0] * shape[1]))
    model = {
        "activation": "thermal" if thermal else "random",
        "temperature": draw(st.floats(min_value=0, exclude_min=True, allow_infinity=False)),
        "direction": draw(st.sampled_from(["stress", "either", "both"])) if thermal else "stress",
        "yield_stress": draw(positive),
        "attempt_rate": draw(positive),
        "restructuring_time": draw(positive),
        "relaxation_time": draw(positive),
        "shear_modulus": draw(positive),
        "event_strain": draw(st.floats(0, 1e3)),
        "strain_rate": draw(st.floats(allow_nan=False, allow_infinity=False)),
    }
    if not thermal:
        model["activity"] = draw(st.floats(1e-9, 0.999))
    state = draw(st.sampled_from(["zero", "gaussian"]) | paths)
    initial = {"state": state}
    if state == "gaussian":
        initial["stress_deviation"] = draw(positive)
        initial["drawn"] = draw(st.sampled_from(["fourier", "site"]))
    held = ["strain"] if model["strain_rate"] else ["strain", "stress"]
    clock = draw(st.sampled_from(["steps", "exact"]))
    exact = clock == "exact"
    every = 1 if exact else draw(st.integers(1, 100))
    step = draw(st.floats(1e-9, 1e5 if exact else 2e-7))
    return from_mapping(
        {
            "lattice": {"shape": shape},
            "model": model,
            "initial": initial,
            "propagator": {
                "symbol": draw(st.sampled_from(["continuum", "lattice"])),
                "macroscopic": draw(st.sampled_from(held)),
                "prefactor": draw(st.floats(0, 10)),
            },
            "tracers": {
                "number": tracers,
                "interpolation": draw(st.sampled_from(["bilinear", "nearest", "stream"])),
                "every": every,
            },
            "time": {
                "clock": clock,
                "step": step,
                "warmup": draw(steps) * every * step,
                "duration": draw(steps) * step,
            },
            "output": {
                "series_every": draw(steps) * step,
                "trajectory_every": draw(steps) * every * step if tracers else 0,
                "fields_every": draw(st.just(0) | steps) * step,
            },
            "run": {
                "seed": draw(st.integers(0, 2**63 - 1)),
                "device": draw(st.sampled_from(["auto", "cpu"])),
                "precision": draw(st.sampled_from(["double", "single"][: 2 - exact])),
                "fft": (fft := draw(st.sampled_from(["auto", *FFT_ENGINES]))),
                "wire": draw(st.sampled_from(["double", "single"][: 1 + (fft != "mpi4py-fft")])),
            },
        }
    )


@PROPERTY
@given(made=configurations())
def test_round_trip_is_exact(made):
    """Through a mapping, through TOML, and through overrides, to the last bit."""
    mapping = made.to_mapping()
    assert from_mapping(mapping) == made
    assert tomllib.loads(made.to_toml()) == mapping
    assert from_mapping(tomllib.loads(made.to_toml())) == made
    lines = made.to_toml().splitlines()
    sections = [line.strip("[]") for line in lines if line.startswith("[")]
    blocks = made.to_toml().strip().split("\n\n")
    overrides = [
        f"{section}.{line}"
        for section, block in zip(sections, blocks, strict=True)
        for line in block.splitlines()[1:]
    ]
    assert override(*overrides) == made


def test_quotes_and_backslashes_are_escaped():
    """In the one key that is a free text."""
    made = from_mapping({"initial": {"state": 'a "quoted" \\ run/é.h5'}})
    assert from_mapping(tomllib.loads(made.to_toml())) == made


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["random", "both", "gaussian", "stress", "site", "a/b", 0.05, 0.5, 1, 0])
)
garbage = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=4)


def outcome(function, *arguments):
    """Return a configuration or None; anything but ConfigError is a failure of the test."""
    try:
        return function(*arguments)
    except ConfigError as error:
        assert message_of(error)
        return None


@PROPERTY
@given(st.dictionaries(st.sampled_from(KEYS), garbage, min_size=1, max_size=4))
def test_random_values_of_known_keys(values):
    """Give a valid configuration or a ConfigError; what is accepted survives the round trip."""
    mapping: dict[str, Any] = {}
    for (section, key), value in values.items():
        mapping.setdefault(section, {})[key] = value
    made = outcome(from_mapping, mapping)
    if made is not None:
        assert from_mapping(tomllib.loads(made.to_toml())) == made


@PROPERTY
@given(st.recursive(leaves, lambda inner: st.dictionaries(leaves, inner, max_size=3)))
def test_random_mappings(mapping):
    """Never end in anything but ConfigError."""
    assume(mapping != {})
    assert outcome(from_mapping, mapping) in (None, Configuration())


names = st.sampled_from([f"{section}.{key}" for section, key in KEYS])
texts = st.text() | st.sampled_from(["1", "1e999", "-0.0", "nan", "[1, 2]", "0x10", "a/b"])


@PROPERTY
@given(st.lists(st.text() | st.builds("{}={}".format, names, texts), min_size=1, max_size=3))
def test_random_overrides(overrides):
    """Never end in anything but ConfigError."""
    outcome(Configuration().with_overrides, overrides)


@PROPERTY
@given(st.binary() | st.text().map(str.encode))
def test_random_files(tmp_path_factory, content):
    """Never end in anything but ConfigError."""
    path = tmp_path_factory.getbasetemp() / "garbage.toml"
    path.write_bytes(content)
    outcome(load, path)
