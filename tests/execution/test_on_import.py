"""What is to be done with a module is done once, after its import and before anybody uses it."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mcp_workbench.execution.on_import import do_on_import
from mcp_workbench.patches import Patches

ROOM = "import threading\nbegun, go_on = threading.Event(), threading.Event()\n"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package `plots` with `plots.lines`, which begins as `plots` says."""
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "__init__.py").write_text(ROOM)
    (tmp_path / "plots" / "lines.py").write_text("import plots\nplots.begun.set()\nplots.go_on.wait(10)\nif plots.fails: 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    yield
    for name in ("plots", "plots.lines"):
        sys.modules.pop(name, None)
    assert sys.meta_path == finders


class Steps:
    """Marks the modules it is done with."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.patches = Patches()
        do_on_import({"plots": self, "plots.lines": self}, self.patches)

    def __call__(self, module: ModuleType, patches: Patches) -> None:
        self.done.append(module.__name__)
        patches.replace(module, "marked", True)


def plots(*, fails: bool = False) -> ModuleType:
    module = importlib.import_module("plots")
    vars(module)["fails"] = fails
    module.go_on.set()
    return module


def test_it_is_done_after_the_import_or_at_once_where_that_was_before(modules: None) -> None:
    module = plots()
    steps = Steps()
    assert steps.done == ["plots"]
    lines = importlib.import_module("plots.lines")
    importlib.reload(lines)
    assert steps.done == ["plots", "plots.lines"]
    assert (module.marked, lines.marked) == (True, True)
    steps.patches.restore()
    assert not hasattr(module, "marked")
    assert not hasattr(lines, "marked")


def test_nothing_is_done_after_the_end(modules: None) -> None:
    steps = Steps()
    steps.patches.restore()
    assert not hasattr(plots(), "marked")
    assert steps.done == []


def test_an_import_that_fails_is_the_importers_and_the_next_one_counts(modules: None) -> None:
    steps, module = Steps(), plots(fails=True)
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("plots.lines")
    assert steps.done == ["plots"]
    vars(module)["fails"] = False
    importlib.import_module("plots.lines")
    assert steps.done == ["plots", "plots.lines"]
    steps.patches.restore()


def test_an_import_that_another_thread_has_begun_is_waited_for(modules: None) -> None:
    module = plots()
    module.go_on.clear()
    importing = threading.Thread(target=importlib.import_module, args=("plots.lines",))
    importing.start()
    assert module.begun.wait(10)
    made: list[Steps] = []
    beginning = threading.Thread(target=lambda: made.append(Steps()))
    beginning.start()
    module.go_on.set()
    importing.join(10)
    beginning.join(10)
    assert sorted(made[0].done) == ["plots", "plots.lines"]
    assert sys.modules["plots.lines"].marked is True
    made[0].patches.restore()
