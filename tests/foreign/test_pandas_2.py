"""The live DataFrames under pandas 2.3: their own tests, run in an environment that has it.

With copy-on-write switched on, as the README asks of people on pandas 2; what is served without it has tests of its own.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytest_plugins = ("tests.foreign.fixtures",)
pytestmark = pytest.mark.foreign

CHECKOUT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_live_room_passes_its_tests_under_pandas_2(pandas2_python: Path, tmp_path: Path) -> None:
    command = [str(pandas2_python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'pandas2'}", "tests/live"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"PANDAS_COPY_ON_WRITE": "1"}
    ran = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=110)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-1000:]
    assert " passed" in ran.stdout
