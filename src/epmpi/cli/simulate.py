"""epmpi run, resume: start or continue a run."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import epmpi
from epmpi.cli.words import closing, in_time
from epmpi.config import (
    ENSEMBLE_MAY_CHANGE,
    ConfigError,
    Configuration,
    changed,
    expected_run,
    is_ensemble,
    load,
)
from epmpi.host import signals
from epmpi.host.console import say
from epmpi.host.exits import STOPPED, USER_ERROR
from epmpi.host.host_memory import in_bytes
from epmpi.output import configuration_to_begin, event_bytes, may_begin, on_root, why_not
from epmpi.parallel import Communicator
from epmpi.run.steady import longest_warmup
from epmpi.run.stopping import TIME_LIMIT, Interrupted

if TYPE_CHECKING:
    from epmpi.devices import Device
    from epmpi.ensemble import Ensemble
    from epmpi.run.simulation import Simulation

# The commands import the simulation late: the other commands need no compiler.


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    run = commands.add_parser("run", help="run a configuration, alone or under mpiexec -n P")
    run.add_argument("configuration", type=Path, help="TOML file")
    run.add_argument("-o", "--output", type=Path, help="RUN directory (default: runs/NAME)")
    _add_overrides(run, "change one key of the configuration")
    run.add_argument(
        "--dry-run", action="store_true", help="estimate memory, disk and time; write nothing"
    )
    run.set_defaults(command=_run, stops=True)

    resume = commands.add_parser("resume", help="continue a run from its checkpoint")
    resume.add_argument("run", type=Path, help="RUN directory")
    _add_overrides(resume, f"change {', '.join(ENSEMBLE_MAY_CHANGE)}")
    resume.add_argument(
        "--previous", action="store_true", help="use the checkpoint before the last"
    )
    resume.set_defaults(command=_resume, stops=True)


def _add_overrides(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help=help,
    )  # fmt: skip


def _load(chosen: argparse.Namespace, communicator: Communicator) -> Configuration:
    """Read the configuration on the root and give it to all; the same error everywhere."""
    found = on_root(communicator, lambda: load(chosen.configuration, chosen.overrides))
    configuration: Configuration = communicator.broadcast(found)
    return configuration


def _run(chosen: argparse.Namespace, communicator: Communicator) -> int:
    configuration = _load(chosen, communicator)
    directory = chosen.output or Path("runs") / chosen.configuration.stem
    if chosen.dry_run:
        signals.release()
        code = _tell_plan(configuration, communicator)
        if communicator.is_root:
            print(closing([], ["run", chosen.configuration, "-o", directory]))
        return code
    from epmpi.ensemble import Ensemble
    from epmpi.run.simulation import Simulation

    _refuse_existing(directory, communicator)
    if configuration.run.replicas > 1:
        return _run_ensemble(Ensemble(configuration, communicator), directory, f"-> {directory}")
    simulation = Simulation(configuration, communicator)
    return _run_simulation(simulation, directory, f"-> {directory}")


def _resume(chosen: argparse.Namespace, communicator: Communicator) -> int:
    from epmpi.ensemble import Ensemble
    from epmpi.run.simulation import Simulation

    if communicator.broadcast(is_ensemble(chosen.run)):
        if chosen.previous:
            raise ConfigError(f"--previous: {expected_run(chosen.run)}")
        ensemble = Ensemble.resume(chosen.run, chosen.overrides, communicator)
        done = _complete(chosen.run) if not ensemble.replicas else ""
        return _run_ensemble(ensemble, None, f"resumed -> {chosen.run}{done}")
    begun_anew = communicator.broadcast(
        on_root(communicator, lambda: configuration_to_begin(chosen.run))
    )
    if begun_anew is not None:
        simulation = Simulation(changed(begun_anew, chosen.overrides), communicator)
        return _run_simulation(simulation, chosen.run, f"-> {chosen.run}")
    simulation = Simulation.resume(
        chosen.run, chosen.overrides, communicator, previous=chosen.previous
    )
    step = simulation.model.step_count
    done = _complete(chosen.run) if step == simulation.total_steps else ""
    return _run_simulation(simulation, None, f"from step {step} -> {chosen.run}{done}")


def _complete(run: Path) -> str:
    """Return a line that the run is complete, and how to extend it."""
    further = shlex.join(["epmpi", "resume", str(run), "--set", "time.duration=LONGER"])
    return f"\nit is complete: nothing is left to do; to go further: {further}"


def _run_ensemble(ensemble: Ensemble, directory: Path | None, what: str) -> int:
    """Run a new or resumed ensemble; return the exit code."""
    configuration, groups = ensemble.configuration, ensemble.groups.number
    length, width = configuration.lattice.shape
    replicas = configuration.run.replicas
    head = (
        f"{replicas} replicas of {length} x {width} sites, {len(ensemble.replicas)} to run, "
        f"{_ranks(ensemble.communicator)} in {groups} group{'s' * (groups > 1)}, "
        f"{ensemble.device.name}, {configuration.run.precision} precision {what}"
    )
    if directory is not None:
        head += _of_sides(configuration, ensemble.device)
    return _carry_out(
        ensemble, directory, head,
        lambda: f"with {ensemble.finished} of {replicas} replicas finished",
    )  # fmt: skip


def _run_simulation(simulation: Simulation, directory: Path | None, what: str) -> int:
    """Run a new or resumed simulation; return the exit code."""
    configuration, model = simulation.configuration, simulation.model
    length, width = configuration.lattice.shape
    head = (
        f"{length} x {width} sites, {_ranks(simulation.communicator)}, {model.device.name}, "
        f"{configuration.run.precision} precision, {model.fft.engine} transform {what}"
    )
    if not simulation.is_resumed:
        head += _of_sides(configuration, model.device)
    elif model.is_imposed:
        head += "\n" + _imposed(simulation)
    return _carry_out(
        simulation, directory, head, lambda: f"at step {model.step_count}",
        lambda: simulation.activity,
    )  # fmt: skip


def _imposed(simulation: Simulation) -> str:
    """Return a line on the temperature and the strain rate that a caller in Python has set."""
    return (
        f"temperature {simulation.temperature:g} and strain rate {simulation.strain_rate:g} keep "
        "the values last set from Python; Simulation.resume(RUN).run(every=..., call=...) "
        "continues to set them"
    )


def _ranks(communicator: Communicator) -> str:
    return f"{communicator.size} rank{'s' * (communicator.size > 1)}"


def _carry_out(
    work: Simulation | Ensemble,
    directory: Path | None,
    head: str,
    reached: Callable[[], str],
    activity: Callable[[], float | None] = lambda: None,
) -> int:
    """Print a heading, run, and print the progress if it stopped early; return the exit code.

    Advice on the clock is based on the expected activity, or else on that of the run, at its end.
    """
    from epmpi.model.expected import expected_activity

    is_root, expected = work.communicator.is_root, expected_activity(work.configuration)
    if is_root:
        print(f"epmpi {epmpi.__version__}: {head}", flush=True)
        _tell_adapted(work.configuration)
        _tell_clock(work.configuration, expected)
    try:
        run = work.run(directory)
    except Interrupted as stop:
        run = stop.directory
    if is_root and expected is None:
        _tell_clock(work.configuration, activity())
    if not work.stopped:
        if is_root:
            print(closing([run], ["analyse", run]), flush=True)
        return 0
    in_vain = work.stopped == TIME_LIMIT and not work.progressed
    if is_root:
        how = f"stopped ({work.stopped}) {reached()}"
        if in_vain:
            how += (
                ", after one step: the time limit leaves no time beside the checkpoints, and to "
                "queue it again unchanged is useless; give it more (run.walltime, the job's limit)"
            )
        say(f"epmpi: {how}; continue with: epmpi resume {run}")
    return USER_ERROR if in_vain else STOPPED


def _tell_adapted(configuration: Configuration) -> None:
    """Print the defaults that were adapted to the keys that are set."""
    if adapted := configuration.adapted:
        print(f"adapted to the keys that are set: {', '.join(adapted)}", flush=True)


def _of_sides(configuration: Configuration, device: Device) -> str:
    """Return the advice on sides that transform slowly, on a line of its own, or nothing."""
    from epmpi.run.size_advice import size_advice

    line = size_advice(configuration, device)
    return f"\n{line}" if line else ""


def _tell_clock(configuration: Configuration, activity: float | None) -> None:
    """Print the advice to use the other clock, where it would be much faster."""
    from epmpi.run.clock_advice import advice

    if line := advice(configuration, activity):
        print(line, flush=True)


def _refuse_existing(directory: Path, communicator: Communicator) -> None:
    """Refuse an existing RUN early, before the model is made; `open_run` checks it again."""

    def refuse() -> None:
        if os.path.lexists(directory) and not may_begin(directory):
            raise ConfigError(why_not(directory))

    on_root(communicator, refuse)


def _tell_plan(configuration: Configuration, communicator: Communicator) -> int:
    from epmpi.model.expected import expected_activity
    from epmpi.parallel.placement import check_memory, place
    from epmpi.run.planning import plan

    device = place(configuration.device, communicator)
    needs = plan(configuration, communicator, device, trial=False)
    if communicator.is_root:
        print(
            f"memory   {in_bytes(needs.memory)} of arrays a rank, on {communicator.size} rank(s), "
            f"{device.name}"
        )
        _tell_adapted(configuration)
        print(f"disk     {in_bytes(needs.disk)}", flush=True)
        if not needs.knows_events:
            instantaneous = configuration.model.events == "instantaneous"
            law = ": it is activity x sites x time.duration / model.restructuring_time"
            print(
                f"         and {event_bytes(instantaneous=instantaneous)} bytes an event "
                f"(output.events), whose number is not known before{'' if instantaneous else law}"
            )
    check_memory(needs.memory, device, communicator)
    needs = plan(configuration, communicator, device)
    if communicator.is_root:
        rounds = f"{needs.rounds} x " if configuration.run.replicas > 1 else ""
        work = f"{needs.steps} steps of {1e3 * needs.seconds_per_step:.3g} ms"
        if needs.seconds_per_event:
            work = f"about {needs.events:.2g} events of {1e6 * needs.seconds_per_event:.3g} us"
        print(
            f"time     {in_time(needs.seconds)} for {rounds}{work}, timed here on the first ones"
            + _of_sides(configuration, device)
        )
        _tell_clock(configuration, expected_activity(configuration))
        if configuration.warmup_steps is None:
            longest = longest_warmup(configuration.time.duration)
            print(
                '         without the warm-up, whose length time.warmup = "auto" leaves open: '
                f"{longest:.6g} at most"
            )
    return 0
