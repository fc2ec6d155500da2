"""Temperature and strain rate that change on the way: against exact answers, and other ways."""

import h5py
import numpy as np
import pytest

from epmpi.analysis import analyse
from epmpi.config import ConfigError, from_mapping
from epmpi.ensemble import Ensemble
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.run.simulation import Simulation

CLOCKS = ("steps", "exact")
MODULUS = 1.7


def configured(clock="steps", **changes):
    sections = {
        "lattice": {"shape": [16, 20]},
        "model": {"shear_modulus": MODULUS},
        "tracers": {"number": 0},
        "time": {"clock": clock, "step": 0.0625, "warmup": 0.0, "duration": 8.0},
        "output": {"series_every": 0.5, "trajectory_every": 0.0},
    }
    for name, values in changes.items():
        sections[name] = sections.get(name, {}) | values
    return from_mapping(sections)


def ramp(time):
    return 0.03 * time


def oscillation(time):
    return 0.2 * np.sin(1.3 * time)


def loaded(simulation, strain, every):
    """Return a call that makes the macroscopic strain a function of time at every call."""

    def call(moment):
        seen.append((moment.time, moment.stress.copy()))
        ahead = strain(moment.time + every) - strain(moment.time)
        simulation.strain_rate = ahead / every

    seen = []
    return call, seen


@pytest.mark.parametrize("strain", [ramp, oscillation])
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("warmup", [0.0, 1.5])
def test_linear_response_without_events(tmp_path, clock, strain, warmup):
    """So cold that nothing yields: the stress is mu gamma(t) if gamma is right."""
    cold = configured(clock, model={"temperature": 1e-4}, time={"warmup": warmup})
    simulation = Simulation(cold)
    call, seen = loaded(simulation, strain, 0.25)
    run = simulation.run(tmp_path / "run", progress=False, every=0.25, call=call)
    assert [time for time, _ in seen] == [0.25 * n for n in range(33)]
    for time, stress in seen:
        np.testing.assert_allclose(stress, MODULUS * strain(time), rtol=0, atol=1e-14)
    with h5py.File(run / "run.h5") as file:
        series = {name: group["value"][:] for name, group in file["observables"].items()}
        times = file["observables/stress_mean/time"][:]
    assert series["events"].max() == 0
    np.testing.assert_allclose(series["stress_mean"], MODULUS * strain(times), atol=1e-14)
    np.testing.assert_allclose(series["macroscopic_strain"], strain(times), atol=1e-14)
    assert len(set(series["strain_rate"])) > (2 if strain is oscillation else 1)


WARM = {"temperature": 0.15, "strain_rate": 0.02}
STAGES = {0.0: 0.3, 2.0: 0.1, 4.0: 0.15}


def stepwise(simulation):
    """Return a call that sets the temperature at given times, and leaves it between them."""

    def call(moment):
        if moment.time in STAGES:
            simulation.temperature = STAGES[moment.time]

    return call


@pytest.mark.parametrize("clock", CLOCKS)
def test_set_temperatures_are_those_of_annealing(tmp_path, clock):
    """Bit for bit: the draws know the step since the start, and nothing else."""
    gaussian = {"state": "gaussian", "stress_deviation": 0.3}
    free = Simulation(configured(clock, model=WARM, initial=gaussian))
    run = free.run(tmp_path / "set", progress=False, every=1.0, call=stepwise(free))
    stages = gaussian | {"annealing": [[0.3, 2.0], [0.1, 2.0]]}
    annealed = Simulation(configured(clock, model=WARM, initial=stages, time={"duration": 4.0}))
    annealed.run(tmp_path / "annealed", progress=False)
    assert free.model.observables()["events"] > 0
    for name in ("stress", "plastic_strain", "active"):
        one, other = (getattr(s.model, name) for s in (free, annealed))
        np.testing.assert_array_equal(one, other)
    with h5py.File(run / "run.h5") as file:
        assert set(file["observables/temperature/value"][1:]) == {0.3, 0.1, 0.15}
    with h5py.File(tmp_path / "annealed" / "run.h5") as file:
        assert "temperature" not in file["observables"]


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("stop", [3.0, 4.0])
def test_what_was_set_outlives_a_restart(tmp_path, clock, stop):
    """Between two changes, and at one; bit for bit as without the stop."""

    def call_of(simulation):
        set_temperature = stepwise(simulation)

        def call(moment):
            set_temperature(moment)
            if moment.time == 2.0:
                simulation.strain_rate = -0.05

        return call

    whole = Simulation(configured(clock, model=WARM))
    whole.run(tmp_path / "whole", progress=False, every=1.0, call=call_of(whole))
    first = Simulation(configured(clock, model=WARM, time={"duration": stop}))
    first.run(tmp_path / "parts", progress=False, every=1.0, call=call_of(first))
    second = Simulation.resume(tmp_path / "parts", ["time.duration=8.0"])
    assert (second.temperature, second.strain_rate) == ({3.0: 0.1, 4.0: 0.15}[stop], -0.05)
    second.run(progress=False, every=1.0, call=call_of(second))
    np.testing.assert_array_equal(whole.model.stress, second.model.stress)
    assert whole.model.observables() == second.model.observables()


