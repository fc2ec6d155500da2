"""The model against the oracle, step for step, on any number of ranks."""

import math

import numpy as np
import oracle
import pytest
from engines import every_engine

from epmpi.config import ConfigError, Configuration
from epmpi.devices import CPU
from epmpi.model.model import Model
from epmpi.parallel import Communicator

pytestmark = pytest.mark.mpi

STEPS = 30
UNITS = [
    "model.yield_stress=0.9",
    "model.attempt_rate=1.4",
    "model.restructuring_time=1.7",
    "model.relaxation_time=0.7",
    "model.shear_modulus=1.3",
    "model.event_strain=0.8",
]
CASES = {
    "default": [],
    "all units": UNITS,
    "either": ["model.direction=either"],
    "both": ["model.direction=both"],
    "barrier 3/2": [*UNITS, "model.barrier=1.5"],
    "barrier 1/2": ["model.barrier=0.5", "model.direction=both"],
    "random": ["model.activation=random", "model.activity=0.2"],
    "random, all units": [*UNITS, "model.activation=random", "model.activity=0.3"],
    "lattice symbol": ["propagator.symbol=lattice"],
    "stress held": ["propagator.macroscopic=stress"],
    "prefactor": ["propagator.prefactor=2.0"],
    "sheared": ["model.strain_rate=0.6", "model.temperature=0.05", "model.shear_modulus=1.3"],
    "gaussian, fourier": ["initial.state=gaussian", "initial.stress_deviation=0.4"],
    "gaussian, site": [
        "initial.state=gaussian",
        "initial.stress_deviation=0.7",
        "initial.drawn=site",
        "propagator.symbol=lattice",
    ],
    "nearest": ["tracers.interpolation=nearest"],
    "stream": ["tracers.interpolation=stream"],
    "every 1, bilinear": ["tracers.every=1"],
    "every 1, nearest": ["tracers.every=1", "tracers.interpolation=nearest"],
    "every 1, stream": ["tracers.every=1", "tracers.interpolation=stream", *UNITS],
    "every 3, bilinear": ["tracers.every=3"],
    "every 4, stream": ["tracers.every=4", "tracers.interpolation=stream", *UNITS],
    "every 2, nearest": ["tracers.every=2", "tracers.interpolation=nearest"],
    "no tracers": ["tracers.number=0"],
    "tracer per site": ["lattice.shape=[7, 8]", "tracers.number=56"],
    "odd by odd": ["lattice.shape=[9, 13]"],
    "odd by even": ["lattice.shape=[13, 8]", "tracers.interpolation=stream"],
    "square": ["lattice.shape=[8, 8]", "model.direction=both"],
    "small": ["lattice.shape=[4, 8]", "tracers.interpolation=stream", "model.temperature=2.0"],
    "other seed": ["run.seed=123456789012345"],
}


def configuration_of(*overrides):
    """Return a small, hot, eventful configuration."""
    base = ["lattice.shape=[11, 14]", "model.temperature=0.3", "tracers.number=12"]
    base += ["output.trajectory_every=0", "run.seed=5"]
    return Configuration().with_overrides([*base, *overrides])


