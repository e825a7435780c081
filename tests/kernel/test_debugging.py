"""`%mcp debug`: which function runs again, with what; the debugger itself is in a real kernel, next door."""

from __future__ import annotations

import sys
import traceback
from types import FrameType, TracebackType
from typing import Any, ClassVar

import pytest
from IPython.core.error import StdinNotImplementedError

from tests.kernel.conftest import Shell

OPENING = """
import asyncio
import pandas as pd
flights = pd.DataFrame({"n": [1, 2]})
wb.publish(flights=flights)
ran = []

@wb.tool
def top(flights: pd.DataFrame, n: int, ctx: wb.Context) -> int:
    ctx.report_progress(1, 2)
    ctx.log("hello")
    ran.append((n, len(flights), ctx.call_id, ctx.client.name, ctx.principal.name, ctx.cancelled))
    return look(flights, n)

def look(flights, n):
    return {}[n]

@wb.tool
async def later(n: int, ctx: wb.AsyncContext) -> int:
    await asyncio.sleep(0)
    ran.append((n, ctx.session.session_id))
    return {}[n]

@wb.tool
def once() -> str:
    ran.append("once")
    if len(ran) == 1:
        raise OSError("the first time")
    return "fine"

@wb.resource("weather://{station}")
def weather(station: int) -> str:
    raise OSError(station + 1)

server = wb.start()
"""


class Debugger:
    """IPython's, as far as it is asked for: what it was opened on."""

    opened: ClassVar[list[TracebackType]] = []
    takes_input = True

    def reset(self) -> None:
        pass

    def interaction(self, frame: FrameType | None, trace: TracebackType) -> None:
        self.opened.append(trace)
        if not self.takes_input:
            raise StdinNotImplementedError("no input")


@pytest.fixture
def serving(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(Debugger, "opened", [])
    monkeypatch.setattr(Debugger, "takes_input", True)
    monkeypatch.setattr(type(shell.ip), "debugger_cls", property(lambda _: Debugger))
    shell.run(OPENING)
    return shell


def opened() -> list[str]:
    """The functions in the traceback that the debugger was opened on, outermost first."""
    [trace] = Debugger.opened
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(trace)]


def innermost() -> dict[str, Any]:
    [trace] = Debugger.opened
    *_, (frame, _) = traceback.walk_tb(trace)
    return dict(frame.f_locals)


def test_the_authors_function_runs_again_with_the_same_arguments_and_the_debugger_opens_where_it_fails(serving: Shell) -> None:
    serving.run("%mcp_call top n=7")
    out = serving.run("%mcp debug")
    assert out.splitlines()[0] == "Running c1 again: top(flights: DataFrame = …, n: int); an interrupt stops it."
    assert "KeyError: 7\n" in out
    assert opened() == ["top", "look"]  # none of our frames
    assert innermost()["n"] == 7
    then, now = serving.ip.user_ns["ran"]
    assert then == now == (7, 2, "c1", "%mcp_call", "notebook", False)


def test_ipythons_own_debug_finds_it_afterwards(serving: Shell) -> None:
    serving.run("%mcp_call top n=7")
    serving.run("%mcp debug")
    assert isinstance(sys.last_value, KeyError)
    assert sys.last_traceback is Debugger.opened[0]


def test_an_async_function_runs_again_beside_the_cell(serving: Shell) -> None:
    serving.run("%mcp_call later n=3")
    serving.run("%mcp debug")
    assert opened() == ["later"]
    then, now = serving.ip.user_ns["ran"]
    assert then == now


def test_a_resource_runs_again_with_the_variables_of_its_uri(serving: Shell) -> None:
    serving.run(
        "from contextlib import suppress\nasync def read():\n    async with wb.connect() as session:\n"
        "        with suppress(wb.PeerError):\n            await session.read_resource('weather://41')\nasyncio.run(read())"
    )
    assert "OSError: 42" in serving.run("%mcp debug")
    assert opened() == ["weather"]


