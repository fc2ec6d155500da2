"""Run the tests that need Numba's simulator of CUDA, each file in processes of its own.

The simulator is chosen by an environment variable when Numba is imported.
"""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


MINUTES = pytest.mark.ci  # whole models, thread by thread


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "ranks"),
    [
        ("simulated_kernels.py", None),
        pytest.param("simulated_batch.py", None, marks=MINUTES),
        pytest.param("simulated_model.py", 1, marks=MINUTES),
        pytest.param("simulated_model.py", 2, marks=MINUTES),
    ],
)
def test_in_the_simulator(launch, file, ranks):
    done = launch(
        "-m", "pytest", "-q", "-x", HERE / file, ranks=ranks, timeout=550,
        NUMBA_ENABLE_CUDASIM="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
