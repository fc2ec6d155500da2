"""Estimates of the memory of a rank, the disk space and the time that a run needs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from epmpi.config import Configuration
from epmpi.devices import CPU, Device
from epmpi.model.expected import expected_activity
from epmpi.model.model import Model
from epmpi.model.waiting import bin_edges, exact_bin_edges
from epmpi.output import event_bytes
from epmpi.parallel import Communicator
from epmpi.parallel.groups import Groups, check_groups
from epmpi.physics.lattice import Lattice, slabs, split
from epmpi.physics.rules import stress_at
from epmpi.run.schedule import Schedule
from epmpi.spectral import Mpi4pyFFT, shares_memory

TRIAL_SECONDS = 2.0  # duration of the trial of the speed
UNTIMED_STEPS = 3  # the first compiles, the second is recorded on a GPU
TRIAL_STRESS = 0.25  # standard deviation, in yield stresses: about that of steady states
LOWEST_BARRIER = 7.0  # over T, at the start of the trial
EXACT_BYTES = 128  # for each site of the lattice, which the exact clock keeps on each rank
COLDEST_TRIAL = 0.04  # T, in yield stresses squared: below it a trial may have no events
LONGEST_TRIAL = 2**40  # ticks at once
TRACER_BYTES = 72  # identity and position, and what a move needs beside them


@dataclass(frozen=True)
class Plan:
    """Needs of a run.

    Attributes
    ----------
    memory : int
        Bytes of arrays on the rank with most of them, without program and libraries.
    disk : int
        Bytes of the run file, or of those of all replicas.
    steps : int
        Steps of the whole run, or of one replica.
    seconds_per_step : float
        Measured; 0 without a trial.
    events, seconds_per_event : float
        Of the exact clock: expected number of events, and measured time of one; 0 for steps.
    rounds : int
        Number of replicas that a rank runs one after another.
    knows_events : bool
        Whether `disk` includes the log of events, if there is one.
    """

    memory: int
    disk: int
    steps: int
    seconds_per_step: float
    rounds: int
    events: float
    seconds_per_event: float
    knows_events: bool

    @property
    def seconds(self) -> float:
        """Wall time of the whole run, without output."""
        one = self.events * self.seconds_per_event or self.steps * self.seconds_per_step
        return self.rounds * one


def array_bytes(
    configuration: Configuration, ranks: int, device: Device | None = None, *, shared: bool = False
) -> int:
    """Return the largest bytes of arrays on a rank: that of the largest slab and block of modes.

    What only the start takes, and the work areas of a GPU's transforms, are in it.

    Parameters
    ----------
    device : Device, optional
        Default: a CPU.
    shared : bool
        Whether the ranks share memory (`shares_memory`), in which the spectra are once: the part of
        this rank is counted.
    """
    lattice = Lattice(configuration.lattice.shape)
    length, width = lattice.shape
    real = 8 if configuration.run.precision == "double" else 4
    rows = slabs(lattice, ranks)[0].rows
    modes = split(lattice.modes, ranks)[0][1]
    tracers = configuration.tracers
    flow = 0 if tracers.number == 0 else (1 if tracers.interpolation == "stream" else 2)
    halo = 0 if flow == 0 else (5 if tracers.interpolation == "stream" else 3)
    seldom = flow > 0 and (tracers.every > 1 or configuration.time.clock == "exact")

    device = device or CPU()

    def convolution(responses: int, extra: int, real: int = real) -> int:
        """Return the bytes of a convolution: spectra on both sides of the transpose, kernels."""
        height = min(device.block_rows(width * real), rows)
        blocks = 2 * height * width * real
        kernels = responses * modes * (length // 2 + 1)  # even or odd in kx: half is kept
        spectra = responses * (rows + extra) * lattice.modes
        if shared and ranks > 1:  # the halo is there once, and then the source beside it
            spectra = (responses * (rows + -(-extra // ranks)) + rows * (extra > 0)) * lattice.modes
        elif ranks > 1:
            spectra += rows * lattice.modes + length * modes + responses * (length + extra) * modes
            spectra += height * lattice.modes * (1 + responses)
        work = device.work_bytes(lattice.shape, rows, responses, modes, real)
        return 2 * real * spectra + real * kernels + blocks + work

    gathered = 16 if configuration.output.waiting_times_every else 0  # last activation, sites begun
    state = rows * width * (real + 8 + 1 + gathered)
    of_flow = 4 if seldom else real  # see `ByAccumulatedStrain`
    if flow and _goes_in_blocks(configuration, ranks > 1 and not shared, device, of_flow):
        height = min(device.block_rows(width * of_flow), rows)
        state += flow * (height + halo) * width * of_flow
    state += TRACER_BYTES * (tracers.number // ranks)
    state += _start_bytes(configuration, rows * width, device)
    if configuration.time.clock == "exact":
        everywhere = EXACT_BYTES * lattice.sites
        moves = convolution(flow, halo, of_flow) if flow else 0
        return state + everywhere + 5 * 8 * rows * width + convolution(1, 0) + moves
    if not seldom:
        return state + convolution(1 + flow, halo)
    return state + rows * width * 8 + convolution(1, 0) + convolution(flow, halo, of_flow)


def needed_bytes(configuration: Configuration, communicator: Communicator, device: Device) -> int:
    """Return the largest bytes of arrays on one of these ranks, as they share memory.  Collective.

    See `array_bytes`.
    """
    ranks = communicator.size
    ours = ranks > 1 and configuration.run.fft != Mpi4pyFFT.engine
    shared = ours and shares_memory(communicator, device)
    return array_bytes(configuration, ranks, device, shared=shared)


def _start_bytes(configuration: Configuration, sites: int, device: Device) -> int:
    """Return the bytes that a start from a Gaussian stress needs beside all other arrays of a rank.

    Drawn in Fourier space: the field, its spectrum and the way there, the way back and the result.
    """
    if configuration.initial.state != "gaussian":
        return 0
    real = 8 if configuration.run.precision == "double" else 4
    fields = 1 if configuration.initial.drawn == "site" else 5
    return real * sites * fields + device.transform_work(real * sites)


def _goes_in_blocks(configuration: Configuration, sent: bool, device: Device, real: int) -> bool:
    """Tell whether a whole block of rows of the flow is stored, not only a few rows.

    It is where rows are `sent` to other ranks in messages, and without compiled loops over rows.
    """
    run = configuration.run
    if sent or run.fft not in ("auto", "vector"):
        return True
    dtype = np.float64 if real == 8 else np.float32
    return device.row_loops(device.lines(run.fft, configuration.lattice.shape, dtype)) is None


def event_rate(configuration: Configuration) -> float | None:
    """Return the expected events of a lattice in a unit of time; None if unknown."""
    model, activity = configuration.model, expected_activity(configuration)
    if model.activation == "extremal":
        return model.attempt_rate
    if activity is None:
        return None
    return activity * math.prod(configuration.lattice.shape) / model.restructuring_time


def expected_events(configuration: Configuration) -> float | None:
    """Return the expected number of logged events; None if the activity is unknown."""
    if not configuration.output.events:
        return 0.0
    rate = event_rate(configuration)
    return None if rate is None else rate * configuration.time.duration


def file_bytes(configuration: Configuration) -> int:
    """Return the bytes of the data in the run file of one run; events only if expected."""
    clock = configuration.time
    sites = math.prod(configuration.lattice.shape)

    schedule, steps = Schedule(configuration), configuration.steps(clock.duration)
    warmup = configuration.known_steps - steps
    exact = clock.clock == "exact"
    series = schedule.frames("series", warmup + steps) * (6 if exact else 5) * 8
    trajectory = schedule.frames("trajectory", steps) * configuration.tracers.number * 24
    edges = exact_bin_edges(clock.step) if exact else bin_edges()
    waits = schedule.frames("waiting_times", steps) * (edges.size - 1) * 8
    real = 8 if configuration.run.precision == "double" else 4
    thresholds = 8 if configuration.model.thresholds != "uniform" else 0
    fields = schedule.frames("fields", steps) * sites * (real + 9 + thresholds)
    one = event_bytes(instantaneous=configuration.model.events == "instantaneous")
    events = round(expected_events(configuration) or 0.0) * one
    return series + trajectory + waits + fields + events


def plan(
    configuration: Configuration, communicator: Communicator, device: Device, *, trial: bool = True
) -> Plan:
    """Tell what a run needs on a device; with `trial`, time its first steps here.  Collective.

    Nothing is written.
    """
    replicas = configuration.run.replicas
    if replicas > 1:
        check_groups(configuration, communicator.size, replicas)
    groups = Groups(communicator, list(range(replicas)))
    per_step = events = per_event = 0.0
    if trial and configuration.time.clock == "exact":
        events, per_event = _events(configuration.replica(0), groups.group, device)
    elif trial:
        per_step = _seconds_per_step(configuration.replica(0), groups.group, device)
    return Plan(
        communicator.max(needed_bytes(configuration, groups.group, device)),
        replicas * file_bytes(configuration),
        configuration.known_steps,
        communicator.max(per_step),
        -(-replicas // groups.number),
        events,
        communicator.max(per_event),
        expected_events(configuration) is not None,
    )


def _events(
    configuration: Configuration, communicator: Communicator, device: Device
) -> tuple[float, float]:
    """Return the events of a run by the exact clock, and the seconds of one.  Collective.

    The time of an event is measured here, from a stress as in a steady state.  It hardly depends on
    the temperature where few sites yield, so the trial of a cold run is a little warmer.  The
    number is the expected one, or if unknown that of the trial.
    """
    model, rate = Model(configuration, communicator, device), event_rate(configuration)
    if configuration.model.activation == "thermal":
        if rate is not None:
            coldest = COLDEST_TRIAL * model.activation.rule.yield_stress**2
            model.activation.set_temperature(max(coldest, configuration.model.temperature))
        _load(model)
    model.step()
    first, seconds = _counted(model), _trial_seconds(model)
    events, duration = (now - then for now, then in zip(_counted(model), first, strict=True))
    whole = configuration.known_steps * configuration.time.step
    return (events / duration if rate is None else rate) * whole, seconds / max(events, 1)


def _load(model: Model) -> None:
    """Set a stress as in a steady state, with no site close to yielding.  Collective."""
    rule = model.activation.rule
    edge = max(stress_at(LOWEST_BARRIER, rule), 0.3 * rule.yield_stress)
    drawn = np.random.default_rng(model.slab.start).normal(size=model.slab.shape)
    stress = np.clip(TRIAL_STRESS * rule.yield_stress * drawn, -edge, edge)
    model.set_fields(stress, np.zeros(model.slab.shape, np.int8))


def _counted(model: Model) -> tuple[float, float]:
    """Return the events and the time (tau) of the exact clock so far, on all ranks."""
    return model.communicator.broadcast(model.observables())["events"], model.time


def _seconds_per_step(
    configuration: Configuration, communicator: Communicator, device: Device
) -> float:
    """Time the first steps of a run, after some that compile and record.  Collective."""
    model = Model(configuration, communicator, device)
    for _ in range(UNTIMED_STEPS):
        model.step()
    first = model.step_count
    return _trial_seconds(model) / (model.step_count - first)


def _trial_seconds(model: Model) -> float:
    """Advance for about `TRIAL_SECONDS`, by growing numbers of ticks; return the time.  Collective.

    The host waits for each number of them: a GPU only queues steps.
    """
    model.device.synchronize()
    first, start, at_once, going = model.step_count, time.perf_counter(), 1, True
    while going:
        model.advance(model.step_count + at_once)
        model.device.synchronize()
        seconds = time.perf_counter() - start
        left = (TRIAL_SECONDS - seconds) * (model.step_count - first) / seconds
        at_once = min(2 * at_once, max(1, int(left)), LONGEST_TRIAL)
        going, at_once = model.communicator.broadcast((seconds < TRIAL_SECONDS, at_once))
    return seconds
