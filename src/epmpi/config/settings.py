"""The table of keys: each with its default, kind and range, unit and help line.

Units: lengths in lattice spacings, stresses in default yield stresses, times in default relaxation
times tau (Ferrero, Martens and Barrat, PRL 113, 248301, 2014).
"""

from dataclasses import dataclass, field
from typing import ClassVar

from epmpi.config.keys import Section, key
from epmpi.config.kinds import choice, choice_or_path, flag, integer, real, sides, stages
from epmpi.config.replica_names import MOST_REPLICAS

FFT_ENGINES = ("vector", "numpy", "mpi4py-fft")  # beside "auto"
DEVICES = ("cpu", "gpu")  # beside "auto"


@dataclass(frozen=True)
class LatticeSettings(Section):
    """The periodic lattice."""

    section: ClassVar[str] = "lattice"
    shape: tuple[int, int] = key(
        (256, 256), sides(4, 2**20), "sites", "sites along x and y; slabs are cut along x"
    )


@dataclass(frozen=True)
class ModelSettings(Section):
    """The stochastic rule (Eq. 2) and the material."""

    section: ClassVar[str] = "model"
    activation: str = key(
        "thermal",
        choice("thermal", "random", "extremal"),
        "",
        "activation by stress and temperature (Eq. 2); at a constant rate that ignores the stress "
        "(the random model starts with the given activity and draws its directions); or always of "
        "the weakest site, one event each 1 / attempt_rate (instantaneous events only)",
    )
    temperature: float = key(
        0.1,
        real(above=0),
        "stress^2",
        "T of Eq. 2; of a barrier (sigma_Y - |sigma|)^alpha in stress^alpha; without effect in the "
        "random model and with the extremal driver",
    )
    activity: float | None = key(
        None,
        real(above=0, below=1),
        "",
        "mean fraction of active sites of the random model; only there, and needed there",
    )
    direction: str = key(
        "stress",
        choice("stress", "either", "both"),
        "",
        "direction of an event: the sign of the local stress; either sign alike below the "
        "threshold at the total rate of Eq. 2; or an attempt at both thresholds, each at that rate",
    )
    barrier: float | str = key(
        "quadratic",
        real(above=0, word="quadratic"),
        "",
        "barrier of an activation: that of Eq. 2, (sigma_Y^2 - sigma^2) / 2; or (sigma_Y - "
        "|sigma|)^alpha, by its alpha: 1.5 of a saddle node, 1, 2",
    )
    yield_stress: float = key(1.0, real(above=0), "stress", "threshold sigma_Y of Eq. 2")
    attempt_rate: float = key(
        1.0, real(above=0), "1/time", "Gamma0 of Eq. 2: activation rate at the threshold"
    )
    events: str = key(
        "finite",
        choice("finite", "instantaneous"),
        "",
        "events last and strain at a constant rate (Eqs. 1 and 2); or the stress of a site drops "
        "at once, and all others change by G times it, G(r = 0) = -1 (exact clock only)",
    )
    residual: str = key(
        "exponential",
        choice("exponential", "normal"),
        "",
        "after an instantaneous event: the distance of |sigma| from the threshold is exponential; "
        "or the stress is normal with mean zero",
    )
    residual_scale: float = key(
        1.0,
        real(above=0),
        "stress",
        "mean of that distance, or standard deviation of that stress",
    )
    thresholds: str = key(
        "uniform",
        choice("uniform", "normal", "weibull"),
        "",
        "thresholds of instantaneous events: yield_stress; or random with that mean, drawn anew at "
        "each event of a site",
    )
    threshold_deviation: float = key(
        0.0, real(at_least=0), "stress", "standard deviation of random thresholds; only there"
    )
    orientation: str = key(
        "fixed",
        choice("fixed", "random"),
        "",
        "orientation psi of instantaneous events: all alike, G(q) ~ -(1 - cos 4 phi) / 2; or drawn "
        "at each event, with cos 4 (phi - psi) in its place",
    )
    restructuring_time: float = key(
        1.0, real(above=0), "time", "tau_res of Eq. 2: mean duration of an event"
    )
    relaxation_time: float = key(
        1.0, real(above=0), "time", "tau: an event strains at the rate event_strain / (2 tau)"
    )
    shear_modulus: float = key(1.0, real(above=0), "stress", "mu of Eq. 1")
    event_strain: float = key(
        1.0, real(at_least=0), "", "eps0: typical strain of an event; 0 switches elasticity off"
    )
    strain_rate: float = key(
        0.0, real(), "1/time", "imposed mean shear rate; needs propagator.macroscopic = strain"
    )


