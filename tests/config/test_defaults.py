"""Defaults that give way to what is written, and what is written, which never does."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import override, refusal

from epmpi.config import ConfigError, Configuration, TracerSettings, from_mapping, load
from epmpi.config.resuming import changed, stored_configuration


def values(configuration, *names):
    """Return the values of keys section.key."""
    mapping = configuration.to_mapping()
    return [mapping[section][key] for section, key in (name.split(".") for name in names)]


@pytest.mark.parametrize(
    ("written", "adapted"),
    [
        (["tracers.number=0"], {"output.trajectory_every": 0.0}),
        (["lattice.shape=[16, 31]"], {"tracers.number": 496}),
        (["time.step=0.03"], {"tracers.every": 13, "time.warmup": 200.01, "time.duration": 999.99,
                              "output.series_every": 0.99, "output.trajectory_every": 0.99}),
        (["time.step=0.5"], {"tracers.every": 1}),
        (["time.step=0.4"], {"tracers.every": 1, "output.series_every": 0.8,
                             "output.trajectory_every": 0.8}),
        (["time.step=0.4", "tracers.number=0"], {"output.series_every": 0.8,
                                                 "output.trajectory_every": 0.0}),
        (["time.step=0.05"], {"tracers.every": 8}),
        (["tracers.every=3"], {}),
        (["output.events=true"], {"time.clock": "exact"}),
        (["model.events=instantaneous"], {"time.clock": "exact"}),
        (["model.events=instantaneous", "model.orientation=random"],
         {"tracers.number": 0, "time.clock": "exact", "output.trajectory_every": 0.0}),
        (["model.events=instantaneous", "model.activation=extremal"], {"time.clock": "exact"}),
        (["model.attempt_rate=100"], {"time.step": 0.005, "tracers.every": 80}),
        (["model.attempt_rate=100", "time.clock=exact"], {}),
        (["time.step=0.01", "time.clock=exact"], {}),
        (["model.temperature=0.15"], {}),
        (["model.temperature=0.2"], {"tracers.every": 3}),
        (["model.temperature=0.2", "model.relaxation_time=0.7"], {"tracers.every": 2}),
        (["model.temperature=0.2", "tracers.every=5"], {}),
        (["model.relaxation_time=0.02"], {"time.step": 0.01, "tracers.every": 1}),
        (["model.restructuring_time=0.5"], {"tracers.every": 2}),
        (["model.restructuring_time=2", "model.relaxation_time=3"], {"tracers.every": 8}),
        (["time.duration=10.03"], {"time.step": 0.01, "tracers.every": 40}),
        (["output.fields_every=0.02"], {"time.step": 0.02, "tracers.every": 20}),
        (["initial.annealing=[[0.3, 5.02]]"], {"time.step": 0.02, "tracers.every": 20}),
        (["tracers.every=2", "output.trajectory_every=0.05"], {"time.step": 0.05}),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else "",
)  # fmt: skip
def test_a_default_gives_way(written, adapted):
    """And no other key is changed."""
    made, given = override(*written), {text.split("=")[0] for text in written}
    for found, expected in zip(values(made, *adapted), adapted.values(), strict=True):
        assert found == (
            expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-12)
        )
    default = Configuration()
    assert {
        f"{section}.{key}"
        for section, keys in made.to_mapping().items()
        for key, value in keys.items()
        if value != default.to_mapping()[section].get(key)
    } == given | set(adapted)
    assert [text.split(" = ")[0] for text in made.adapted] == [
        name for name in NAMES if name in adapted
    ]


NAMES = [f"{s}.{key}" for s, keys in Configuration().to_mapping().items() for key in keys]


def test_it_is_reported_with_the_default():
    assert override("tracers.number=0").adapted == ["output.trajectory_every = 0.0 (default 1.0)"]
    assert Configuration().adapted == []


@pytest.mark.parametrize(
    "written",
    [
        ["tracers.number=0", "output.trajectory_every=1.0"],
        ["lattice.shape=[16, 31]", "tracers.number=1024"],
        ["time.step=0.05", "time.duration=10.03"],
        ["time.step=0.05", "model.attempt_rate=100"],
        ["time.duration=10.0371"],  # more than a tenth of the default step: a slip of the pen
        ["output.series_every=1e-5"],
        ["output.events=true", "time.clock=steps"],
        ["model.events=instantaneous", "time.clock=steps"],
        ["model.events=instantaneous", "model.orientation=random", "tracers.number=1024"],
        ["model.activity=0.1"],  # choices of the physics
        ["initial.stress_deviation=0.1"],
        ["initial.state=gaussian"],
        ["model.activation=random"],
    ],
    ids=" ".join,
)
def test_what_is_written_does_not_give_way(written):
    """A value that happens to be the default, too, where it is written."""
    refusal(override, *written)


def test_every_way_to_write_a_configuration(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("[tracers]\nnumber = 0\n")
    for made in (
        load(file),
        from_mapping({"tracers": {"number": 0}}),
        Configuration(tracers=TracerSettings(number=0)),
        Configuration().with_overrides(["tracers.number=0"]),
        load(file).with_overrides(["tracers.number=3"]).with_overrides(["tracers.number=0"]),
    ):
        assert made.output.trajectory_every == 0
        again = made.with_overrides(["tracers.number=3"])
        assert again.output.trajectory_every == 1.0
        assert pickle.loads(pickle.dumps(made)).adapted == made.adapted


def test_all_that_a_run_has_stored_is_written():
    """It may not change when the run is resumed, nor with another version's defaults."""
    stored = stored_configuration(override("time.step=0.03").to_toml())
    assert stored.adapted == []
    assert (stored.time.warmup, stored.tracers.every) == (200.01, 13)
    with pytest.raises(ConfigError, match=r"10\.03"):
        changed(stored, ["time.duration=10.03"])


def test_replicas_know_what_is_written():
    ensemble = override("tracers.number=0", "run.replicas=2")
    assert ensemble.replica(1).adapted == ensemble.adapted


@settings(deadline=None, database=None)
@given(
    step=st.none() | st.floats(1e-3, 0.5),
    every=st.integers(1, 200),
    number=st.integers(0, 10),
    lx=st.integers(4, 64),
    rate=st.floats(0.1, 100),
)
def test_one_number_is_never_refused_over_a_default(step, every, number, lx, rate):
    """Keys without a conflict with other written ones can be set to anything in their range."""
    mapping = {
        "lattice": {"shape": [lx, 64]},
        "tracers": {"every": every, "number": number},
    }
    if step is None:
        mapping["model"] = {"attempt_rate": rate}
    else:
        mapping["time"] = {"step": step}
    made = from_mapping(mapping)
    assert made.tracers.every == every
    assert made.time.step == (step or made.time.step)