def test_titles_and_figures_of_what_was_set(tmp_path):
    simulation = Simulation(configured(model={"temperature": 0.15}))

    def call(moment):
        simulation.temperature, simulation.strain_rate = 0.1 + 0.01 * moment.time, 0.02

    run = simulation.run(tmp_path / "run", progress=False, every=1.0, call=call)
    [found] = analyse(run)
    assert r"$T = 0.1\ldots0.17$" in found.title  # each call follows what is written
    assert r"$\dot\gamma = 0\ldots0.02$" in found.title
    assert "flow.png" in [path.name for path in found.figures]


@pytest.mark.mpi
@pytest.mark.parametrize("clock", CLOCKS)
def test_ranks_change_nothing(comm, clock):
    shared = Model(configured(clock, model=WARM), Communicator(comm))
    alone = Model(configured(clock, model=WARM), Communicator(comm).split(comm.rank))
    for model in (shared, alone):
        for temperature, rate in ((0.3, 0.1), (0.2, 0.0), (0.1, -0.3)):
            model.temperature, model.strain_rate = temperature, rate
            for _ in range(20):
                model.step()
        model.clock.complete()
    rows = slice(shared.slab.start, shared.slab.stop)
    np.testing.assert_array_equal(shared.stress, alone.stress[rows])
    assert np.ptp(alone.stress) > 0


def test_what_is_seen_cannot_be_changed(tmp_path):
    seen = []

    def call(moment):
        identity, position = moment.tracers()
        arrays = moment.stress, moment.plastic_strain, moment.active, identity, position
        seen.append([array.shape for array in arrays])
        assert moment.first_row == 0
        assert moment.observables()["activity"] == np.abs(moment.active).mean()
        for array in arrays:
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1

    simulation = Simulation(configured(tracers={"number": 9, "every": 2}))
    simulation.run(tmp_path / "run", progress=False, every=4.0, call=call)
    assert seen == [[(16, 20)] * 3 + [(9,), (9, 2)]] * 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"every": 1.0}, "expected a time and a function"),
        ({"call": print}, "expected a time and a function"),
        ({"every": 1.0, "call": "print"}, "expected a time and a function"),
        ({"every": 0.1, "call": print}, "positive multiple of 0.0625"),
        ({"every": -0.125, "call": print}, "positive multiple of 0.0625"),
        ({"every": float("inf"), "call": print}, "positive multiple of 0.0625"),
    ],
)
def test_calls_that_are_refused(tmp_path, asked, expected):
    with pytest.raises(ConfigError, match=expected):
        Simulation(configured()).run(tmp_path / "run", progress=False, **asked)
    assert not (tmp_path / "run").exists()


def test_values_that_are_refused():
    held = Simulation(configured(propagator={"macroscopic": "stress"}))
    with pytest.raises(ConfigError, match="the strain cannot be imposed"):
        held.strain_rate = 0.1
    random = Simulation(configured(model={"activation": "random", "activity": 0.01}))
    with pytest.raises(ConfigError, match="has no temperature"):
        random.temperature = 0.1
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match=r"model\.temperature"):
            held.temperature = wrong
    assert not held.model.is_imposed
    assert not random.model.is_imposed


@pytest.mark.parametrize(
    ("kind", "replicas", "name", "meant"),
    [
        (Simulation, 1, "temprature", "did you mean temperature"),
        (Simulation, 1, "stepsize", "expected one of"),
        (Ensemble, 2, "replica", "did you mean replicas"),
        (Model, 1, "shear_rate", "did you mean strain_rate"),
    ],
)
def test_attributes_that_do_not_exist(kind, replicas, name, meant):
    made = kind(configured(run={"replicas": replicas}))
    with pytest.raises(AttributeError, match=f"{kind.__name__} has no attribute {name}.*{meant}"):
        setattr(made, name, 0.2)
