"""Keys that cannot go together, the time step and its multiples, and the number of ranks."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import override, refusal

from epmpi.config import FFT_ENGINES, ConfigError, Configuration, check_ranks, from_mapping
from epmpi.config.parsing import parse_value

# No deadline: ranks of one test run share cores. No database: they would share its files.
PROPERTY = settings(deadline=None, database=None)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["model.activity=0.1", "model.activation=thermal"],
            ["model.activity = 0.1", "leave model.activity out"],
        ),
        (["model.activation=random"], ["set model.activity"]),
        (
            ["model.activation=random", "model.activity=0.1", "model.barrier=1.5"],
            ["model.barrier = 1.5", "leave model.barrier out"],
        ),
        (
            ["model.activation=random", "model.activity=0.1", "model.direction=either"],
            ['"either"', "directions of its own", "leave model.direction out"],
        ),
        (["initial.state=gaussian"], ["set initial.stress_deviation"]),
        (
            ["initial.stress_deviation=0.1", "initial.state=zero"],
            ["stress_deviation = 0.1", "'zero'"],
        ),
        (["initial.drawn=site", "initial.state=zero"], ["initial.drawn", "'zero'"]),
        (["initial.state=old/run.h5", "initial.stress_deviation=1"], ["'old/run.h5'"]),
        (
            ["model.strain_rate=-1e-3", "propagator.macroscopic=stress"],
            ["-0.001", 'propagator.macroscopic = "strain"'],
        ),
        (["lattice.shape=[16, 31]", "tracers.number=1024"], ["1024", "16 x 31", "496 or less"]),
        (["tracers.number=0", "output.trajectory_every=1"], ["output.trajectory_every = 0"]),
        (["run.wire=single", "run.fft=mpi4py-fft"], ['set run.wire = "double"']),
        (["run.fft=cufftmp"], ["run.fft = 'cufftmp'", '"mpi4py-fft"']),
        (
            ["time.clock=exact", "run.precision=single"],
            ["run.precision = 'single'", "set run.precision = 'double'", 'time.clock = "steps"'],
        ),
        (
            ["time.clock=exact", "run.device=gpu"],
            ["run.device = 'gpu'", "set run.device = 'cpu'", 'time.clock = "steps"'],
        ),
        (
            ["time.clock=exact", "tracers.every=2"],
            ["tracers.every = 2", "set tracers.every = 1", 'time.clock = "steps"'],
        ),
        (["time.clock=hourly"], ["time.clock = 'hourly'", '"steps"', '"exact"']),
        (["time.clock=exact", "time.warmup=200", "time.step=0.03"], ["time.warmup", "0.03"]),
        (["time.step=0.6"], ["at most 0.5,"]),
        (["time.step=1e-15"], ["time.warmup", "2^53"]),
        (["output.fields_every=1e300"], ["output.fields_every", "2^53"]),
    ],
)
def test_an_impossible_combination_is_refused(overrides, words):
    """The message tells the remedy."""
    message = refusal(override, *overrides)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.activation=random", "model.activity=0.1"],
        ["initial.state=gaussian", "initial.stress_deviation=0.3", "initial.drawn=site"],
        ["initial.state=old/run"],
        ["initial.state=run.h5"],
        ["model.strain_rate=-1e-3"],
        ["lattice.shape=[4, 4]", "tracers.number=16"],
        ["tracers.number=0", "output.trajectory_every=0"],
        ["output.trajectory_every=0"],
        ["time.warmup=0"],
        ["model.event_strain=0"],
        ["time.clock=exact", "time.step=1e5"],
        ["time.clock=exact", "time.step=0.7", "model.direction=both", "model.attempt_rate=30"],
        ["time.clock=exact", "time.step=1e5", "model.activation=random", "model.activity=0.9"],
        ["time.clock=exact", "run.device=auto", "run.precision=double", "tracers.every=1"],
        ["propagator.prefactor=0", "propagator.macroscopic=stress"],
        ["output.series_every=0"],
        ["run.seed=9223372036854775807"],
        ["run.wire=single"],
        *([f"run.fft={engine}"] for engine in ("auto", *FFT_ENGINES)),
    ],
)
def test_a_possible_combination_is_accepted(overrides):
    """The checks leave what can be run."""
    changed = override(*overrides).to_mapping()
    for text in overrides:
        name, _, value = text.partition("=")
        section, _, key = name.partition(".")
        assert changed[section][key] == parse_value(value, name)


class TestTimeStep:
    """The bound on the step, and the times that are multiples of it."""

    @pytest.mark.parametrize(
        ("overrides", "largest", "name"),
        [
            (["model.attempt_rate=4"], 0.125, "model.attempt_rate"),
            (["model.attempt_rate=4", "model.direction=both"], 0.0625, "model.attempt_rate"),
            (["model.attempt_rate=4", "model.direction=either"], 0.125, "model.attempt_rate"),
            (["model.restructuring_time=0.2"], 0.1, "model.restructuring_time"),
            (["model.relaxation_time=0.02"], 0.01, "model.relaxation_time"),
            (["model.activation=random", "model.activity=0.8"], 0.125, "model.activity"),
            (["model.activation=random", "model.activity=0.2"], 0.5, "model.relaxation_time"),
        ],
    )
    def test_is_bounded_by_the_fastest_rate(self, overrides, largest, name):
        """The largest step is named, and accepted; a little more is not."""
        times = [f"time.duration={8 * largest}", "time.warmup=0", "tracers.number=0"]
        times += [f"output.{key}=0" for key in ("series_every", "trajectory_every")]
        message = refusal(override, *overrides, *times, f"time.step={largest * 1.001}")
        assert f"at most {largest:.12g}," in message
        assert name in message
        accepted = override(*overrides, *times, f"time.step={largest}")
        assert accepted.time.step == largest

    @pytest.mark.parametrize(
        "key",
        ["time.warmup", "time.duration"]
        + [f"output.{name}_every" for name in ("series", "trajectory", "fields")],
    )
    def test_divides_every_time(self, key):
        """A time between two steps is refused; the nearest multiple that is named is accepted."""
        message = refusal(override, f"{key}=10.03", "time.step=0.05")
        assert f"{key} = 10.03, expected a multiple of time.step = 0.05, nearest 10.05" in message
        assert override(f"{key}=10.05", "time.step=0.05")
        written = f"{key}=10.0500001", "time.step=0.05"
        assert f"{key} = 10.0500001" in refusal(override, *written)
        assert override(f"{key}=10.0500000001", "time.step=0.05")

    @pytest.mark.parametrize("key", ["time.duration", "output.fields_every"])
    def test_is_the_least_time(self, key):
        """The nearest multiple of a very short time is one step, not zero."""
        assert "nearest 0.1;" in refusal(override, f"{key}=0.001")

    def test_may_be_longer_than_no_warmup(self):
        """The nearest multiple of a very short warm-up is none."""
        assert "nearest 0;" in refusal(override, "time.warmup=0.001")

    def test_that_fits_nothing_is_reported_once(self):
        """One message names all the times that do not fit."""
        written = ("time.warmup=200", "time.duration=1000", "output.series_every=1")
        message = refusal(override, "time.step=0.03", *written)
        assert "time.warmup = 200.0, expected a multiple of time.step = 0.03" in message
        assert "time.duration" in message
        assert "output.series_every" in message
        assert "output.fields_every" not in message

    def test_tracer_frames_may_be_closer_than_tracer_updates(self):
        """Frames move the tracers."""
        made = override("tracers.every=7", "output.trajectory_every=0.2", "time.warmup=0.1")
        assert (made.time.step, made.tracers.every) == (0.1, 7)

    @PROPERTY
    @given(count=st.integers(1, 10**8), step=st.floats(1e-6, 0.5))
    def test_counts_steps(self, count, step):
        """The number of steps survives the rounding of the product."""
        times = {"step": step, "duration": count * step, "warmup": 0.0}
        output = {"series_every": step, "trajectory_every": 0.0}
        made = from_mapping({"time": times, "output": output})
        assert made.steps(made.time.duration) == count
        assert made.steps(made.time.warmup) == 0
        assert made.steps(made.output.series_every) == 1

    @PROPERTY
    @given(time=st.floats(0.01, 1e5), step=st.floats(1e-3, 0.5))
    def test_nearest_time_is_accepted(self, time, step):
        """The message proposes the nearest valid duration."""
        mapping = {
            "time": {"step": step, "duration": time, "warmup": 0},
            "output": {"series_every": 0, "trajectory_every": 0},
        }
        try:
            from_mapping(mapping)
        except ConfigError as error:
            nearest = float(str(error).split("nearest ")[1].split(";")[0])
            mapping["time"]["duration"] = nearest
            assert from_mapping(mapping).time.duration == nearest
            assert abs(nearest - time) <= step / 2 * (1 + 1e-6) or nearest == pytest.approx(step)

    @pytest.mark.parametrize("time", [0.07, -0.05, math.nan, math.inf])
    def test_steps_of_another_time_are_refused(self, time):
        """`steps` does not round."""
        assert "0.1" in refusal(Configuration().steps, time)


@pytest.mark.parametrize(
    ("shape", "most"), [("[16, 16]", 8), ("[5, 64]", 5), ("[64, 7]", 3), ("[4, 4]", 2)]
)
def test_ranks_are_bounded(shape, most):
    """Every rank owns a row of the lattice and a column of the spectrum."""
    made = override(f"lattice.shape={shape}", "tracers.number=1")
    check_ranks(made.lattice, 1)
    check_ranks(made.lattice, most)
    assert f"at most {most} ranks" in refusal(check_ranks, made.lattice, most + 1)
    refusal(check_ranks, made.lattice, 0)
