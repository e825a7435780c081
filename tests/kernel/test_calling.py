"""`%mcp_call`, over the wire of the test's own process."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.workbench import Workbench
from tests.kernel.conftest import Shell

OPENING = """
import pandas as pd
flights = pd.DataFrame({"origin": ["JFK", "LGA"], "n": [1, 2]})
wb.publish(flights=flights)

@wb.tool
def top(flights: pd.DataFrame, n: int = 1) -> pd.DataFrame:
    return flights.head(n)

@wb.tool
def echo(value: dict[str, list[int]], text: str = "") -> dict:
    return {"value": value, "text": text}

@wb.tool
def fail() -> None:
    raise wb.ToolError("no\\x1b[31m luck")

@wb.tool
async def steps(ctx: wb.AsyncContext) -> str:
    await ctx.report_progress(1, 4, "reading")
    return "done"

server = wb.start()
"""


@pytest.fixture
def serving(shell: Shell) -> Shell:
    shell.run(OPENING)
    return shell


def test_a_table_is_shown_as_a_dataframe_below_its_facts(serving: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("mcp_workbench.kernel.results.display", lambda value, **_: shown.append(value))
    out = serving.run("%mcp_call top flights=flights, n=2")
    serving.ip.user_ns["shown"] = shown
    assert serving.run("print(shown[0].equals(flights), len(shown))") == "True 1\n"
    assert out.startswith("2 rows x 2 columns · _r1\n")
    assert "Read: flights v1\n" in out
    assert "JFK" not in out
    assert re.fullmatch(r"\([\d.]+ (µs|ms|s) over the wire, \d+ characters of text\)", out.splitlines()[-1])


def test_it_is_a_call_like_an_agents(serving: Shell) -> None:
    serving.run("%mcp_call top")
    [call] = [call for call in serving.workbench.telemetry.calls() if call.method == "tools/call"]
    [session] = serving.workbench.telemetry.sessions()
    assert (call.target, call.outcome, call.notes) == ("top", "ok", ("flights v1",))
    assert session.client_name == "%mcp_call"
    assert serving.workbench.sessions == []  # it has said goodbye


def test_braces_and_dollars_are_the_calls_own_and_not_the_shells(serving: Shell) -> None:
    out = serving.run("""%mcp_call echo value={"a": [1, 2]} text='$n {flights}'""")
    assert '{"value":{"a":[1,2]},"text":"$n {flights}"}' in out


def test_a_tool_that_fails_is_an_answer_and_its_text_colours_nothing(serving: Shell) -> None:
    out = serving.run("%mcp_call fail")
    assert out.startswith("fail answered with an error:\nno\\x1b[31m luck\n")


def test_progress_stands_on_one_line_that_is_written_over(serving: Shell) -> None:
    out = serving.run("%mcp_call steps")
    assert out.startswith("\r25 % reading ")
    assert "\ndone\n" in out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "%mcp_call needs a tool: there are echo, fail, steps, top"),
        ("tpo n=1", "no tool 'tpo', nearest is top; there are "),
        ("n=1", "no tool 'n=1'"),
        ("top n=JFK", 'a text needs quotes: n="JFK". Expected: top(flights: DataFrame = …, n: int = 1)'),
        ("top 3", "expected name=value, got 3"),
        ("top n='\\ud800'", "half of a surrogate pair"),
    ],
)
def test_a_line_it_cannot_read_is_answered_with_what_it_can(serving: Shell, line: str, sentence: str) -> None:
    assert sentence in serving.refuses(f"%mcp_call {line}")
    assert serving.workbench.telemetry.failures() == []


def test_without_a_server_or_tools_it_says_how_to_have_them(shell: Shell) -> None:
    assert "the server is not running" in shell.refuses("%mcp_call add")
    assert "%mcp start starts it" in shell.refuses("%mcp_call add")
    assert "@wb.tool makes a function one" in shell.refuses("%mcp_call")


def test_a_connection_that_ends_meanwhile_ends_the_cell_with_a_sentence(serving: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: Workbench, **options: Any) -> None:
        raise ConnectionClosed(1001, "going away")

    monkeypatch.setattr(Workbench, "connect", gone)
    assert "the connection ended before top had answered: " in serving.refuses("%mcp_call top")
