"""Defaults that give way to what is written, and what is written, which never does."""

import pickle
from itertools import combinations

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
        (["time.step=0.03"], {"tracers.every": 16, "time.warmup": 200.01, "time.duration": 999.99,
                              "output.series_every": 0.99, "output.trajectory_every": 0.99}),
        (["time.step=0.5"], {"tracers.every": 1}),
        (["time.step=0.4"], {"tracers.every": 1, "output.series_every": 0.8,
                             "output.trajectory_every": 0.8}),
        (["time.step=0.4", "tracers.number=0"], {"output.series_every": 0.8,
                                                 "output.trajectory_every": 0.0}),
        (["time.step=0.05"], {"tracers.every": 10}),
        (["tracers.every=3"], {}),
        (["output.events=true"], {"time.clock": "exact"}),
        (["model.events=instantaneous"], {"time.clock": "exact"}),
        (["model.events=instantaneous", "model.orientation=random"],
         {"tracers.number": 0, "time.clock": "exact", "output.trajectory_every": 0.0}),
        (["model.events=instantaneous", "model.activation=extremal"], {"time.clock": "exact"}),
        (["model.activation=extremal"],
         {"model.events": "instantaneous", "time.clock": "exact"}),
        (["model.activity=0.1"], {"model.activation": "random", "tracers.every": 3}),
        (["model.residual=normal"], {"model.events": "instantaneous", "time.clock": "exact"}),
        (["model.residual_scale=0.3", "run.seed=3"],
         {"model.events": "instantaneous", "time.clock": "exact"}),
        (["model.orientation=random"],
         {"model.events": "instantaneous", "tracers.number": 0, "time.clock": "exact",
          "output.trajectory_every": 0.0}),
        (["model.threshold_deviation=0.1"],
         {"model.thresholds": "normal", "model.events": "instantaneous", "time.clock": "exact"}),
        (["model.thresholds=weibull", "model.threshold_deviation=0.1"],
         {"model.events": "instantaneous", "time.clock": "exact"}),
        (["initial.stress_deviation=0.1"], {"initial.state": "gaussian"}),
        (["initial.stress_deviation=0.1", "initial.drawn=site"], {"initial.state": "gaussian"}),
        (["model.attempt_rate=100"], {"time.step": 0.005, "tracers.every": 100}),
        (["model.attempt_rate=100", "time.clock=exact"], {}),
        (["time.step=0.01", "time.clock=exact"], {}),
        (["model.temperature=0.09"], {}),
        (["model.temperature=0.11"], {"tracers.every": 3}),
        (["model.temperature=0.2"], {"tracers.every": 3}),
        (["model.temperature=0.2", "model.relaxation_time=0.7"], {"tracers.every": 2}),
        (["model.temperature=0.2", "tracers.every=4"], {}),
        (["model.relaxation_time=0.02"], {"time.step": 0.01, "tracers.every": 1}),
        (["model.restructuring_time=0.5"], {"tracers.every": 2}),
        (["model.restructuring_time=2", "model.relaxation_time=3"], {"tracers.every": 10}),
        (["time.duration=10.03"], {"time.step": 0.01, "tracers.every": 50}),
        (["output.fields_every=0.02"], {"time.step": 0.02, "tracers.every": 25}),
        (["initial.annealing=[[0.3, 5.02]]"], {"time.step": 0.02, "tracers.every": 25}),
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


@pytest.mark.parametrize(
    ("written", "adapted"),
    [
        (["model.activity=0.1", "model.barrier=1.5"], "model.activation"),
        (["model.residual=normal", "tracers.every=3"], "time.clock"),
        (["initial.drawn=site"], "initial.state"),
    ],
    ids=" ".join,
)
def test_an_error_tells_which_keys_are_adapted(written, adapted):
    assert refusal(override, *written).endswith(
        f"(not set, but adapted to the keys that are: {adapted})"
    )


