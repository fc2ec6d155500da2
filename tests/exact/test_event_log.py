"""The log of events: all of them, each once, the same bits whatever the ranks, ticks, restarts."""

import h5py
import numpy as np
import pytest
from exact_runs import AT_ONCE, advanced, configuration
from same_runs import contents, differences

from epmpi.analysis import AnalysisError, RunFile
from epmpi.config import ConfigError
from epmpi.model.exact import clock
from epmpi.model.model import Model
from epmpi.output import segments, store
from epmpi.parallel import Communicator
from epmpi.run.planning import expected_events, file_bytes
from epmpi.run.simulation import Simulation
from epmpi.run.stopping import Decision, Pace

TICK = 0.5
VARIANTS = {
    "thermal": {},
    "at once": {"time": {"warmup": 0.0}, "model": {"activation": "random", "activity": 0.03}},
}
INSTANTANEOUS = {
    "model": AT_ONCE | {"temperature": 0.15, "thresholds": "normal", "threshold_deviation": 0.2}
}
LOGS = VARIANTS | {"instantaneous": INSTANTANEOUS}
OF_INSTANTANEOUS = ("distance", "drop")  # columns


def configured(tick=TICK, **changes):
    sections = {
        "model": {"temperature": 0.1},
        "time": {"warmup": 8.0, "duration": 64.0},
        "tracers": {"number": 9},
        "output": {
            "events": True,
            "series_every": 2.0,
            "trajectory_every": 8.0,
            "waiting_times_every": 4.0,
        },
    }
    for section, values in changes.items():
        sections[section] = sections[section] | values
    return configuration(tick, **sections)


def carried_out(path, communicator=None, **changes):
    return Simulation(configured(**changes), communicator).run(path, progress=False)


def log(run):
    """Return the bytes of the log."""
    return contents(run / "run.h5", ("events",))


@pytest.fixture
def stop_at(monkeypatch):
    """Return a function that makes runs stop after a tick; None for never."""

    def stop(step):
        def decide(self, now):
            ends = "test" if step is not None and now >= step else ""
            return Decision(ends, now % 17 == 0, now % 29 == 0, now + 1)

        monkeypatch.setattr(Pace, "decide", decide)

    return stop


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_every_event_is_there_once(tmp_path, changes):
    run = carried_out(tmp_path / "run", **changes)
    with RunFile(run) as file:
        events, shape = file.events(), file.shape
    with h5py.File(run / "run.h5") as file:
        begun = np.diff(file["observables/events/value"][[0, -1]])[0]
        activity = file["observables/activity/value"][-1]
    active = round(activity * shape[0] * shape[1])  # all began after the warm-up
    assert len(events) == begun - active > 300
    ends = events.start + events.duration
    assert np.all(np.diff(ends) > 0)
    assert 0 < events.start.min() < ends.max() <= 64.0
    assert abs(events.duration.mean() - 1.0) < 4 / np.sqrt(len(events))  # tau_res
    assert set(events.direction) == {-1, 1}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_waits_of_the_log_are_those_of_the_histogram(tmp_path, changes):
    """At a time before which no event began that still goes on in the end."""
    run, until = carried_out(tmp_path / "run", **changes), 48.0
    with RunFile(run) as file:
        counted = file.frames("histograms/waiting_times")
        at = np.flatnonzero(file.clock("histograms/waiting_times").time == until)[0]
        edges = TICK * np.asarray(file.parameter("waiting_times", "edges"))
        begun, waited = file.events().waits()
    number = np.histogram(waited[begun <= until], edges)[0]
    assert number.sum() > 100
    np.testing.assert_array_equal(number, counted[at])


def test_sites_that_yield_from_the_start_on_are_left_out():
    """Nobody knows since when they do."""
    model = Model(configured(**VARIANTS["at once"]))
    log = model.clock.log_events(0)
    advanced(model, TICK)
    engine = model.clock._engine
    waiting = int(
        np.isneginf(engine.records.events.active_since[: engine.progress["active"]]).sum()
    )
    assert waiting > 0
    begun = model.observables()["events"]
    advanced(model, 400 * TICK)
    events, now = log.take(), model.observables()["events"]
    assert not np.isneginf(engine.records.events.active_since[: engine.progress["active"]]).any()
    assert begun < len(events["start"]) == now - engine.progress["active"]
    assert np.all(events["duration"] < 400 * TICK)


