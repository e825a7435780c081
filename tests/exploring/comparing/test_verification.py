"""Recordings against live servers: the one that was recorded, one that has changed, one that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import PeerError, WorkbenchError
from mcp_workbench.exploring.comparing import consent
from mcp_workbench.exploring.comparing.verification import DifferentError, Verification
from mcp_workbench.exploring.traffic import Traffic
from tests.exploring.comparing.rig import HOSTILE
from tests.exploring.rig import calling

WITHIN_S = 20


def offering(changed: bool = False) -> tuple[Workbench, list[str]]:
    """A server, and what its destructive tool was called with."""
    dropped: list[str] = []
    workbench = Workbench("verified")

    @workbench.tool(read_only=True)
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b + changed

    @workbench.tool(read_only=True)
    def stamp(name: str) -> dict[str, Any]:
        """Differs each time."""
        return {"name": name, "at": len(dropped) + id(workbench)}

    @workbench.tool
    def drop(table: str, password: str = "") -> str:
        """Change something."""
        dropped.append(table)
        return f"dropped {table}"

    @workbench.tool(read_only=True)
    def asks(ctx: Context) -> str:
        """Ask."""
        return str(ctx.elicit("Sure?", schema={"type": "object", "properties": {}}).action)

    if changed:
        workbench.unpublish("stamp")
        workbench.unpublish("add")

        @workbench.tool(read_only=True, name="add")
        def add_text(a: str, b: int = 2) -> str:
            """Add, differently."""
            return f"{a}{b}"

    return workbench, dropped


async def visit(workbench: Workbench) -> None:
    async with workbench.connect(era="modern", on_elicit=lambda question: "decline") as session:
        await session.list_tools()
        await session.call_tool("add", a=1)
        await session.call_tool("stamp", name=HOSTILE)
        await session.call_tool("drop", table="t")
        await session.call_tool("drop", table="u", password="correct horse battery")
        await session.call_tool("asks")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verify") / "r.mcptraffic.jsonl"
    workbench, _ = offering()
    with calling(workbench), workbench.record(path):
        asyncio.run(visit(workbench))
    return path


@pytest.fixture
def live() -> Iterator[tuple[Workbench, list[str]]]:
    workbench, dropped = offering()
    with calling(workbench):
        yield workbench, dropped


def verified(traffic: Traffic, recorded: Any, **options: Any) -> Verification:
    async def bounded() -> Verification:
        async with asyncio.timeout(WITHIN_S):
            return await traffic.verify(recorded, **options)

    return asyncio.run(bounded())


def test_the_server_that_was_recorded_answers_as_it_did(recorded: Path, live: tuple[Workbench, list[str]]) -> None:
    workbench, dropped = live
    found = verified(workbench.traffic, recorded, volatile=["structuredContent.at"], destructive="run")
    assert found.ok, found
    assert dropped == ["t"]
    assert [diff.what for diff in found.payloads] == ["tools/call add", "tools/call stamp", "tools/call drop", "tools/call asks"]
    assert found.contract.known >= 4
    assert set(found.latency) == {"tools/call add", "tools/call stamp", "tools/call drop"}
    found.raise_if_different()
    assert "verified: 4 requests" in repr(found)
    assert [each.reason for each in found.skipped] == ["a secret was withheld of what it asked"]
    assert "verified" in found._repr_html_()


def test_where_nobody_can_be_asked_nothing_destructive_runs_and_it_is_not_ok(recorded: Path, live: tuple[Workbench, list[str]]) -> None:
    workbench, dropped = live
    found = verified(workbench.traffic, recorded, volatile=["structuredContent.at"])
    assert dropped == []
    assert (found.payloads.ok, found.contract.ok, found.ok) == (True, True, False)
    assert [each.reason for each in found.skipped if each.open] == [consent.NOBODY]
    assert repr(found).startswith("undecided: ")
    with pytest.raises(DifferentError, match="nobody could be asked"):
        found.raise_if_different()
    assert verified(workbench.traffic, recorded, volatile=["structuredContent.at"], destructive="skip").ok


def test_consent_is_asked_for_what_is_sent_whatever_the_recording_says_of_it(
    recorded: Path, live: tuple[Workbench, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench, dropped = live
    forged = tmp_path / "forged.mcptraffic.jsonl"
    text = recorded.read_text()
    assert '"name":"add","arguments":{"a":1}' in text
    forged.write_text(text.replace('"name":"add","arguments":{"a":1}', '"name":"drop","arguments":{"table":"all"}'))
    calls = Traffic.load(forged).calls("tool:add")
    assert [(call.target, call.params["name"]) for call in calls] == [("add", "drop")]
    for wish in ("ask", "skip"):
        found = verified(workbench.traffic, calls, destructive=wish)
        assert (dropped, len(found.payloads), found.ok) == ([], 0, wish == "skip")
        assert [each.open for each in found.skipped] == [wish == "ask"]
        assert "tools/call add(table='all'): drop may change something" in repr(found)
    with pytest.raises(WorkbenchError, match="no call was made: drop may change something"):
        asyncio.run(workbench.traffic.ab(calls, b=workbench.connect()))
    monkeypatch.setattr(consent, "ask_person", lambda question: "add")
    verified(workbench.traffic, calls)
    assert dropped == []


def test_a_live_answer_that_looks_withheld_is_a_difference(recorded: Path) -> None:
    lying = Workbench("lying")

    @lying.tool(read_only=True)
    def add(a: int, b: int = 2) -> str:
        """Add."""
        return "‹redacted:0123456789ab›"

    with calling(lying):
        found = verified(lying.traffic, Traffic.load(recorded).calls("tool:add"), destructive="skip")
        played = asyncio.run(lying.traffic.ab(Traffic.load(recorded).calls("tool:add"), b=lying.connect()))
    assert not found.payloads.ok
    assert not played.ok


def test_a_new_version_of_a_dataframe_is_no_difference_and_other_values_are() -> None:
    workbench = Workbench("versions")

    @workbench.tool(read_only=True)
    def top(orders: pd.DataFrame, n: int = 2) -> pd.DataFrame:
        """The first."""
        return orders.head(n)

    async def visit() -> None:
        async with workbench.connect() as session:
            await session.call_tool("top")

    workbench.publish(orders=pd.DataFrame({"price": [1, 2]}))
    with calling(workbench):
        asyncio.run(visit())
        calls = workbench.traffic.calls("tool:top")
        workbench.publish(orders=pd.DataFrame({"price": [1, 2, 3]}))
        same = verified(workbench.traffic, calls)
        workbench.publish(orders=pd.DataFrame({"price": [1, 9, 3]}))
        changed = verified(workbench.traffic, calls)
    assert calls[0].result["content"][-1]["text"] == "Read: orders v1"
    assert same.ok, same
    [different] = changed.payloads.differing
    assert [each.where for each in different.result] == ["$.content[0].text"]


def test_a_person_in_a_notebook_is_asked(recorded: Path, live: tuple[Workbench, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    workbench, dropped = live
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "drop"

    monkeypatch.setattr(consent, "ask_person", ask)
    assert verified(workbench.traffic, recorded, volatile=["structuredContent.at"]).ok
    assert (len(asked), dropped) == (1, ["t"])
    assert "drop (1 call)" in asked[0]


def test_a_server_that_has_changed_differs_in_contract_and_answers(recorded: Path) -> None:
    workbench, _ = offering(changed=True)
    with calling(workbench):
        found = verified(Traffic.load(recorded), recorded, against=workbench.url, token=workbench.token, destructive="skip")
        again = verified(workbench.traffic, Traffic.load(recorded).calls("tool:add"), destructive="skip")
    assert found.contract.gone == ("stamp",)
    assert [each.where for each in found.contract.changed["add"]] == ["$.inputSchema.properties.a.type"]
    assert [diff.what for diff in found.payloads.differing] == ["tools/call add"]
    assert len(again.payloads) == 1
    for shown in (repr(found), found._repr_html_()):
        assert "different: 2 requests" in shown
        assert "stamp" in shown
        assert "tools/call add(a=1): " in shown or "a=1</span>" in shown
        assert "tools/call drop(table=&#x27;t&#x27;): " in shown or "drop(table=" in shown
        assert "\x1b" not in shown
        assert "correct horse" not in shown
    assert "<img" not in found._repr_html_()
    with pytest.raises(AssertionError, match="gone stamp"):
        found.raise_if_different()


def test_an_open_session_is_used_and_left_open(recorded: Path, live: tuple[Workbench, list[str]]) -> None:
    workbench, _ = live

    async def main() -> None:
        async with workbench.connect() as session:
            found = await Traffic.load(recorded).verify(recorded, against=session, destructive="skip", volatile=["structuredContent.at"])
            assert found.ok
            assert not session.closed
        found = await workbench.traffic.verify(recorded, against=workbench.connect(), destructive="skip", volatile=["structuredContent.at"])
        assert found.ok

    asyncio.run(main())


def test_a_server_that_goes_away_is_a_difference_and_no_accident(recorded: Path, tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text(
        "import os, mcp_workbench as wb\n"
        "@wb.tool(read_only=True)\ndef add(a: int, b: int = 2) -> int:\n    'Add.'\n    os._exit(3)\n"
        "wb.run_stdio()\n"
    )
    import sys

    found = verified(Traffic.load(recorded), recorded, against=[sys.executable, str(script)], destructive="skip")
    assert not found.ok
    assert {diff.b.outcome for diff in found.payloads if diff.b} == {"dropped"}
    assert "drop" in found.contract.gone


def test_of_a_server_that_shows_no_tools_none_is_called(
    recorded: Path, live: tuple[Workbench, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(session: ClientSession) -> Any:
        raise PeerError(-32601, "no such method")

    monkeypatch.setattr(ClientSession, "list_tools", refuse)
    found = verified(live[0].traffic, recorded)
    assert live[1] == []
    assert (len(found.payloads), found.ok, set(found.contract.gone) >= {"add", "drop"}) == (0, False, True)


def test_what_makes_no_sense_is_said_in_a_sentence(recorded: Path, live: tuple[Workbench, list[str]], tmp_path: Path) -> None:
    traffic, loaded = live[0].traffic, Traffic.load(recorded)
    with pytest.raises(WorkbenchError, match="no server of its own"):
        verified(loaded, recorded)
    with pytest.raises(ValueError, match="destructive is one of"):
        verified(traffic, recorded, destructive="perhaps")
    with pytest.raises(ValueError, match="expected a name or a path"):
        verified(traffic, recorded, volatile=["a..b"])
    with pytest.raises(FileNotFoundError):
        verified(traffic, tmp_path / "none.mcptraffic.jsonl")
    with pytest.raises(WorkbenchError, match="can be asked again"):
        verified(Workbench("empty").traffic, [], against=live[0].connect())
