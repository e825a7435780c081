"""The package's face: what `wb.` offers, and what importing it costs."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

import mcp_workbench as wb
from mcp_workbench import face
from mcp_workbench.workbench import Workbench

HEAVY = (
    "pandas",
    "numpy",
    "pydantic",
    "ipywidgets",
    "IPython",
    "ipykernel",
    "websockets",
    "asyncio",
    "narwhals",
    "polars",
    "pyarrow",
    "duckdb",
)


@pytest.fixture(autouse=True)
def fresh_default(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(face, "_default", None)
    yield
    face.default().stop()


def test_importing_loads_nothing_heavy() -> None:
    script = f"import sys, json, mcp_workbench; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []


def test_dir_names_what_there_is_and_all_of_it_is_there() -> None:
    assert dir(wb) == sorted(wb.__all__)
    for name in dir(wb):
        assert getattr(wb, name) is not None


def test_no_public_name_is_that_of_a_module_which_would_take_its_place_once_it_is_imported() -> None:
    modules = {module.name for module in pkgutil.iter_modules(wb.__path__)}
    assert modules.isdisjoint(wb.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'sohw'"):
        wb.sohw  # noqa: B018  # that is the mistake


def test_the_module_functions_act_on_one_default_workbench() -> None:
    @wb.tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    assert add(1, 2) == 3
    started = wb.start(name="default")
    assert started is face.default()
    assert isinstance(started, Workbench)
    assert [tool.name for tool in started.tools] == ["add"]
    assert "'default' serves at ws://127.0.0.1:" in repr(wb.status())
    wb.stop()
    assert not started.running


def test_a_workbench_of_its_own_is_not_the_default() -> None:
    own = wb.Workbench()
    own.tool(len_of)
    assert face.default().tools == ()


def len_of(text: str) -> int:
    return len(text)