def test_the_layout(tmp_path):
    run = carried_out(tmp_path / "run")
    with h5py.File(run / "run.h5") as file:
        group = file["events"]
        found = {name: (item.dtype.str, item.attrs["units"]) for name, item in group.items()}
        assert found == {
            "start": ("<f8", "tau"), "duration": ("<f8", "tau"), "x": ("<i4", "lattice spacing"),
            "y": ("<i4", "lattice spacing"), "direction": ("|i1", "1"),
        }  # fmt: skip
        for item in group.values():
            assert item.maxshape == (None,)
            assert item.chunks == (4096,)
            assert item.attrs["long_name"]
        assert group["x"].dims[0][0] == group["start"]


def test_instantaneous_events_have_their_distances_and_drops(tmp_path):
    """As the engine has them, event by event; finite events have no such columns."""
    settings = configured(**INSTANTANEOUS)
    run = Simulation(settings).run(tmp_path / "run", progress=False)
    with RunFile(run) as file:
        events = file.events()
    assert len(events) > 500
    assert not events.duration.any()
    model, found = Model(settings), {name: [] for name in OF_INSTANTANEOUS}
    forget = model.clock._flush

    def keep(until_now=None):
        engine = model.clock._engine
        chosen = slice(int(engine.progress["completed"]))
        start = model.clock._time(0.0) + engine.records.events.start[chosen]
        for name, values in found.items():
            values += list(getattr(engine.records.events, name)[chosen][start > 8.0])

    model.clock._flush = lambda now: (keep(), forget(now))
    advanced(model, settings.time.warmup + settings.time.duration)
    keep()
    for name, values in found.items():
        np.testing.assert_array_equal(getattr(events, name), np.array(values, np.float32))
    assert (events.distance < 0).any()
    assert (events.distance > 0).any()
    with h5py.File(run / "run.h5") as file:
        assert file["events/distance"].attrs["units"] == "yield stress"
        assert file["events/drop"].dims[0][0] == file["events/start"]
    with RunFile(carried_out(tmp_path / "finite")) as file:
        events = file.events()
    assert events.distance is None
    assert events.drop is None


def test_the_log_knows_neither_ticks_nor_outputs(tmp_path, monkeypatch):
    expected = log(carried_out(tmp_path / "expected"))
    assert expected
    assert log(carried_out(tmp_path / "ticks", tick=0.25)) == expected
    assert log(carried_out(tmp_path / "outputs", output={"series_every": 0.5})) == expected
    with monkeypatch.context() as patch:
        patch.setattr(clock, "PAUSES", 1)
        patch.setattr(store, "MOST_EVENTS", 7)
        assert log(carried_out(tmp_path / "early")) == expected
    monkeypatch.setattr(clock, "SITES_PER_MOVE", 10**9)
    assert log(carried_out(tmp_path / "moves")) == expected


def test_a_warmup_that_the_run_ends_itself(tmp_path):
    run = carried_out(tmp_path / "run", time={"warmup": "auto"}, model={"temperature": 0.3})
    with RunFile(run) as file:
        events, activity = file.events(), file.series("activity")[1]
    with h5py.File(run / "run.h5") as file:
        begun = np.diff(file["observables/events/value"][[0, -1]])[0]
    assert events.start.min() > 0
    assert len(events) == begun - round(activity[-1] * 17 * 40)


