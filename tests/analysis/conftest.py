from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_files import write_run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run below the test's own directory: make_run("name", position=..., ...)."""

    def make(name: str = "run", **content: Any) -> Path:
        return write_run(tmp_path / name, **content)

    return make
