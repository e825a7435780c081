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


@pytest.mark.parametrize(
    ("rest", "rows"), [("", 2), (' where="n > 1"', 1), (' where="n > 0" columns=["n"] limit=1', 1), (' where="n > 5"', 0)]
)
def test_rows_are_a_dataframe_however_they_were_chosen(serving: Shell, monkeypatch: pytest.MonkeyPatch, rest: str, rows: int) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("mcp_workbench.kernel.results.display", lambda value, **_: shown.append(value))
    out = serving.run(f"%mcp_call df_read name=flights{rest}")
    [df] = shown
    assert (len(df), list(df.columns)[-1]) == (rows, "n")
    assert "JFK" not in out


def test_an_agent_sees_nothing_of_what_the_author_calls_and_the_author_sees_what_the_agent_has(serving: Shell) -> None:
    serving.run("%mcp_call top n=1")
    assert {call.principal for call in serving.workbench.telemetry.calls()} == {"notebook"}
    agent = (
        "import asyncio\nasync def agent(tool, **arguments):\n"
        "    async with wb.connect(token=wb.start().token) as session:\n"
        "        return (await session.call_tool(tool, arguments)).text\n"
    )
    serving.run(agent + "said = asyncio.run(agent('notebook_status'))\nfound = asyncio.run(agent('top', n=1))")
    assert "_r1" not in serving.ip.user_ns["said"]
    assert "_r2" in serving.ip.user_ns["found"]
    serving.run("%mcp_call top flights=_r2")
    serving.run("mine, theirs = wb.get('_r1'), wb.get('_r2')")
    assert "No result _r1" in serving.run("print(asyncio.run(agent('top', flights='_r1')))")


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
