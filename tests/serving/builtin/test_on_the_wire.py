"""The workbench's own tools as a client meets them, in both eras."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import msgspec
import pandas as pd
import pytest

from mcp_workbench.hosts import Cell
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.serving.moved_on import NOTHING_PUBLISHED
from mcp_workbench.serving.places import NOTEBOOK, PROGRAM, SHELL, Place, instructions
from tests.support.stage import Stage, happened, server_of
from tests.support.talk import Talk, text_of

FLIGHTS = pd.DataFrame({"dep_delay": [5, 61, 90], "carrier": ["UA", "AA", "UA"]})
OWN = ["df_changes", "df_describe", "df_read", "job_cancel", "job_wait", "notebook_call", "notebook_status"]
CHANGED = "notifications/tools/list_changed"


@pytest.fixture(params=[LATEST_LEGACY, LATEST_MODERN])
def stage(request: pytest.FixtureRequest) -> Stage:
    stage = Stage("websocket", request.param)

    @stage.workbench.tool
    def top_routes(flights: pd.DataFrame, n: int = 5) -> str:
        """Busiest routes.

        Args:
            n: How many.
        """
        return f"{len(flights)} flights, {n} routes"

    return stage


def play(stage: Stage, main: Any) -> None:
    stage.play(main, builtin_tools=True)


async def said(talk: Talk, tool: str, /, **arguments: Any) -> str:
    result = await talk.called(tool, **arguments)
    assert not result.get("isError"), result
    return text_of(result)


async def refused(talk: Talk, tool: str, /, **arguments: Any) -> str:
    result = await talk.called(tool, **arguments)
    assert result["isError"] is True
    return text_of(result)


def cursor_of(status: str) -> str:
    found = re.search(r"cursor (\S+)", status.splitlines()[0])
    assert found is not None
    return found[1]


async def listen(stage: Stage, talk: Talk) -> None:
    if stage.modern:
        talk.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        await talk.news("notifications/subscriptions/acknowledged")


# --- what is listed ------------------------------------------------------------------------------------------


def test_they_are_listed_beside_the_authors_within_their_bound_and_say_which_only_look(stage: Stage) -> None:
    stage.workbench.publish(flights=FLIGHTS)

    async def main(talk: Talk) -> None:
        listed = (await talk.result("tools/list"))["tools"]
        assert [tool["name"] for tool in listed] == [*OWN, "top_routes"]
        own = [tool for tool in listed if tool["name"] in OWN]
        # 6,000 for all there will ever be; those that are still to come need room.
        assert sum(len(msgspec.json.encode(tool)) for tool in own) <= 4_500
        looking = {tool["name"] for tool in own if tool.get("annotations") == {"readOnlyHint": True}}
        assert looking == set(OWN) - {"notebook_call", "job_cancel"}
        for tool in own:
            assert len(tool["description"]) <= 160
            assert all("description" in each or name == "columns" for name, each in tool["inputSchema"]["properties"].items())

    play(stage, main)


def test_a_text_that_was_cut_is_read_on_with_df_read_which_comes_with_it(stage: Stage) -> None:
    @stage.workbench.tool
    def log() -> str:
        return "x" * 20_000

    async def main(talk: Talk) -> None:
        await listen(stage, talk)
        shown = text_of(await talk.called("log"))
        more = re.search(r'More: df_read\("_r1", offset=(\d+)\)\.\]', shown)
        assert more is not None
        await talk.news(CHANGED)
        assert "df_read" in [tool["name"] for tool in (await talk.result("tools/list"))["tools"]]
        rest = await said(talk, "df_read", name="_r1", offset=int(more[1]))
        assert rest.startswith(f"characters {int(more[1]):,} to ")
        assert "Results of your calls: _r1 (text)" in await said(talk, "notebook_status")
        notebook_too = await said(talk, "notebook_call", function="df_read", arguments={"name": "_r1", "offset": 19_999})
        assert notebook_too.splitlines()[1:] == ["x", "This is the end."]

    play(stage, main)


def test_the_df_tools_come_with_the_first_dataframe_and_go_with_the_last_and_that_is_told_once(stage: Stage) -> None:
    workbench = stage.workbench

    async def names(talk: Talk) -> list[str]:
        return [tool["name"] for tool in (await talk.result("tools/list"))["tools"]]

    async def main(talk: Talk) -> None:
        await listen(stage, talk)
        assert "df_read" not in await names(talk)
        workbench.publish(flights=FLIGHTS)
        await talk.news(CHANGED)
        assert "df_read" in await names(talk)
        workbench.publish(planes=FLIGHTS)
        workbench.unpublish("flights")
        await talk.fence()
        assert talk.heard(CHANGED) == [], "nothing of the list has changed"
        workbench.unpublish("planes")
        await talk.news(CHANGED)
        assert "df_read" not in await names(talk)

    play(stage, main)


@pytest.mark.parametrize("place", [NOTEBOOK, SHELL, PROGRAM])
def test_the_instructions_are_short_and_name_only_what_there_is(place: Place) -> None:
    with_own, plain = instructions(place, own_tools=True), instructions(place, own_tools=False)
    assert max(len(with_own), len(plain)) <= 1_500
    assert set(re.findall(r"\b(?:notebook|df|job)_[a-z]+", with_own)) <= set(OWN)
    assert not re.findall(r"\b(?:notebook|df|job)_[a-z]+", plain)


def test_the_instructions_are_those_of_the_place_and_the_tools(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        assert (await talk.open())["instructions"] == instructions(PROGRAM, own_tools=True)

    stage.play(main, opened=False, builtin_tools=True)
    without = Stage("websocket", stage.version)

    async def main_without(talk: Talk) -> None:
        assert (await talk.open())["instructions"] == instructions(PROGRAM, own_tools=False)

    without.play(main_without, opened=False)


# --- notebook_status -----------------------------------------------------------------------------------------


def test_status_shows_everything_and_with_a_cursor_only_what_is_new(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.publish("flights", FLIGHTS, description="All flights.")

    async def main(talk: Talk) -> None:
        await said(talk, "top_routes", n=1)
        status = await said(talk, "notebook_status")
        lines = status.splitlines()
        assert re.fullmatch(r"stage · program idle · 1 DataFrame, 1 function · cursor \S+ · [\d.]+ ms", lines[0])
        text = FLIGHTS["carrier"].dtype
        assert lines[1:3] == ["DataFrames:", f"flights v1 · 3 rows x 2 columns: dep_delay int64, carrier {text} · All flights."]
        usage = r"top_routes\(flights: DataFrame = …, n: int = 5\) -> str · usually [\d.]+ ms · Busiest routes\."
        assert re.fullmatch(usage, lines[4])
        cursor = cursor_of(status)
        assert (await said(talk, "notebook_status", since=cursor)).startswith("Nothing new · program idle · cursor ")

        workbench.touch("flights")
        workbench.tool(other)
        workbench.unpublish("other")
        news = (await said(talk, "notebook_status", since=f"cursor {cursor}")).splitlines()
        assert news[0].startswith("3 new · program idle · cursor ")
        assert news[1:-1] == ["flights v2: touched", "function other added", "function other withdrawn"]
        assert news[-1].endswith("waits for more; notebook_status() shows everything.")

    play(stage, main)


def other() -> None:
    """Another."""


def test_a_changed_function_is_told_by_what_callers_must_know(stage: Stage) -> None:
    workbench = stage.workbench

    def shaped(n: float) -> None: ...

    async def main(talk: Talk) -> None:
        workbench.tool(name="other")(other)
        cursor = cursor_of(await said(talk, "notebook_status"))
        with pytest.warns(UserWarning, match="give one of them another name"):
            workbench.tool(name="other")(shaped)
        assert "function other changed: n added (float, required)" in await said(talk, "notebook_status", since=cursor)

    play(stage, main)


def test_who_waits_is_told_as_soon_as_there_is_news_and_holds_no_thread(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.publish(flights=FLIGHTS)

    async def main(talk: Talk) -> None:
        cursor = cursor_of(await said(talk, "notebook_status"))
        status = talk.call("notebook_status", since=cursor, wait_s=50)
        changes = talk.call("df_changes", name="flights", since="v1", wait_s="50")
        server = server_of(workbench)
        await talk.until(lambda: len(server.news) == 2)
        assert server.execution.statistics().open_calls == 0
        workbench.touch("flights")
        assert "flights v2: touched" in text_of((await talk.answer(status))["result"])
        assert text_of((await talk.answer(changes))["result"]).startswith("1 new version since v1 · flights v2 · ")

    play(stage, main)


def test_a_cursor_of_another_kernel_brings_everything(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        lines = (await said(talk, "notebook_status", since="dead-17", wait_s=50)).splitlines()
        assert lines[1] == "Cursor 'dead-17' is of another kernel or too old, so here is everything."
        assert "top_routes(" in lines[3]

    play(stage, main)


def test_a_busy_kernel_is_said_with_its_cell(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(talk: Talk) -> None:
        host = server_of(stage.workbench)._notebook.host
        monkeypatch.setattr(type(host), "cell", lambda _self: Cell("[12]", None, time.monotonic() - 8))
        assert " · program busy in cell [12] for 8 s · " in await said(talk, "notebook_status")

    play(stage, main)


def test_much_is_written_shorter_and_what_is_left_out_is_said(stage: Stage) -> None:
    workbench = stage.workbench
    wide = pd.DataFrame([range(40)], columns=[f"a_rather_long_name_{n}" for n in range(40)])
    for number in range(60):
        workbench.publish(f"table_{number:03}", wide)

    async def main(talk: Talk) -> None:
        shorter = await said(talk, "notebook_status")
        assert len(shorter) <= 8_000
        assert "table_059 v1 · 1 row x 40 columns" in shorter
        for number in range(60, 600):
            workbench.publish(f"table_{number:03}", wide)
        names = await said(talk, "notebook_status")
        assert len(names) <= 8_000
        [line] = [line for line in names.splitlines() if line.startswith("DataFrames, by name only: table_000, table_001")]
        found = re.search(r"and (\d+) more, left out for length$", line)
        assert found is not None
        assert line.count("table_") + int(found[1]) == 600
        assert names.splitlines()[-1].startswith("Next: ")

    play(stage, main)


# --- notebook_call -------------------------------------------------------------------------------------------


def test_a_function_is_called_by_name_as_if_it_were_listed(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.publish(flights=FLIGHTS)

    async def main(talk: Talk) -> None:
        direct = await talk.called("top_routes", n=2)
        for arguments in ({"n": 2}, '{"n": 2}', '{"n": "2", "flights": "df://flights"}'):
            assert await talk.called("notebook_call", function="top_routes", arguments=arguments) == direct
        assert await said(talk, "notebook_call", function="`top_routes()`") == "3 flights, 5 routes\nRead: flights v1"
        assert (await said(talk, "notebook_call", function="df_read", arguments={"name": "flights"})).startswith("3 rows x 2 columns")
        calls = [call for call in workbench.telemetry.calls() if call.method == "tools/call"]  # the last may still be on its way
        assert {(call.target, call.notes) for call in calls[:5]} == {("top_routes", ("flights v1",))}
        assert len({call.tool_version for call in calls[:5]}) == 1

    play(stage, main)


def test_a_call_that_cannot_be_meant_is_refused_with_what_can(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        lists = "notebook_status() lists those there are."
        assert await refused(talk, "notebook_call", function="top_rutes") == (
            f"No function top_rutes in this notebook. Nearest: top_routes. {lists}"
        )
        assert "calls other functions, not itself" in await refused(talk, "notebook_call", function="notebook_call")
        assert (await refused(talk, "notebook_call", function="top_routes", n=3)).endswith(
            'The function\'s own arguments go into arguments, for instance arguments={"n": …}.'
        )
        assert "expected an object" in await refused(talk, "notebook_call", function="top_routes", arguments="n=3")
        wrong = await refused(talk, "notebook_call", function="top_routes", arguments={"nn": 3})
        assert wrong.startswith('there is no argument "nn". Nearest: n. Expected: top_routes(')
        error = await talk.error("tools/call", {"name": "top_rutes"})
        assert error["message"] == f"Unknown tool: top_rutes. Nearest: top_routes. {lists}"
        why = f"as {NOTHING_PUBLISHED}"
        assert (await talk.error("tools/call", {"name": "df_read"}))["message"] == f"Unknown tool: df_read, {why}"
        assert await refused(talk, "notebook_call", function="df_read", arguments={"name": "flights"}) == f"No df_read, {why}"

    play(stage, main)


def test_a_call_by_name_can_be_cancelled_like_any_other(stage: Stage) -> None:
    began, release = threading.Event(), threading.Event()

    @stage.workbench.tool
    def hold() -> None:
        began.set()
        release.wait()

    async def main(talk: Talk) -> None:
        request = talk.call("notebook_call", function="hold")
        await happened(began)
        talk.cancel(request)
        await talk.fence()
        release.set()
        await talk.until(lambda: any(call.target == "hold" for call in stage.workbench.telemetry.calls()))
        [record] = [call for call in stage.workbench.telemetry.calls() if call.target == "hold"]
        assert record.outcome == "cancelled"

    play(stage, main)


# --- df_ -----------------------------------------------------------------------------------------------------


def test_dataframes_and_results_are_described_and_read(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.publish(flights=FLIGHTS)

    @workbench.tool
    def late(flights: pd.DataFrame) -> pd.DataFrame:
        return flights[flights["dep_delay"] > 60]

    async def main(talk: Talk) -> None:
        assert (await said(talk, "df_describe", name="flights")).startswith("3 rows x 2 columns · flights v1 · ")
        read = await said(talk, "df_read", name="df://flights", where="carrier = 'UA'", columns="dep_delay")
        assert read.splitlines()[1:] == ["dep_delay", "5", "90", "These are all."]
        assert "_r1" in await said(talk, "late")
        assert (await said(talk, "df_read", name="_r1", where="carrier = 'AA'")).splitlines()[2:4] == ["1,61,AA", "These are all."]
        assert "Results of your calls: _r1" in await said(talk, "notebook_status")
        assert "Nearest: dep_delay" in await refused(talk, "df_read", name="flights", where="depdelay > 60")
        assert "Nearest: flights" in await refused(talk, "df_read", name="fligts")
        assert "Nearest: columns" in await refused(talk, "df_read", name="flights", colums=["carrier"])

    play(stage, main)


def test_results_and_news_of_one_principal_are_not_seen_by_another(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.publish(flights=FLIGHTS)
    workbench.tokens.add("bob")

    @workbench.tool
    def late(flights: pd.DataFrame) -> pd.DataFrame:
        return flights[flights["dep_delay"] > 60]

    async def main(talk: Talk) -> None:
        await said(talk, "late")
        async with stage.client(principal="bob") as bob:
            assert "Results of your calls: _r1" in await said(talk, "notebook_status")
            assert "_r1" not in await said(bob, "notebook_status")
            assert "No result _r1 is kept" in await refused(bob, "df_read", name="_r1")
            cursor = cursor_of(await said(bob, "notebook_status"))
            workbench._offer.chronicle.write("job j1 (late) done", principal="default")
            assert (await said(bob, "notebook_status", since=cursor)).startswith("Nothing new · ")
            assert "job j1 (late) done" in await said(talk, "notebook_status", since=cursor)

    play(stage, main)


def test_uris_that_mean_nothing_name_the_nearest(stage: Stage) -> None:
    stage.workbench.publish(flights=FLIGHTS)

    async def main(talk: Talk) -> None:
        read = await talk.result("resources/read", {"uri": "df://flights/rows?where=dep_delay > 60&order=-dep_delay&columns=dep_delay"})
        assert read["contents"][0]["text"].splitlines() == ["dep_delay", "90", "61", "# 2 of 3 rows match (flights v1)."]
        for uri, sentence in (
            ("df://flights/descrbe", "df://flights has no part 'descrbe'. Nearest: df://flights/describe."),
            ("df://flights/distinct/carier", "No column 'carier' in flights v1. Nearest: carrier."),
        ):
            assert (await talk.error("resources/read", {"uri": uri}))["message"] == sentence

    play(stage, main)
