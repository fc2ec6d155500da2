"""Every kernel that is launched is compiled for an older card too; run by `tools/ci_gpu.sh`."""

import stand_in_card  # noqa: F401  (before CuPy)
from compile_kernels import main

KERNELS = {
    "multiply", "fill_halo", "cut_rows", "join_rows", "advance_sites", "advance_batch",
    "count_waits", "fill_uniforms", "sum_rows", "move_all", "move_batch",
}  # fmt: skip


def test_all_kernels_compile_with_the_types_of_their_launches(capsys):
    assert main(["--capability", "8.0"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert {line.split()[1] for line in told if line.startswith("8.0 ")} == KERNELS
    assert not [line for line in told if "spill" in line and " 0 bytes spill" not in line]
