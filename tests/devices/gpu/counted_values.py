"""The values of typed kernels, on the host; run by `tools/ci_gpu.sh`."""

from pathlib import Path


def test_typed_kernels_have_the_values_of_the_cpu(launch):
    """In a process of its own: kernels are launched there on the host."""
    file = Path(__file__).with_name("typed_values.py")
    done = launch("-m", "pytest", "-q", "-x", file, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