@dataclass(frozen=True)
class InitialSettings(Section):
    """The stress at the start of the warm-up."""

    section: ClassVar[str] = "initial"
    state: str = key(
        "zero",
        choice_or_path("zero", "gaussian"),
        "",
        "stress-free; Gaussian stress of zero mean; or the final state of another run, by its path",
    )
    stress_deviation: float = key(
        0.0,
        real(at_least=0, below=1e100),
        "stress",
        "standard deviation of the Gaussian stress; only there",
    )
    drawn: str = key(
        "fourier",
        choice("fourier", "site"),
        "",
        "the Gaussian stress is drawn in Fourier space, as plastic events would leave it, "
        "or independently at each site",
    )
    annealing: tuple[tuple[float, float], ...] = key(
        (),
        stages(),
        "stress^2, time",
        "temperatures and durations gone through before the warm-up, as [[T, duration], ...]",
    )


@dataclass(frozen=True)
class PropagatorSettings(Section):
    """The elastic propagator G of Eq. 1."""

    section: ClassVar[str] = "propagator"
    symbol: str = key(
        "continuum",
        choice("continuum", "lattice"),
        "",
        "G(q) = -4 qx^2 qy^2 / q^4 with q = 2 pi k / L, or with q_i^2 -> 2 - 2 cos q_i; "
        "displacements always use the first",
    )
    macroscopic: str = key(
        "strain",
        choice("strain", "stress"),
        "",
        "fixed quantity: the macroscopic strain, G(0) = -1, or the macroscopic stress, G(0) = 0",
    )
    prefactor: float = key(
        1.0,
        real(at_least=0),
        "",
        "factor of G(q) at q != 0; 1: cos(4 theta) / (pi r^2); 2: as printed in the paper",
    )


@dataclass(frozen=True)
class TracerSettings(Section):
    """Particles carried by the displacement field."""

    section: ClassVar[str] = "tracers"
    number: int = key(1024, integer(0), "", "number of tracers, one per site at most")
    interpolation: str = key(
        "bilinear",
        choice("bilinear", "nearest", "stream"),
        "",
        "velocity between the sites: bilinear; of the nearest site; or the curl of a smooth "
        "stream function, free of divergence everywhere",
    )
    every: int = key(
        5,
        integer(1),
        "steps",
        "steps between two moves of the tracers, which also move before their positions are "
        "written; by default, in whole steps, 0.5 of the shorter time of an event up to T = 0.1, "
        "0.3 above and in the random model",
    )


@dataclass(frozen=True)
class TimeSettings(Section):
    """The clock; all times are whole multiples of the step."""

    section: ClassVar[str] = "time"
    clock: str = key(
        "steps",
        choice("steps", "exact"),
        "",
        "steps of constant length; or every event at its own exact time, far faster where few "
        "sites yield: time.step is then only the unit of the times of outputs and annealing",
    )
    step: float = key(
        0.1,
        real(above=0),
        "time",
        "time step; at most 0.5 / the fastest rate (clock = steps).  The bias of the activity is "
        "0.1 % or less at 0.1 from T = 0.07 to 0.2, and grows as the square of the step",
    )
    warmup: float | str = key(
        200.0,
        real(at_least=0, word="auto"),
        "time",
        "time before the measurement, left out of its series; auto: until activity and stress "
        "variance are steady, by a criterion stated in the run file, but at most 20 durations or "
        "10^4, whichever is longer",
    )
    duration: float = key(1000.0, real(above=0), "time", "time of the measurement")