def test_an_earlier_failure_can_be_chosen(serving: Shell) -> None:
    serving.run("%mcp_call top n=1")
    serving.run("%mcp_call later n=2")
    serving.run("%mcp debug c1")
    assert opened() == ["top", "look"]


def test_what_does_not_fail_again_says_so_and_how_to_stop_inside_it(serving: Shell) -> None:
    serving.run("%mcp_call once")
    out = serving.run("%mcp debug")
    assert "It ran to its end this time, and returned a value of type str. When it failed, it said: OSError: the first time" in out
    assert "write breakpoint() into the function" in out
    assert Debugger.opened == []


def test_it_says_when_function_or_data_are_not_what_they_were(serving: Shell) -> None:
    serving.run("%mcp_call top n=1")
    serving.run("flights.loc[2] = 3")
    serving.run("@wb.tool\ndef top(flights: pd.DataFrame, n: int) -> float:\n    raise OSError")
    out = serving.run("%mcp debug")
    assert "It was defined anew since then, in cell [4] line 1.\n" in out
    assert "It reads flights v2 now, flights v1 then.\n" in out


def test_a_call_that_had_become_a_job_runs_again_too(serving: Shell) -> None:
    serving.run("@wb.tool(needs_task=True)\ndef long(flights: pd.DataFrame, n: int) -> None:\n    raise OSError(n)\n")
    assert "long answered with an error:\nOSError: 5" in serving.run("%mcp_call long n=5")
    assert "j1" in serving.run("%mcp jobs")
    error = serving.run("%mcp error")
    assert error.startswith("c1  long v1, defined in cell [2]")
    assert "  n = 5\n  read: flights v1\n" in error
    out = serving.run("%mcp debug")
    assert out.splitlines()[1:] == ["OSError: 5"]  # the same function, the same data
    assert opened() == ["long"]


def test_an_interrupt_opens_the_debugger_where_the_function_hangs(serving: Shell) -> None:
    serving.run("@wb.tool\ndef hang(n: int) -> None:\n    if ran:\n        raise KeyboardInterrupt\n    ran.append(n)\n    raise OSError\n")
    serving.run("%mcp_call hang n=1")
    assert "KeyboardInterrupt" in serving.run("%mcp debug")
    assert opened() == ["hang"]


def test_where_there_is_no_input_it_says_so_and_shows_where_it_failed(serving: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Debugger, "takes_input", False)
    serving.run("%mcp_call top n=7")
    out = serving.run("%mcp debug")
    assert "This front end takes no input" in out
    assert "return {}[n]" in out
    assert "mcp_workbench" not in out


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ('%mcp_call top n="x"', 'does not get as far as your code: n: expected a valid integer, got text "x"'),
        ("%mcp_call top n=1\nwb.unpublish('flights')", "does not get as far as your code: "),
        ("%mcp_call top n=1\nwb.unpublish('top')", "no function of yours is offered as top now"),
        ("%mcp_call job_wait job='j9'", "no function of yours is offered as job_wait"),
        ("@wb.prompt\ndef ask() -> str:\n    1 / 0\nasyncio.run(prompt('ask'))", "the arguments of prompts/get are not kept: call ask(…)"),
    ],
)
def test_what_cannot_run_again_says_why(serving: Shell, before: str, sentence: str) -> None:
    serving.run(
        "from contextlib import suppress\nasync def prompt(name):\n    async with wb.connect() as session:\n"
        "        with suppress(wb.PeerError):\n            await session.get_prompt(name)"
    )
    serving.run(before)
    assert sentence in serving.refuses("%mcp debug c1")
    assert Debugger.opened == []


def test_nothing_of_a_failed_call_is_kept_alive_before_it_is_debugged(serving: Shell) -> None:
    serving.run(
        "import gc, weakref\nclass Big:\n    pass\nalive = None\n@wb.tool\ndef holds() -> None:\n    global alive\n"
        "    big = Big()\n    alive = weakref.ref(big)\n    raise OSError"
    )
    serving.run("%mcp_call holds")
    assert serving.run("gc.collect()\nprint(alive())") == "None\n"