def assert_alike(model, slow, tolerance):
    """Compare the local rows and tracers of a model with the oracle."""
    rows = slice(model.slab.start, model.slab.stop)
    np.testing.assert_array_equal(model.active, slow.active[rows])
    np.testing.assert_allclose(model.stress, slow.stress[rows], rtol=0, atol=tolerance)
    np.testing.assert_allclose(model.plastic_strain, slow.plastic_strain[rows], atol=1e-12)
    expected = slow.position[model.tracers.identity]
    if model.configuration.tracers.every > 1:  # by displacements in single precision
        tolerance = max(tolerance, 1e-6)
    np.testing.assert_allclose(model.tracers.position, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("case", CASES)
def test_follows_the_oracle(comm, case):
    configuration = configuration_of(*CASES[case])
    model, slow = Model(configuration, Communicator(comm), CPU()), oracle.Oracle(configuration)
    assert_alike(model, slow, 1e-12)
    for _ in range(STEPS):
        model.step()
        slow.step()
        assert_alike(model, slow, 1e-12)
    assert slow.events >= 10
    assert comm.allreduce(len(model.tracers.identity)) == configuration.tracers.number


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("interpolation", ["bilinear", "stream"])
def test_tracers_that_are_looked_at_between_their_moves_move_then(comm, interpolation, every):
    """And again in the steps in which they are due."""
    configuration = configuration_of(
        f"tracers.every={every}", f"tracers.interpolation={interpolation}"
    )
    model, slow = Model(configuration, Communicator(comm), CPU()), oracle.Oracle(configuration)
    for step in range(1, STEPS + 1):
        model.step()
        slow.step()
        if step % 7 in (1, 2):
            for _ in range(2):  # a second look changes nothing
                model.clock.place_tracers()
            if step % every:
                slow.move()
        assert_alike(model, slow, 1e-12)
    assert np.abs(slow.position - oracle.Oracle(configuration).position).max() > 0.1


@pytest.mark.parametrize("case", ["all units", "stream", "every 3, bilinear", "gaussian, fourier"])
def test_follows_the_oracle_in_single_precision(comm, case):
    """The stress is rounded to 24 bits in each step; strain and positions stay double."""
    configuration = configuration_of(*CASES[case], "run.precision=single")
    model, slow = Model(configuration, Communicator(comm), CPU()), oracle.Oracle(configuration)
    assert model.stress.dtype == np.float32
    assert model.plastic_strain.dtype == model.tracers.position.dtype == np.float64
    for _ in range(STEPS):
        model.step()
        slow.step()
        assert_alike(model, slow, 3e-6)


@every_engine
@pytest.mark.parametrize("case", ["all units", "stream", "every 3, bilinear"])
def test_every_engine_follows_the_oracle(comm, engine, case):
    if engine == "mpi4py-fft":
        pytest.importorskip("mpi4py_fft", reason="needs mpi4py-fft")
    configuration = configuration_of(
        *CASES[case], "lattice.shape=[45, 36]", f"run.fft={engine}", "model.temperature=0.15"
    )
    model = Model(configuration, Communicator(comm), CPU())
    slow = oracle.Oracle(configuration)
    for _ in range(STEPS):
        model.step()
        slow.step()
    assert_alike(model, slow, 1e-12)


def test_observables_are_means_over_the_lattice(comm):
    configuration = configuration_of("model.strain_rate=0.1")
    model, slow = Model(configuration, Communicator(comm), CPU()), oracle.Oracle(configuration)
    for _ in range(STEPS):
        model.step()
        slow.step()
    observables = model.observables()
    assert model.step_count == STEPS
    assert model.time == pytest.approx(STEPS * configuration.time.step)
    if comm.rank > 0:
        assert observables == {}
        return
    assert observables["activity"] == np.mean(slow.active != 0)
    assert observables["stress_mean"] == pytest.approx(slow.stress.mean(), abs=1e-12)
    assert observables["stress_variance"] == pytest.approx(slow.stress.var(), abs=1e-12)
    assert observables["plastic_strain_mean"] == pytest.approx(slow.plastic_strain.mean())
    assert observables["events"] == slow.events
    assert observables["macroscopic_strain"] == pytest.approx(0.1 * model.time)


@pytest.mark.parametrize(
    ("overrides", "is_known"),
    [
        (["model.strain_rate=-0.4"], True),
        (["propagator.macroscopic=stress"], True),
        ([], False),
    ],
)
def test_the_mean_stress_is_that_of_the_elastic_strain(comm, overrides, is_known):
    """Exactly mu (gamma - 2 eps_pl) from a start without stress; at constant stress it stays 0."""
    model = Model(configuration_of(*overrides, "model.shear_modulus=1.3"), Communicator(comm))
    for _ in range(STEPS):
        model.step()
    found = model.observables()
    if comm.rank == 0:
        assert ("macroscopic_strain" in found) == is_known
        strain = found.get("macroscopic_strain", 0.0)
        elastic = 1.3 * (strain - 2 * found["plastic_strain_mean"])
        assert found["plastic_strain_mean"] != 0
        assert found["stress_mean"] == pytest.approx(elastic, abs=1e-12)


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
@pytest.mark.parametrize("macroscopic", ["strain", "stress"])
def test_stress_is_consistent_with_the_plastic_strain(comm, symbol, macroscopic):
    """Exact result 1, at any time: ``sigma = initial + mu gdot t + 2 mu G * eps_pl``."""
    rate = 0.3 if macroscopic == "strain" else 0.0
    configuration = configuration_of(
        *UNITS,
        "lattice.shape=[18, 21]",
        "initial.state=gaussian",
        "initial.stress_deviation=0.3",
        f"model.strain_rate={rate}",
        f"propagator.symbol={symbol}",
        f"propagator.macroscopic={macroscopic}",
        "propagator.prefactor=2.0",
    )
    communicator = Communicator(comm)
    model = Model(configuration, communicator)
    initial = communicator.gather_rows(model.stress.copy())
    for _ in range(5):
        for _ in range(60):
            model.step()
        stress = communicator.gather_rows(model.stress)
        strain = communicator.gather_rows(model.plastic_strain)
        if comm.rank == 0:
            kernel = oracle.stress_propagator((18, 21), symbol, macroscopic, 2.0)
            elastic = np.fft.ifft2(kernel * np.fft.fft2(strain)).real
            expected = initial + 1.3 * rate * model.time + 2 * 1.3 * elastic
            assert np.abs(strain).max() > 0.5
            np.testing.assert_allclose(stress, expected, rtol=0, atol=1e-12)


def test_response_computed_again_has_the_same_bits(comm):
    """The elastic response depends on n s alone, which a restart relies on."""
    configuration = configuration_of("lattice.shape=[19, 22]", "tracers.interpolation=stream")
    model = Model(configuration, Communicator(comm), CPU())
    again = Model(configuration, Communicator(comm), CPU())
    for _ in range(STEPS):
        model.step()
        again.step()
        again.update_response()
    for name in ("stress", "plastic_strain", "active"):
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    np.testing.assert_array_equal(again.tracers.position, model.tracers.position)


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("drawn", ["fourier", "site"])
def test_gaussian_start_has_the_given_deviation(comm, drawn, precision):
    configuration = configuration_of(
        "lattice.shape=[128, 96]",
        "initial.state=gaussian",
        "initial.stress_deviation=0.6",
        f"initial.drawn={drawn}",
        f"run.precision={precision}",
        "tracers.number=0",
    )
    sites = 128 * 96
    observables = Model(configuration, Communicator(comm), CPU()).observables()
    if comm.rank == 0:
        # G flattens the spectrum unevenly, which widens the error of the variance.
        assert observables["stress_variance"] == pytest.approx(0.36, rel=4 * math.sqrt(4 / sites))
        rounding = 1e-14 if precision == "double" else 1e-6
        largest = rounding if drawn == "fourier" else 4 * 0.6 / math.sqrt(sites)
        assert abs(observables["stress_mean"]) < largest


def test_too_many_ranks_are_refused(comm):
    if comm.size > 2:
        with pytest.raises(ConfigError, match=f"{comm.size} ranks for a lattice of 16 x 5 sites"):
            Model(configuration_of("lattice.shape=[16, 5]"), Communicator(comm))
