"""Invalid combinations of keys: each check yields its errors, of one line each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from epmpi.config.event_checks import check_extremal, check_instantaneous, check_orientation
from epmpi.config.keys import ConfigError
from epmpi.config.replica_names import SEED_STRIDE
from epmpi.config.settings import (
    InitialSettings,
    LatticeSettings,
    ModelSettings,
    OutputSettings,
    PropagatorSettings,
    RunSettings,
    Sections,
    TimeSettings,
    TracerSettings,
)

LARGEST_RATE_STEP = 0.5  # largest rate x step at which the switching of sites is resolved
TOLERANCE = 1e-9  # relative, of a time that is a whole number of steps
MOST_STEPS = 2**53  # above it, times in double precision cannot resolve a step


def check_combinations(sections: Sections) -> None:
    """Raise ConfigError for keys that are valid separately but not together."""
    model, initial, output = sections.model, sections.initial, sections.output
    clock, run, tracers = sections.time, sections.run, sections.tracers
    checks: tuple[tuple[Callable[..., Iterator[str]], *tuple[Any, ...]], ...] = (
        (check_activation, model),
        (check_instantaneous, model, clock),
        (check_extremal, model, initial),
        (check_orientation, model, tracers),
        (check_initial, initial, model),
        (check_loading, model, sections.propagator),
        (check_tracers, tracers, output, sections.lattice),
        (check_wire, run),
        (check_clock, clock, run, tracers),
        (check_events, clock, output),
        (check_step, clock, model),
        (check_multiples, clock, initial, output),
        (check_seed, run),
    )
    if faults := [fault for check, *settings in checks for fault in check(*settings)]:
        raise ConfigError(*faults)


OF_THE_BARRIER = ("thermal", "extremal")  # activation: model.barrier and model.direction hold


def check_activation(model: ModelSettings) -> Iterator[str]:
    """Check what only some of the rules have: an activity, a barrier, a choice of directions."""
    if model.activation != "random" and model.activity is not None:
        yield (
            f'model.activity = {model.activity} with model.activation = "{model.activation}": the '
            "activity is a result there; leave model.activity out or set model.activation = "
            '"random"'
        )
    if model.activation == "random" and model.activity is None:
        yield (
            'model.activation = "random" without model.activity: expected the mean fraction of '
            "active sites, > 0 and < 1; set model.activity"
        )
    if model.activation in OF_THE_BARRIER:
        return
    if model.direction != "stress":
        yield (
            f'model.direction = "{model.direction}" with model.activation = "{model.activation}": '
            "this rule has directions of its own; leave model.direction out"
        )
    if model.barrier != "quadratic":
        yield (
            f'model.barrier = {model.barrier!r} with model.activation = "{model.activation}": this '
            "rule has no such barrier; leave model.barrier out"
        )


def check_initial(initial: InitialSettings, model: ModelSettings) -> Iterator[str]:
    """Check the keys of the Gaussian state, and that only the thermal model is annealed."""
    if initial.state == "gaussian" and initial.stress_deviation == 0:
        yield (
            'initial.state = "gaussian" without initial.stress_deviation: expected the '
            "standard deviation of the stress, > 0; set initial.stress_deviation"
        )
    if initial.annealing and model.activation == "random":
        yield (
            'initial.annealing with model.activation = "random": the random model has no '
            "temperature; leave initial.annealing out"
        )
    if initial.state == "gaussian":
        return
    for name, value, default in (
        ("stress_deviation", initial.stress_deviation, 0.0),
        ("drawn", initial.drawn, "fourier"),
    ):
        if value != default:
            yield (
                f"initial.{name} = {value!r} with initial.state = {initial.state!r}: only the "
                f'state "gaussian" is drawn; leave initial.{name} out or set initial.state = '
                '"gaussian"'
            )


def check_loading(model: ModelSettings, propagator: PropagatorSettings) -> Iterator[str]:
    """Check that a strain rate is imposed only if the macroscopic strain is."""
    rate = model.strain_rate
    if rate != 0 and propagator.macroscopic == "stress":
        yield (
            f'model.strain_rate = {rate} with propagator.macroscopic = "stress": where the stress '
            "is held the strain cannot be imposed; set model.strain_rate = 0 or "
            'propagator.macroscopic = "strain"'
        )


def check_tracers(
    tracers: TracerSettings, output: OutputSettings, lattice: LatticeSettings
) -> Iterator[str]:
    """Check the number of tracers against the lattice and the output."""
    number, every = tracers.number, output.trajectory_every
    lx, ly = lattice.shape
    if number > lx * ly:
        yield (
            f"tracers.number = {number} on {lx} x {ly} sites: expected one tracer per site at "
            f"most; set tracers.number = {lx * ly} or less"
        )
    if number == 0 and every > 0:
        yield (
            f"output.trajectory_every = {every} with tracers.number = 0: there is no trajectory; "
            "set output.trajectory_every = 0 or tracers.number > 0"
        )


def check_wire(run: RunSettings) -> Iterator[str]:
    """Check that the engine of the transform can send rounded spectra."""
    if run.wire == "single" and run.fft == "mpi4py-fft":
        yield (
            f'run.wire = "single" with run.fft = "{run.fft}": that library cannot round the '
            'spectra that it sends; set run.wire = "double" or run.fft = "auto"'
        )


def shortest_time(model: ModelSettings) -> tuple[float, str]:
    """Return the inverse of the fastest rate of the model, and the key that sets it."""
    times = [
        (model.restructuring_time, "model.restructuring_time"),
        (model.relaxation_time, "model.relaxation_time"),
    ]
    if model.activity is not None:  # the random model activates at a / ((1 - a) tau_res)
        odds = (1 - model.activity) / model.activity
        times.append((odds * model.restructuring_time, "model.activity"))
    else:
        attempts = 2 if model.direction == "both" else 1
        times.append((1 / model.attempt_rate / attempts, "model.attempt_rate"))
    return min(times)


def check_clock(clock: TimeSettings, run: RunSettings, tracers: TracerSettings) -> Iterator[str]:
    """Check for keys that the exact clock does not support."""
    if clock.clock != "exact":
        return
    for name, value, expected in (
        ("run.precision", run.precision, ("double",)),
        ("run.device", run.device, ("cpu", "auto")),
        ("tracers.every", tracers.every, (1, TracerSettings().every)),
    ):
        if value not in expected:
            yield (
                f'{name} = {value!r} with time.clock = "exact": expected {expected[0]!r} (it works '
                "in double precision, on CPUs, and moves the tracers when they are looked at); "
                f'set {name} = {expected[0]!r} or time.clock = "steps"'
            )


def check_events(clock: TimeSettings, output: OutputSettings) -> Iterator[str]:
    """Check that events are logged only by the exact clock, which knows their times."""
    if output.events and clock.clock != "exact":
        yield (
            f'output.events = true with time.clock = "{clock.clock}": expected the exact clock, '
            "which alone knows when an event begins and ends; set output.events = false or "
            'time.clock = "exact"'
        )


def check_step(clock: TimeSettings, model: ModelSettings) -> Iterator[str]:
    """Check that the fastest rate is resolved by the time step; the exact clock takes any."""
    if clock.clock == "exact":
        return
    step = clock.step
    time, name = shortest_time(model)
    largest = LARGEST_RATE_STEP * time
    if step > largest * (1 + TOLERANCE):
        yield (
            f"time.step = {step} is too long for the rates of this model: expected at most "
            f"{largest:.12g}, {LARGEST_RATE_STEP} / the fastest rate, which {name} sets; "
            "set a shorter time.step"
        )


def whole_multiple(time: float, unit: float) -> int | None:
    """Return time / unit where it is whole within the tolerance, else None."""
    if not math.isfinite(time / unit):
        return None
    count = round(time / unit)
    return count if abs(time - count * unit) <= TOLERANCE * time else None


def times_in_steps(
    clock: TimeSettings, initial: InitialSettings, output: OutputSettings
) -> Iterator[tuple[str, float]]:
    """Yield key and value of each time that must be a multiple of the step."""
    if isinstance(clock.warmup, float):
        yield "time.warmup", clock.warmup
    for _, duration in initial.annealing:
        yield "initial.annealing", duration
    yield "time.duration", clock.duration
    yield "output.series_every", output.series_every
    yield "output.trajectory_every", output.trajectory_every
    yield "output.fields_every", output.fields_every
    yield "output.waiting_times_every", output.waiting_times_every


def check_multiples(
    clock: TimeSettings, initial: InitialSettings, output: OutputSettings
) -> Iterator[str]:
    """Check that every time is a whole number of steps."""
    step = clock.step
    faults = []
    for name, time in times_in_steps(clock, initial, output):
        if time > MOST_STEPS * step:
            yield (
                f"{name} = {time} with time.step = {step}: expected at most 2^53 steps; "
                "set a shorter time or a longer time.step"
            )
            continue
        if whole_multiple(time, step) is None:
            nearest = step * max(round(time / step), 0 if name == "time.warmup" else 1)
            faults.append(
                f"{name} = {time}, expected a multiple of time.step = {step:.12g}, "
                f"nearest {nearest:.12g}"
            )
    if faults:
        yield f"{'; '.join(faults)}; set the nearest or another time.step"


def check_seed(run: RunSettings) -> Iterator[str]:
    """Check that no replicas of two ensembles share a seed."""
    seed, replicas = run.seed, run.replicas
    if replicas > 1 and seed >= SEED_STRIDE:
        yield (
            f"run.seed = {seed} with run.replicas = {replicas}: replica r has the seed run.seed + "
            "r 2^32, expected run.seed below 2^32 = 4294967296; set a smaller run.seed"
        )


def most_ranks(shape: tuple[int, int]) -> int:
    """Return the largest number of slabs of a lattice (Lx, Ly), min(Lx, Ly // 2).

    Every rank owns at least one row x of the lattice and one column ky of its spectrum.
    """
    length, width = shape
    return min(length, width // 2)


def check_ranks(lattice: LatticeSettings, ranks: int) -> None:
    """Raise ConfigError if the lattice cannot be cut into a slab for each rank."""
    lx, ly = lattice.shape
    most = most_ranks(lattice.shape)
    if not 1 <= ranks <= most:
        raise ConfigError(
            f"{ranks} ranks for a lattice of {lx} x {ly} sites: expected 1 to {most} ranks, "
            f"min(Lx, Ly // 2); start at most {most} ranks or enlarge lattice.shape"
        )
