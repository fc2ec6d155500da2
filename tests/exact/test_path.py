"""The path of the exact clock: the same bits whatever the ticks, outputs, restarts and ranks."""

from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
from exact_runs import JUMPS, VARIANTS, advanced, configuration

from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.run.recorder import Recorder

ALL = VARIANTS | JUMPS
every_variant = pytest.mark.parametrize("changes", ALL.values(), ids=ALL)


def whole(model: Model) -> dict[str, np.ndarray]:
    """Return all that can be looked at, of the whole lattice, on every rank."""
    model.clock.place_tracers()
    observed = model.observables()
    found = {"observed": np.array(list(model.communicator.broadcast(observed).values()))}
    for name, rows in model.fields.by_name().items():
        found[name] = model.communicator.gather_everywhere(rows.reshape(-1))
    identity = model.communicator.gather_everywhere(model.tracers.identity)
    position = model.communicator.gather_everywhere(model.tracers.position.reshape(-1))
    found["position"] = position.reshape(-1, 2)[np.argsort(identity)]
    return found


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@every_variant
def test_the_tick_is_only_when_one_looks(changes):
    expected = advanced(Model(configuration(tick=1.0, **changes)), 60.0)
    assert expected.observables()["events"] > 100
    for tick in (0.05, 30.0):
        other = advanced(Model(configuration(tick=tick, **changes)), 60.0)
        assert_same(whole(other), whole(expected))


def test_looking_changes_nothing():
    expected, looked_at = (Model(configuration()) for _ in range(2))
    for _ in range(60):
        expected.step()
        looked_at.step()
        whole(looked_at)
        looked_at.state()
    # Tracers stand elsewhere by the error of longer moves; the sites know nothing of them.
    first, second = whole(looked_at), whole(expected)
    del first["position"], second["position"]
    assert_same(first, second)


@every_variant
def test_a_restart_changes_nothing(changes):
    expected = advanced(Model(configuration(**changes)), 60.0)
    before = advanced(Model(configuration(**changes)), 31.0)
    restored = Model(configuration(**changes))
    restored.restore(deepcopy(before.state()))
    assert_same(whole(advanced(restored, 29.0)), whole(expected))


@pytest.mark.mpi
@every_variant
def test_the_number_of_ranks_changes_nothing(comm, changes):
    alone = advanced(Model(configuration(**changes), Communicator()), 40.0)
    together = advanced(Model(configuration(**changes), Communicator(comm)), 40.0)
    assert_same(whole(together), whole(alone))


@pytest.mark.mpi
def test_waiting_times_of_all_ranks_are_counted_once(comm):
    settings = configuration(output={"waiting_times_every": 1.0})
    counted = []
    for communicator in (Communicator(), Communicator(comm)):
        model = Model(settings, communicator)
        Recorder(model, SimpleNamespace(steps=10))
        advanced(model, 200.0).state()
        counted.append(communicator.sum(model.accumulators["waiting_times"].number))
    np.testing.assert_array_equal(*counted)
    # All waits but the first of each site end with an event after the warm-up.
    assert 0 < counted[0].sum() < model.observables().get("events", np.inf)


def test_a_new_temperature_holds_from_its_tick_on():
    """Earlier events are the same, later ones are not."""
    cold, warm = (Model(configuration(tick=5.0)) for _ in range(2))
    for model in (cold, warm):
        advanced(model, 20.0)
    assert_same(whole(warm), whole(cold))
    warm.activation.set_temperature(0.3)
    before = warm.observables()["events"]
    for model in (cold, warm):
        advanced(model, 20.0)
    assert warm.observables()["events"] - before > 2 * (cold.observables()["events"] - before)