@pytest.mark.mpi
@pytest.mark.parametrize("changes", LOGS.values(), ids=LOGS)
def test_the_log_is_the_same_on_any_ranks(comm, shared_tmp_path, changes):
    communicator = Communicator(comm)
    run = carried_out(shared_tmp_path / "together", communicator, **changes)
    if communicator.is_root:
        alone = carried_out(shared_tmp_path / "alone", Communicator(), **changes)
        assert log(alone)
        assert differences(alone, run) == []
    communicator.barrier()


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("copied", "compression", "changes"),
    [
        pytest.param(0, 0, {}, id="finite-segments"),
        pytest.param(10**9, 4, {}, id="finite-one file, compressed"),
        pytest.param(0, 0, INSTANTANEOUS, id="instantaneous-segments", marks=pytest.mark.ci),
        pytest.param(
            10**9, 4, INSTANTANEOUS, id="instantaneous-one file, compressed", marks=pytest.mark.ci
        ),
    ],
)
def test_the_log_is_the_same_after_restarts(
    comm, shared_tmp_path, stop_at, monkeypatch, copied, compression, changes
):
    """Stopped in the warm-up and later, and each time begun again from a checkpoint before."""
    monkeypatch.setattr(segments, "COPIED", copied)
    communicator = Communicator(comm)
    settings = configured(output={"compression": compression}, **changes)
    stop_at(None)
    whole, parted = shared_tmp_path / "whole", shared_tmp_path / "parted"
    Simulation(settings, communicator).run(whole, progress=False)
    stop_at(5)
    Simulation(settings, communicator).run(parted, progress=False)
    for previous, step in ((False, 61), (False, 100), (True, 120), (True, None)):
        stop_at(step)
        resumed = Simulation.resume(parted, communicator=communicator, previous=previous)
        resumed.run(progress=False)
    if communicator.is_root:
        assert differences(whole, parted) == []
        with h5py.File(parted / "run.h5") as file:
            assert file["events/start"].is_virtual == (copied == 0)
        if copied:
            last = "drop" if changes else "x"
            with h5py.File(parted / "run.h5") as file:
                assert file[f"events/{last}"].compression_opts == compression
    communicator.barrier()


@pytest.mark.mpi
def test_a_kill_loses_and_doubles_no_event(comm, shared_tmp_path, stop_at, monkeypatch):
    """Frames published after the checkpoint are cut off; here the run ends by an exception."""
    monkeypatch.setattr(segments, "COPIED", 0)
    communicator = Communicator(comm)
    stop_at(None)
    whole, broken = shared_tmp_path / "whole", shared_tmp_path / "broken"
    Simulation(configured(), communicator).run(whole, progress=False)
    for step in (33, 69, 110):
        if step == 33:
            dying = Simulation(configured(), communicator)
        else:
            dying = Simulation.resume(broken, communicator=communicator)
        advance = dying.model.advance

        def die(until, model=dying.model, advance=advance, last=step):
            if model.step_count >= last:
                raise ZeroDivisionError
            advance(until)

        monkeypatch.setattr(dying.model, "advance", die)
        with pytest.raises(ZeroDivisionError):
            dying.run(broken if step == 33 else None, progress=False)
        communicator.barrier()
    Simulation.resume(broken, communicator=communicator).run(progress=False)
    if communicator.is_root:
        assert differences(whole, broken) == []
    communicator.barrier()


def test_a_log_that_is_not_there(tmp_path):
    quiet = carried_out(tmp_path / "quiet", model={"temperature": 1e-3})
    with RunFile(quiet) as file:
        assert len(file.events()) == 0
    without = carried_out(tmp_path / "without", output={"events": False}, time={"duration": 8.0})
    with RunFile(without) as file, pytest.raises(AnalysisError, match=r"output\.events = true"):
        file.events()


def test_a_damaged_log_gives_one_line(tmp_path):
    run = carried_out(tmp_path / "run")
    for name, value in (("x", 17), ("y", -1), ("duration", np.inf), ("direction", 0)):
        with h5py.File(run / "run.h5", "r+") as file:
            before, file[f"events/{name}"][3] = file[f"events/{name}"][3], value
        with RunFile(run) as file, pytest.raises(AnalysisError, match="/events has"):
            file.events()
        with h5py.File(run / "run.h5", "r+") as file:
            file[f"events/{name}"][3] = before


def test_the_clock_of_steps_is_refused():
    with pytest.raises(ConfigError, match=r"output\.events = true with time\.clock = .steps.") as e:
        configured(time={"clock": "steps"}, model={"temperature": 0.1})
    assert len(e.value.args) == 1


def test_what_the_log_takes_is_said_where_it_is_known():
    random = configured(**VARIANTS["at once"])
    assert expected_events(random) == pytest.approx(0.03 * 17 * 40 * 64)
    without = configured(**VARIANTS["at once"], output={"events": False})
    assert file_bytes(random) - file_bytes(without) == 25 * round(expected_events(random))
    assert expected_events(without) == 0
    weakest = configured(model=AT_ONCE | {"activation": "extremal", "attempt_rate": 4.0})
    without = configured(model=weakest.model.__dict__, output={"events": False})
    assert file_bytes(weakest) - file_bytes(without) == 33 * 4 * 64
    assert expected_events(configured(model={"shear_modulus": 0.5})) is None
