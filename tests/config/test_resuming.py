"""Keys that a resumed run may change."""

import pytest

from epmpi.config import (
    ENSEMBLE_MAY_CHANGE,
    MAY_CHANGE,
    ConfigError,
    Configuration,
    changed,
    describe,
    differing,
    extended,
    from_mapping,
    stored_configuration,
)


def test_what_is_stored_comes_back():
    made = from_mapping({"model": {"temperature": 0.3}, "run": {"seed": 2**63 - 1}})
    assert stored_configuration(made.to_toml()) == made


@pytest.mark.parametrize(
    "text", ["[model]\ntemperature = -1", "[model]\ncolour = 1", "[model", "a = " + "[" * 5000]
)
def test_an_unusable_configuration_gives_one_line(text):
    with pytest.raises(ConfigError, match="the configuration of the run cannot be used") as caught:
        stored_configuration(text)
    assert "\n" not in str(caught.value)


def test_keys_that_differ_are_named_even_where_one_is_left_out():
    thermal = Configuration()
    random = from_mapping(
        {"model": {"activation": "random", "activity": 0.1}, "tracers": {"every": 5}}
    )
    assert differing(thermal, random) == differing(random, thermal)
    assert sorted(differing(thermal, random)) == ["model.activation", "model.activity"]
    assert differing(thermal, Configuration()) == []


def test_all_that_may_change_are_keys():
    known = {f"{item.section}.{item.key}" for item in describe()}
    assert set(ENSEMBLE_MAY_CHANGE) <= known
    assert set(ENSEMBLE_MAY_CHANGE) - set(MAY_CHANGE) == {"run.replicas"}


def test_the_trajectory_may_not_change():
    before = Configuration()
    assert changed(before, ["time.duration=2000"]).time.duration == 2000.0
    assert changed(before, ["model.temperature=0.1"]) == before  # no change
    message = r"model\.temperature = 0\.2: the run has 0\.1, and .* time\.duration, .* only"
    with pytest.raises(ConfigError, match=message):
        changed(before, ["time.duration=2000", "model.temperature=0.2"])
    with pytest.raises(ConfigError, match=r"run\.replicas = 2"):
        changed(before, ["run.replicas=2"])


def test_an_ensemble_may_only_grow():
    before = from_mapping({"run": {"replicas": 3}})
    assert extended(before, ["run.replicas=4"]).run.replicas == 4
    for smaller in ("run.replicas=2", "time.duration=999.0"):
        with pytest.raises(ConfigError, match="expected no less"):
            extended(before, [smaller])
