"""The sections of a configuration, together."""

from __future__ import annotations

from dataclasses import dataclass, field

from epmpi.config import settings


@dataclass(frozen=True)
class Sections:
    """The sections, each valid separately."""

    lattice: settings.LatticeSettings = field(default_factory=settings.LatticeSettings)
    model: settings.ModelSettings = field(default_factory=settings.ModelSettings)
    initial: settings.InitialSettings = field(default_factory=settings.InitialSettings)
    propagator: settings.PropagatorSettings = field(default_factory=settings.PropagatorSettings)
    tracers: settings.TracerSettings = field(default_factory=settings.TracerSettings)
    time: settings.TimeSettings = field(default_factory=settings.TimeSettings)
    output: settings.OutputSettings = field(default_factory=settings.OutputSettings)
    run: settings.RunSettings = field(default_factory=settings.RunSettings)
