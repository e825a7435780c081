"""A call that asks the person is refused, a cell that asks is not, and every function is given back.

The kernel is a stand-in that moves its methods in and out of the modules as ipykernel does; tests/kernel/test_output.py has the real one.
"""

from __future__ import annotations

import builtins
import getpass
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_workbench.asking import NOBODY_TO_ASK, route_questions
from mcp_workbench.errors import ToolError
from mcp_workbench.patches import Patches


class Kernel:
    """As ipykernel's, as far as questions go."""

    _sys_raw_input: Any
    _save_getpass: Any

    def raw_input(self, prompt: str = "") -> str:
        return self._input_request(prompt)

    def getpass(self, prompt: str = "") -> str:
        return self._input_request(prompt)

    def _input_request(self, prompt: str) -> str:
        return f"answer to {prompt}"

    def begin_cell(self) -> None:
        self._sys_raw_input, self._save_getpass = builtins.input, getpass.getpass
        vars(builtins)["input"], vars(getpass)["getpass"] = self.raw_input, self.getpass

    def end_cell(self) -> None:
        builtins.input, getpass.getpass = self._sys_raw_input, self._save_getpass


class Asking:
    """Whether the code is a call's, and the two functions as Python has them."""

    def __init__(self) -> None:
        self.in_call = False
        self.patches = Patches()

    def begin(self) -> None:
        route_questions(self.patches, lambda: self.in_call)

    def is_refused(self) -> bool:
        """Both functions at once; outside of calls they answer as ever."""
        asked = []
        for ask in (builtins.input, getpass.getpass):
            self.in_call = True
            try:
                with pytest.raises(ToolError) as refused:
                    ask("x")
                asked.append(str(refused.value))
            finally:
                self.in_call = False
            assert ask("x") in ("answer to x", "typed")
        return asked == [NOBODY_TO_ASK] * 2


def typed(prompt: str = "") -> str:
    return "typed"


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    monkeypatch.setattr(builtins, "input", typed)
    monkeypatch.setattr(getpass, "getpass", typed)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    return Asking()


@pytest.fixture
def kernel(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=kernel)))
    return kernel


METHODS = (Kernel.raw_input, Kernel.getpass, Kernel._input_request)


def is_all_given_back(kernel: Kernel) -> bool:
    functions = (builtins.input, getpass.getpass, kernel._sys_raw_input, kernel._save_getpass)
    return all(function is typed for function in functions) and (Kernel.raw_input, Kernel.getpass, Kernel._input_request) == METHODS


def test_in_a_plain_process_a_call_is_refused_and_others_are_asked(asking: Asking) -> None:
    asking.begin()
    assert asking.is_refused()
    asking.patches.restore()
    assert (builtins.input, getpass.getpass) == (typed, typed)


def test_a_server_that_starts_in_a_cell_refuses_calls_in_this_cell_between_cells_and_in_the_next(asking: Asking, kernel: Kernel) -> None:
    kernel.begin_cell()
    taken_by_name = getpass.getpass
    asking.begin()
    assert asking.is_refused()
    asking.in_call = True
    with pytest.raises(ToolError):
        taken_by_name("x")
    asking.in_call = False
    kernel.end_cell()
    assert asking.is_refused()
    kernel.begin_cell()
    assert asking.is_refused()
    asking.patches.restore()
    kernel.end_cell()
    assert is_all_given_back(kernel)


def test_a_server_that_starts_and_stops_between_cells_leaves_nothing_behind(asking: Asking, kernel: Kernel) -> None:
    asking.begin()
    for _ in range(2):
        kernel.begin_cell()
        assert asking.is_refused()
        kernel.end_cell()
        assert asking.is_refused()
    asking.patches.restore()
    assert is_all_given_back(kernel)


def test_what_others_have_put_in_its_place_meanwhile_is_left(asking: Asking) -> None:
    asking.begin()
    builtins.input = len  # type: ignore[assignment]  # anything else
    asking.patches.restore()
    assert builtins.input is len  # type: ignore[comparison-overlap]
