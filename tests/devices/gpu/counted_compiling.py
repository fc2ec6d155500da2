"""Every kernel that is launched is compiled for an older card too; run by `tools/ci_gpu.sh`."""

import numpy as np
import pytest
import stand_in_card  # noqa: F401  (before CuPy)
from compile_kernels import divisions, main
from numba import cuda, from_dtype, typeof, types

from epmpi.devices.gpu import column_kernels
from epmpi.devices.gpu.compiler import rules
from epmpi.physics.rules import READINGS, SwitchingRule

KERNELS = {
    "multiply", "fill_halo", "cut_rows", "join_rows", "advance_sites", "advance_batch",
    "count_waits", "fill_uniforms", "sum_rows", "move_all", "move_batch", "count_by_block",
    "add_up", "list_by_block", "move_listed", "list_outside",
}  # fmt: skip


def test_all_kernels_compile_with_the_types_of_their_launches(capsys):
    assert main(["--capability", "8.0"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert {line.split()[1] for line in told if line.startswith("8.0 ")} == KERNELS
    assert not [line for line in told if "spill" in line and " 0 bytes spill" not in line]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_product_with_the_propagators_divides_nothing(dtype):
    """Neither where a range of modes is cut, which Numba does by a division of 64 bits."""
    real, mode = (from_dtype(np.dtype(kind)) for kind in (dtype, np.result_type(dtype, "F")))
    source, kernels = types.Array(mode, 3, "A"), types.Array(real, 3, "A")
    given = source, kernels, types.int64, types.int64, source, types.int64
    text, _ = cuda.compile_ptx(column_kernels.multiply.compiled.py_func, given, cc=(9, 0))
    assert divisions(text) == []


def test_whether_a_site_may_activate_is_asked_without_a_division():
    """But in the power of another barrier than that of Eq. (2), which is a logarithm's."""
    numbers = {"attempt_rate": 1.0, "yield_stress": 1.0, "temperature": 0.1, "rate_off": 1.0}
    rule = typeof(
        SwitchingRule(READINGS["stress"], **{key: np.float64(x) for key, x in numbers.items()})
    )
    power, bound, may = rules.power, rules.activation_bound, rules.may_activate

    def by_power(stress, drawn, rule, found):
        found[0] = power(stress[0], drawn) < 1.0

    def by_bound(stress, drawn, rule, found):
        found[0] = drawn <= bound(stress[0], rule)

    def as_asked(stress, drawn, rule, found):
        found[0] = may(stress[0], drawn, rule, 0.05)

    given = types.float64[::1], types.float64, rule, types.boolean[::1]
    found = [
        divisions(cuda.compile_ptx(kernel, given, cc=(9, 0))[0])
        for kernel in (by_power, by_bound, as_asked)
    ]
    assert found[0] == found[2] == ["rcp.approx.ftz.f64"]
    assert "div.rn.f64" in found[1]
