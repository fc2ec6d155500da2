"""Invalid combinations of the keys of instantaneous events: checks that yield their errors."""

from __future__ import annotations

from collections.abc import Iterator

from epmpi.config.settings import InitialSettings, ModelSettings, TimeSettings, TracerSettings

ONLY_INSTANTANEOUS = (
    "residual",
    "residual_scale",
    "thresholds",
    "threshold_deviation",
    "orientation",
)
SMALLEST_DEVIATION, LARGEST_DEVIATION = 0.002, 10.0  # of Weibull thresholds, over their mean


def check_instantaneous(model: ModelSettings, clock: TimeSettings) -> Iterator[str]:
    """Check the keys that only instantaneous events have, and those that they need."""
    if model.events == "finite":
        yield from _check_finite(model)
        return
    if clock.clock != "exact":
        yield (
            f'model.events = "instantaneous" with time.clock = "{clock.clock}": expected the exact '
            'clock, by which no two events happen at once; set time.clock = "exact" or '
            'model.events = "finite"'
        )
    if model.activation == "random":
        yield (
            'model.events = "instantaneous" with model.activation = "random": the drop of an event '
            'is that of a threshold, expected "thermal" or "extremal"; set model.activation = '
            '"thermal" or model.events = "finite"'
        )
    if model.direction != "stress":
        yield (
            f'model.direction = "{model.direction}" with model.events = "instantaneous": the '
            'stress drops towards 0, expected "stress"; leave model.direction out'
        )
    if model.event_strain == 0:
        yield (
            'model.event_strain = 0 with model.events = "instantaneous": no stress would drop, '
            "expected a strain > 0 (any: the drop decides); leave model.event_strain out"
        )
    yield from _check_thresholds(model)


def _check_finite(model: ModelSettings) -> Iterator[str]:
    default = ModelSettings()
    for name in ONLY_INSTANTANEOUS:
        value = getattr(model, name)
        if value != getattr(default, name):
            yield (
                f'model.{name} = {value!r} with model.events = "finite": only instantaneous '
                f'events have it; leave model.{name} out or set model.events = "instantaneous"'
            )
    if model.activation == "extremal":
        yield (
            'model.activation = "extremal" with model.events = "finite": the next site is the '
            "weakest one after the event before is over, expected instantaneous events; set "
            'model.events = "instantaneous"'
        )


def _check_thresholds(model: ModelSettings) -> Iterator[str]:
    deviation, random = model.threshold_deviation, model.thresholds != "uniform"
    if not random and deviation != 0:
        yield (
            f'model.threshold_deviation = {deviation} with model.thresholds = "uniform": expected '
            '0; leave it out or set model.thresholds = "normal" or "weibull"'
        )
    if random and deviation == 0:
        yield (
            f'model.thresholds = "{model.thresholds}" without model.threshold_deviation: expected '
            "the standard deviation of the thresholds, > 0; set model.threshold_deviation"
        )
        return
    mean = model.yield_stress
    least, most = SMALLEST_DEVIATION * mean, LARGEST_DEVIATION * mean
    if model.thresholds == "weibull" and not least <= deviation <= most:
        yield (
            f'model.threshold_deviation = {deviation} with model.thresholds = "weibull": expected '
            f"{least:g} to {most:g}, {SMALLEST_DEVIATION:g} to {LARGEST_DEVIATION:g} of "
            "model.yield_stress; set one between"
        )


def check_orientation(model: ModelSettings, tracers: TracerSettings) -> Iterator[str]:
    """Check that no tracer is to follow events of random orientation."""
    if model.orientation == "random" and tracers.number > 0:
        yield (
            f'tracers.number = {tracers.number} with model.orientation = "random": tracers follow '
            "events of the fixed orientation alone, expected none; set tracers.number = 0"
        )


def check_extremal(model: ModelSettings, initial: InitialSettings) -> Iterator[str]:
    """Check what an extremal dynamics does not have: a temperature, and a drive."""
    if model.activation != "extremal":
        return
    if model.strain_rate != 0:
        yield (
            f'model.strain_rate = {model.strain_rate} with model.activation = "extremal": the '
            "weakest site yields without a drive; leave model.strain_rate out"
        )
    if initial.annealing:
        yield (
            'initial.annealing with model.activation = "extremal": it has no temperature; leave '
            "initial.annealing out"
        )