@dataclass(frozen=True)
class OutputSettings(Section):
    """Contents and intervals of the output."""

    section: ClassVar[str] = "output"
    series_every: float = key(
        1.0, real(at_least=0), "time", "interval of activity, mean stress, ...; 0: none"
    )
    trajectory_every: float = key(
        1.0, real(at_least=0), "time", "interval of the tracer positions; 0: none"
    )
    fields_every: float = key(
        0.0, real(at_least=0), "time", "interval of stress, plastic strain, events; 0: none"
    )
    trajectory_lags: str = key(
        "linear",
        choice("linear", "logarithmic"),
        "",
        "frames at trajectory_every alone, or at logarithmically spaced offsets from each of them "
        "too, so that lags span one step to the whole run in a file of bounded size",
    )
    waiting_times_every: float = key(
        0.0,
        real(at_least=0),
        "time",
        "interval of the histogram of waiting times between activations of a site, which is "
        "counted at every step; 0: none",
    )
    events: bool = key(
        False,
        flag(),
        "",
        "log of every event that began after the warm-up and has ended: start, duration, site, "
        "direction; the exact clock alone knows them",
    )
    writer: str = key(
        "auto",
        choice("auto", "stream", "parallel"),
        "",
        "writer of run.h5: one rank, to which the others stream; or all at once, with an h5py "
        "built for MPI; auto: all if that is available",
    )
    compression: int = key(
        0, integer(0, 9), "", "level of the compression of fields, trajectories and events; 0: none"
    )
    checkpoint_every: float = key(
        600.0,
        real(at_least=0),
        "s",
        "wall time between checkpoints; one is always written at the start, at the end and before "
        "a stop; 0: only these",
    )


@dataclass(frozen=True)
class RunSettings(Section):
    """Seed, replicas, device and numerics of the computation."""

    section: ClassVar[str] = "run"
    seed: int = key(1, integer(0), "", "seed of all random draws")
    replicas: int = key(
        1,
        integer(1, MOST_REPLICAS),
        "",
        "independent runs at once, which share out the ranks; replica r has the seed "
        "run.seed + r 2^32",
    )
    device: str = key("auto", choice("auto", *DEVICES), "", "device of the arrays and loops")
    walltime: float = key(
        0.0,
        real(at_least=0),
        "s",
        "wall time after which the run stops with a checkpoint, to be resumed; 0: no limit but "
        "that of the batch system (SLURM), which always counts",
    )
    stall_limit: float = key(
        0.0,
        real(at_least=0),
        "s",
        "wall time without a step after which all ranks are ended with exit code 75, to be resumed "
        "from the last checkpoint, as when a node hangs; several times what the start (a minute "
        "where code is compiled), a step, a checkpoint and a call from Python take; 0: never, only "
        "a warning after 300 s",
    )
    precision: str = key(
        "double",
        choice("double", "single"),
        "",
        "of stress and transforms; plastic strain and positions are double in both",
    )
    fft: str = key("auto", choice("auto", *FFT_ENGINES), "", "engine of the Fourier transforms")
    wire: str = key(
        "double",
        choice("double", "single"),
        "",
        "of the spectra that ranks without common memory send each other; single halves the bytes "
        "and rounds the elastic response to about 1e-7 of its largest values",
    )


@dataclass(frozen=True)
class Sections:
    """The sections, each valid separately."""

    lattice: LatticeSettings = field(default_factory=LatticeSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    initial: InitialSettings = field(default_factory=InitialSettings)
    propagator: PropagatorSettings = field(default_factory=PropagatorSettings)
    tracers: TracerSettings = field(default_factory=TracerSettings)
    time: TimeSettings = field(default_factory=TimeSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    run: RunSettings = field(default_factory=RunSettings)