# A value of each key that is not its default, or several where they differ in what they need.
VALUES = {
    "lattice.shape": [[16, 31]],
    "model.activation": ["random", "extremal"],
    "model.temperature": [0.3],
    "model.activity": [0.1],
    "model.direction": ["either", "both"],
    "model.barrier": [1.5],
    "model.yield_stress": [2.0],
    "model.attempt_rate": [10.0],
    "model.events": ["instantaneous"],
    "model.residual": ["normal"],
    "model.residual_scale": [2.0],
    "model.thresholds": ["normal", "weibull"],
    "model.threshold_deviation": [0.1],
    "model.orientation": ["random"],
    "model.restructuring_time": [0.1],
    "model.relaxation_time": [0.1],
    "model.shear_modulus": [2.0],
    "model.event_strain": [0.0, 2.0],
    "model.strain_rate": [0.1],
    "initial.state": ["gaussian", "a/run.h5"],
    "initial.stress_deviation": [0.1],
    "initial.drawn": ["site"],
    "initial.annealing": [[[0.3, 5.02]]],
    "propagator.symbol": ["lattice"],
    "propagator.macroscopic": ["stress"],
    "propagator.prefactor": [2.0],
    "tracers.number": [0, 1500],
    "tracers.interpolation": ["stream"],
    "tracers.every": [3],
    "time.step": [0.03],
    "time.clock": ["exact"],
    "time.warmup": [10.03, "auto"],
    "time.duration": [10.03],
    "output.series_every": [0.07],
    "output.trajectory_every": [0.0, 0.3],
    "output.trajectory_lags": ["logarithmic"],
    "output.fields_every": [0.7],
    "output.waiting_times_every": [1.0],
    "output.events": [True],
    "output.writer": ["parallel"],
    "output.compression": [1],
    "output.checkpoint_every": [10.0],
    "run.device": ["cpu"],
    "run.fft": ["mpi4py-fft"],
    "run.precision": ["single"],
    "run.wire": ["single"],
    "run.replicas": [2],
    "run.seed": [2**33],
    "run.walltime": [10.0],
    "run.stall_limit": [100.0],
}


def test_the_table_has_all_keys():
    assert set(VALUES) == set(NAMES) | {"model.activity"}


def refused(*keys):
    """Return the errors of keys given as (section.key, value)."""
    mapping = {}
    for name, value in keys:
        section, key = name.split(".")
        mapping.setdefault(section, {})[key] = value
    try:
        from_mapping(mapping)
    except ConfigError as error:
        return list(error.args)
    return []


def lacks_a_number(faults):
    """Tell whether the only error is that a choice needs a number, which has no default."""
    return len(faults) == 1 and " without " in faults[0]


def test_no_default_stands_in_the_way_of_one_key_or_of_two():
    """A key alone lacks a number at most; and where two are refused, no third one would help."""
    items = [(name, value) for name, values in VALUES.items() for value in values]
    assert [
        item for item in items if (faults := refused(item)) and not lacks_a_number(faults)
    ] == []
    pairs = [
        pair
        for pair in combinations(items, 2)
        if pair[0][0] != pair[1][0] and (faults := refused(*pair)) and not lacks_a_number(faults)
    ]
    assert 50 < len(pairs) < len(items) ** 2 / 10
    for pair in pairs:
        others = [item for item in items if item[0] not in (pair[0][0], pair[1][0])]
        assert [other for other in others if not refused(*pair, other)] == [], pair


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
        ["model.activity=0.1", "model.activation=thermal"],
        ["initial.stress_deviation=0.1", "initial.state=zero"],
        ["model.residual=normal", "model.events=finite"],
        ["model.threshold_deviation=0.1", "model.thresholds=uniform"],
        ["initial.state=gaussian"],  # a number is missing
        ["initial.drawn=site"],
        ["model.thresholds=weibull"],
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
    assert (stored.time.warmup, stored.tracers.every) == (200.01, 16)
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
