"""A traceback that a call shows goes to the sink, one of a cell where it always went, and the hooks are given back.

The shell is a stand-in that exchanges the hook for each cell as IPython does; tests/kernel/test_output.py has the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_workbench.patches import Patches
from mcp_workbench.tracebacks import route_tracebacks


class Shell:
    """As IPython's, as far as tracebacks go."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.after_cell: list[Callable[[Any], None]] = []
        self.events = SimpleNamespace(
            register=lambda _, function: self.after_cell.append(function), unregister=lambda _, function: self.after_cell.remove(function)
        )
        self._before: Any = None

    def excepthook(self, kind: Any, error: Any, trace: Any) -> None:
        self._showtraceback(kind, error, ["line"])

    def _showtraceback(self, kind: Any, error: Any, lines: list[str]) -> None:
        self.shown.append(str(error))

    def begin_cell(self) -> None:
        self._before, sys.excepthook = sys.excepthook, self.excepthook

    def end_cell(self) -> None:
        sys.excepthook = self._before
        for function in tuple(self.after_cell):
            function(None)


class Showing:
    """What the process's own hook has shown, and what calls have."""

    def __init__(self) -> None:
        self.process: list[str] = []
        self.calls: list[str] = []
        self.in_call = False
        self.patches = Patches()

    def hook(self, kind: Any, error: Any, trace: Any) -> None:
        self.process.append(str(error))

    def begin(self) -> None:
        route_tracebacks(self.patches, lambda: self.calls.append if self.in_call else None)

    def show(self, text: str) -> None:
        sys.excepthook(ValueError, ValueError(text), None)

    def show_in_call(self) -> bool:
        """Whether the call's traceback goes to the call and nowhere else."""
        self.in_call, before = True, len(self.calls)
        self.show("of a call")
        self.in_call = False
        return self.calls[before:] == ["ValueError: of a call\n"]


@pytest.fixture
def showing(monkeypatch: pytest.MonkeyPatch) -> Showing:
    showing = Showing()
    monkeypatch.setattr(sys, "excepthook", showing.hook)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    return showing


@pytest.fixture
def shell(showing: Showing, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return shell


def test_in_a_plain_process_the_hook_is_lent(showing: Showing) -> None:
    showing.begin()
    assert showing.show_in_call()
    showing.show("of the process")
    showing.patches.restore()
    assert (showing.process, sys.excepthook) == (["of the process"], showing.hook)


def test_a_server_that_starts_and_stops_in_cells_has_the_hook_in_them_and_between_them(showing: Showing, shell: Shell) -> None:
    for _ in range(2):
        shell.begin_cell()
        showing.begin()
        assert showing.show_in_call()
        showing.show("of the cell")
        shell.end_cell()
        assert showing.show_in_call()
        showing.show("between cells")
        shell.begin_cell()
        assert showing.show_in_call()
        showing.patches.restore()
        shell.end_cell()
        assert (sys.excepthook, shell.after_cell, "_showtraceback" in vars(shell)) == (showing.hook, [], False)
    assert (showing.process, shell.shown) == (["between cells"] * 2, ["of the cell"] * 2)


def test_a_shell_whose_method_was_set_on_itself_gets_it_back(showing: Showing, shell: Shell) -> None:
    shown: list[object] = []
    set_by_the_kernel = vars(shell)["_showtraceback"] = lambda *given: shown.append(given)
    showing.begin()
    showing.in_call = True
    vars(shell)["_showtraceback"](ValueError, ValueError("of a call"), ["line"])
    showing.patches.restore()
    assert (shown, showing.calls, vars(shell)["_showtraceback"]) == ([], ["ValueError: of a call\n"], set_by_the_kernel)


def test_what_is_no_exception_is_taken_line_by_line(showing: Showing, shell: Shell) -> None:
    showing.begin()
    showing.in_call = True
    shell._showtraceback(None, None, ["one", "two"])
    showing.patches.restore()
    assert (showing.calls, shell.shown) == (["one\ntwo\n"], [])
