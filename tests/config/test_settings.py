"""The table of keys: defaults, descriptions, and values that are refused one by one."""

import dataclasses
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from refusals import override, refusal

from epmpi.config import (
    Configuration,
    InitialSettings,
    LatticeSettings,
    ModelSettings,
    OutputSettings,
    RunSettings,
    describe,
    from_mapping,
)

KEYS = [(item.section, item.key) for item in describe()]


class TestDefaults:
    """The table of keys."""

    def test_that_users_see(self):
        """Values that the documentation and the other tests rely on."""
        default = Configuration()
        assert default.lattice.shape == (256, 256)
        assert (default.model.activation, default.model.temperature) == ("thermal", 0.1)
        assert default.model.activity is None
        assert default.model.direction == "stress"
        assert (default.time.step, default.time.warmup, default.time.duration) == (0.1, 200, 1000)
        assert default.tracers.every == 5
        assert (default.output.trajectory_every, default.output.fields_every) == (1, 0)
        assert default.propagator.macroscopic == "strain"

    def test_described_in_full(self):
        """Every key has a type, a range and a help line, and its default is TOML."""
        for item in describe():
            assert item.type
            assert item.range
            assert item.help
            assert "\n" not in "".join(item)
            if item.default:
                value = tomllib.loads(f"value = {item.default}")["value"]
                stored = Configuration().to_mapping()[item.section][item.key]
                assert value == stored
        assert [item.key for item in describe() if not item.default] == ["activity"]

    def test_description_covers_the_sections(self):
        """No key of a section is missing from the table, nor the other way round."""
        default = Configuration()
        expected = [
            (section.name, item.name)
            for section in dataclasses.fields(default)
            for item in dataclasses.fields(getattr(default, section.name))
        ]
        assert expected == KEYS

    def test_numbers_are_floats_and_shapes_tuples(self):
        """Values arrive in one type, however they were written."""
        made = from_mapping({"model": {"temperature": 1}, "lattice": {"shape": [64, 65]}})
        assert type(made.model.temperature) is float
        assert made.lattice.shape == (64, 65)


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        ("model", {"temperature": 0}, ["model.temperature = 0", "> 0", "0.1"]),
        ("model", {"temperature": -0.1}, ["-0.1", "> 0"]),
        ("model", {"temperature": math.nan}, ["nan", "> 0"]),
        ("model", {"temperature": math.inf}, ["inf"]),
        ("model", {"temperature": 10**400}, ["model.temperature"]),
        ("model", {"temperature": 16**5000}, ["int too large to print"]),
        ("model", {"temperature": True}, ["True", "number"]),
        ("model", {"temperature": "0.1"}, ["'0.1'", "number"]),
        ("model", {"temperature": [0.1]}, ["[0.1]", "number"]),
        ("model", {"temperature": np.eye(2)}, ["array([[1., 0.], [0., 1.]])", "number"]),
        ("model", {"strain_rate": math.nan}, ["nan", "finite"]),
        ("model", {"strain_rate": -math.inf}, ["-inf", "finite"]),
        ("model", {"activation": "termal"}, ['did you mean "thermal"']),
        ("model", {"activation": 3}, ["thermal", "random"]),
        ("model", {"activation": ["thermal"]}, ["thermal", "random"]),
        ("model", {"activity": 0, "activation": "random"}, ["> 0 and < 1"]),
        ("model", {"activity": 1.0, "activation": "random"}, ["> 0 and < 1"]),
        ("model", {"event_strain": -1}, [">= 0"]),
        ("propagator", {"prefactor": -1}, [">= 0"]),
        ("lattice", {"shape": [256, 3]}, ["[256, 3]", "each 4 to"]),
        ("lattice", {"shape": [3, 256]}, ["[3, 256]"]),
        ("lattice", {"shape": [256, 2**20 + 1]}, ["1048576"]),
        ("lattice", {"shape": [256]}, ["two integers"]),
        ("lattice", {"shape": [16, 16, 16]}, ["two integers"]),
        ("lattice", {"shape": [256.0, 256]}, ["two integers"]),
        ("lattice", {"shape": [True, 256]}, ["two integers"]),
        ("lattice", {"shape": 256}, ["write [256, 256]"]),
        ("lattice", {"shape": "256x256"}, ["write [256, 256]"]),
        ("tracers", {"number": -1}, ["0 to"]),
        ("tracers", {"number": 10.0}, ["integer"]),
        ("tracers", {"number": True}, ["integer"]),
        ("tracers", {"every": 0}, ["1 to"]),
        ("time", {"step": 0}, ["> 0"]),
        ("time", {"warmup": -1}, [">= 0"]),
        ("time", {"duration": 0}, ["> 0"]),
        ("run", {"seed": 2**63}, ["2^63 - 1"]),
        ("run", {"seed": -1}, ["0 to"]),
        ("run", {"device": "cpuu"}, ['did you mean "cpu"']),
        ("run", {"fft": "numpi"}, ['did you mean "numpy"']),
        ("initial", {"state": "gausian"}, ['did you mean "gaussian"', "path"]),
        ("initial", {"state": ""}, ["path"]),
        ("initial", {"state": "run\n/x.h5"}, ["path"]),
        ("initial", {"state": "\udc80/run.h5"}, ["path"]),
        ("initial", {"state": 1}, ["path"]),
    ],
)
def test_a_wrong_value_is_refused(section, values, words):
    """The message names the key, what was got and what is expected."""
    message = refusal(from_mapping, {section: values})
    for word in [f"{section}.", "expected", *words]:
        assert word in message


