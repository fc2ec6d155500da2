import h5py
import numpy as np
import pytest
from run_files import write_run

from epmpi import Model, from_mapping
from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.fields import Medium, displacement, stress_change
from epmpi.analysis.run_file import RunFile


def unit_strain(shape):
    strain = np.zeros(shape)
    strain[0, 0] = 1.0
    return strain


@pytest.mark.parametrize(
    ("symbol", "values"),
    [("continuum", (-0.571, 0.079, -0.105)), ("lattice", (-0.637, 0.090, -0.090))],
)
def test_known_values_of_the_propagator(symbol, values):
    # 2 mu G * eps with mu = 1/2 is G itself.
    response = stress_change(unit_strain((256, 256)), Medium(shear_modulus=0.5, symbol=symbol))
    measured = response[0, 0], response[1, 0], response[1, 1]
    assert measured == pytest.approx(values, abs=1e-3)


def test_macroscopic_conventions():
    strain = np.full((6, 8), 0.3)
    held = stress_change(strain, Medium(shear_modulus=2.0, prefactor=2.0))
    np.testing.assert_allclose(held, -2 * 2.0 * 0.3)  # the prefactor leaves G(0) alone
    np.testing.assert_allclose(stress_change(strain, Medium(macroscopic="stress")), 0, atol=1e-14)
    once = stress_change(unit_strain((6, 8)), Medium(macroscopic="stress"))
    twice = stress_change(unit_strain((6, 8)), Medium(macroscopic="stress", prefactor=2.0))
    np.testing.assert_allclose(twice, 2 * once)


@pytest.mark.parametrize("shape", [(15, 21), (9, 33)])
def test_displacement_and_stress_are_one_medium(shape):
    # mu (d_x u_y + d_y u_x) - 2 mu eps_pl = 2 mu G * eps_pl, mode by mode; div u = 0.
    strain = np.random.default_rng(1).normal(size=shape)
    ux, uy = (np.fft.fft2(component) for component in displacement(strain))
    qx = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    qy = 2 * np.pi * np.fft.fftfreq(shape[1])[None, :]
    np.testing.assert_allclose(qx * ux + qy * uy, 0, atol=1e-10)
    shear = np.fft.ifft2(1j * qx * uy + 1j * qy * ux).real
    stress = stress_change(strain, Medium())
    np.testing.assert_allclose(
        shear - 2 * strain + 2 * strain.mean(), stress - stress.mean(), atol=1e-10
    )


def test_even_lattices_have_a_real_displacement():
    strain = np.random.default_rng(2).normal(size=(8, 12))
    spectrum = np.fft.fft2(displacement(strain))
    np.testing.assert_allclose(spectrum[:, 4, :], 0, atol=1e-12)
    np.testing.assert_allclose(spectrum[:, :, 6], 0, atol=1e-12)
    assert abs(displacement(strain).mean()) < 1e-14


def test_the_medium_is_that_of_the_run(tmp_path):
    with RunFile(write_run(tmp_path / "run")) as run:
        medium = Medium.of(run)
    assert medium == Medium()
    np.testing.assert_allclose(medium.strain_rate(np.array([1.0, 0.0, -1.0])), [0.5, 0, -0.5])


@pytest.mark.parametrize("symbol", ["continuum", "lattice"])
@pytest.mark.parametrize("macroscopic", ["strain", "stress"])
def test_the_response_in_the_map_is_that_of_the_run(symbol, macroscopic):
    """The stress of the next step, at first order in it: no site but these two is active."""
    values = {
        "lattice": {"shape": [12, 15]},
        "model": {
            "yield_stress": 100.0,
            "restructuring_time": 1e9,
            "shear_modulus": 1.5,
            "event_strain": 0.3,
            "relaxation_time": 2.0,
        },
        "propagator": {"symbol": symbol, "macroscopic": macroscopic, "prefactor": 2.0},
        "tracers": {"number": 0},
        "time": {"step": 0.1, "warmup": 0.0},
    }
    model = Model(from_mapping(values))
    model.active[3, 4], model.active[7, 0] = 1, -1
    model.update_response()
    model.step()
    medium = Medium(1.5, symbol, macroscopic, 2.0, 2.0, 0.3)
    active = np.zeros((12, 15))
    active[3, 4], active[7, 0] = 1.0, -1.0
    rate = stress_change(medium.strain_rate(active), medium)
    np.testing.assert_allclose(model.stress, 0.1 * rate, atol=1e-15)


def test_a_propagator_that_is_not_known_is_refused(tmp_path):
    with h5py.File(write_run(tmp_path / "run") / "run.h5", "r+") as file:
        file.create_group("parameters/propagator").attrs["symbol"] = "mean_field"
    with (
        RunFile(tmp_path / "run") as run,
        pytest.raises(AnalysisError, match="'mean_field', expected one of continuum, lattice"),
    ):
        Medium.of(run)
