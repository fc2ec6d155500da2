import numpy as np
import pytest

from epmpi.analysis.wavevectors import LOWEST, choose_shells


@pytest.mark.parametrize("shape", [(64, 64), (48, 96), (7, 9), (3, 5), (20, 33)])
def test_a_shell_holds_all_wavevectors_of_its_modulus_once(shape):
    reach = 3 * max(shape)
    kx, ky = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1), indexing="ij")
    norm = (kx * shape[1]) ** 2 + (ky * shape[0]) ** 2
    for shell in choose_shells(shape):
        k = np.round(shell.wavevectors * np.array(shape) / (2 * np.pi)).astype(int)
        np.testing.assert_allclose(2 * np.pi * k / np.array(shape), shell.wavevectors, atol=1e-12)
        np.testing.assert_allclose(np.hypot(*shell.wavevectors.T), shell.modulus, rtol=1e-12)
        own = (k[0, 0] * shape[1]) ** 2 + (k[0, 1] * shape[0]) ** 2
        assert np.count_nonzero(norm == own) == 2 * len(k)
        assert len({tuple(q) for q in k} | {tuple(-q) for q in k}) == 2 * len(k)


@pytest.mark.parametrize("shape", [(256, 256), (16, 16), (128, 37), (4096, 4096)])
def test_moduli_rise_evenly_beyond_the_zone_edge(shape):
    moduli = [shell.modulus for shell in choose_shells(shape)]
    assert moduli == sorted(moduli)
    assert moduli[0] <= 1.05 * max(LOWEST, 2 * np.pi / max(shape))
    assert 2 * np.pi <= moduli[-1] * (1 + 1e-9) < 2.1 * np.pi
    assert len(moduli) >= 6