class TestConstruction:
    """Configurations made in Python are checked in the same way."""

    def test_of_a_section(self):
        """A section checks its keys."""
        assert "model.temperature = -1" in refusal(lambda: ModelSettings(temperature=-1))

    def test_of_the_whole(self):
        """The configuration checks combinations and the types of its sections."""
        random = ModelSettings(activation="random")
        assert "set model.activity" in refusal(lambda: Configuration(model=random))
        assert "expected RunSettings" in refusal(lambda: Configuration(run={"seed": 1}))

    def test_takes_numpy_scalars(self):
        """And turns them into plain Python."""
        made = RunSettings(seed=np.int32(3), fft=np.str_("numpy"))
        assert (type(made.seed), type(made.fft)) == (int, str)
        assert type(ModelSettings(temperature=np.float32(0.5)).temperature) is float
        assert "True" in refusal(lambda: ModelSettings(temperature=np.bool_(True)))

    def test_takes_flags(self):
        """True and false, of NumPy too; neither numbers nor words."""
        assert OutputSettings(events=np.bool_(True)).events is True
        assert from_mapping({"time": {"clock": "exact"}, "output": {"events": True}}).output.events
        for value in (1, "true", 0.0):
            message = refusal(lambda value=value: OutputSettings(events=value))
            assert "expected boolean, true | false" in message

    def test_takes_numpy_arrays(self):
        """Of the right shape and type; numbers may be arrays without a dimension."""
        made = LatticeSettings(shape=np.array([64, 65], np.int32))
        assert made.shape == (64, 65)
        assert {type(side) for side in made.shape} == {int}
        assert LatticeSettings(shape=np.ones((64, 48)).shape).shape == (64, 48)
        assert RunSettings(seed=np.array(7)).seed == 7
        assert ModelSettings(temperature=np.array(0.25)).temperature == 0.25
        stages = InitialSettings(annealing=np.array([[0.3, 10], [0.2, 20]])).annealing
        assert stages == ((0.3, 10.0), (0.2, 20.0))
        assert from_mapping({"tracers": {"number": np.arange(9)[5]}}).tracers.number == 5
        for wrong in (np.array([64.0, 64.0]), np.array([[64, 64]]), np.array([64])):
            assert "two integers" in refusal(lambda wrong=wrong: LatticeSettings(shape=wrong))

    def test_takes_paths(self):
        """A path is one whatever its name; a text may be a misspelt word."""
        for path, text in ((Path("runs/a"), "runs/a"), (Path("gaussian"), "./gaussian")):
            assert InitialSettings(state=path).state == text


def test_every_key_can_be_overridden():
    """By its default, which changes nothing."""
    given_defaults = [f"{i.section}.{i.key}={i.default}" for i in describe() if i.default]
    assert override(*given_defaults) == Configuration()
