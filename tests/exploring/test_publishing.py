"""Traffic as a resource: only where its author says so, and nothing of what was sent unless they say that too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from mcp_workbench import Workbench
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import PeerError, WorkbenchError
from mcp_workbench.events import Era
from mcp_workbench.exploring import publishing
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.publishing import COLUMNS, TEXTS, reader
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.jsonrpc import encode_request
from mcp_workbench.telemetry import CallRecord, Direction, Message
from tests.exploring.rig import calling

SECRET = "correct horse battery staple"
URI = "workbench://traffic"


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("published")

    @workbench.tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @workbench.tool(redact=["pin"])
    def enter(password: str, pin: str) -> str:
        """Say it."""
        raise ValueError(f"wrong: {password}")

    with calling(workbench):
        yield workbench


def within(workbench: Workbench, talk: Any) -> Any:
    async def main() -> Any:
        async with asyncio.timeout(20), workbench.connect() as session:
            await session.call_tool("add", a=1)
            await session.call_tool("add", a=41)
            await session.call_tool("enter", password=SECRET, pin="0815-4711")
            return await talk(session)

    return asyncio.run(main())


def test_it_is_off_until_its_author_says_so_and_can_be_taken_back(workbench: Workbench) -> None:
    async def talk(session: ClientSession) -> None:
        with pytest.raises(PeerError, match="No resource"):
            await session.read_resource(URI)
        workbench.traffic.publish()
        assert (await session.read_resource(URI)).json()["calls"] == 5, "the refused reading is one, so is the handshake"
        assert "workbench://traffic{?filter,limit}" in [each.uri_template for each in await session.list_resource_templates()]
        workbench.traffic.unpublish()
        with pytest.raises(PeerError, match="No resource"):
            await session.read_resource(URI)

    within(workbench, talk)
    with pytest.raises(WorkbenchError, match="nothing is published"):
        workbench.traffic.unpublish()


def test_it_tells_how_calls_went_and_nothing_of_what_was_said(workbench: Workbench) -> None:
    workbench.traffic.publish()
    text = within(workbench, lambda session: session.read_resource(URI)).text
    told = json.loads(text)
    assert told["columns"] == list(COLUMNS)
    assert not {*TEXTS, "request", "answer", "notes", "defined_at"} & set(COLUMNS)
    rows = [dict(zip(told["columns"], row, strict=True)) for row in told["data"]]
    assert rows.pop(0)["method"] == "server/discover"
    assert [(row["tool"], row["outcome"], row["failed"]) for row in rows] == [
        ("add", "ok", False),
        ("add", "ok", False),
        ("enter", "tool_error", True),
    ]
    assert rows[0]["at"].endswith("Z")
    assert isinstance(rows[0]["total_ms"], float)
    assert rows[0]["code"] is None
    for secret in (SECRET, "0815", "41", "wrong:"):
        assert secret not in json.dumps([{**row, "at": "", "bytes_in": 0, "size": 0} | dict.fromkeys(DURATIONS) for row in rows])


DURATIONS = ("total_ms", "wait_ms", "run_ms", "send_ms", "bytes_out", "tokens", "version")


def test_filters_narrow_it_and_see_no_more_than_it_tells(workbench: Workbench) -> None:
    workbench.traffic.publish()

    async def talk(session: ClientSession) -> None:
        found = (await session.read_resource(f"{URI}?filter=tool%3Aadd&limit=1")).json()
        assert (found["calls"], found["shown"], len(found["data"])) == (2, 1, 1)
        for probing in ("text:correct", "args.a:41", "error:wrong", "correct", "-result.x:1", "note:x"):
            with pytest.raises(PeerError, match=r"asks for more than is told.*\(code -32602\)"):
                await session.read_resource(f"{URI}?filter={probing}")
        with pytest.raises(PeerError, match=r"nearest is outcome.*\(code -32602\)"):
            await session.read_resource(f"{URI}?filter=outcom:ok")
        with pytest.raises(PeerError, match="limit is 1 to"):
            await session.read_resource(f"{URI}?limit=0")

    within(workbench, talk)


def test_with_texts_it_tells_them_and_secrets_stay_withheld(workbench: Workbench) -> None:
    workbench.traffic.publish(texts=True)
    text = within(workbench, lambda session: session.read_resource(URI)).text
    told = json.loads(text)
    assert told["columns"] == [*COLUMNS, *TEXTS]
    assert '{"a":1}' in [row[-2] for row in told["data"]]
    assert "wrong: ‹redacted:" in text
    for secret in (SECRET, "0815-4711"):
        assert secret not in text


def test_a_filter_finds_no_secret_in_what_is_shown_without_it(workbench: Workbench) -> None:
    uri = "db://host/x?password=hunter2x9q"

    async def talk(session: ClientSession) -> None:
        for texts in (False, True):
            workbench.traffic.publish(texts=texts)
            with pytest.raises(PeerError, match="No resource"):
                await session.read_resource(uri)
            assert (await session.read_resource(f"{URI}?filter=target%3Adb%3A*")).json()["calls"] == 1 + texts
            for probing in ("target:*password=h*", "uri:*hunter2x9q", *(("error:hunter2x9q", "args.password:c*") if texts else ())):
                asked = quote(f"{probing} -target:workbench*", safe="")
                assert (await session.read_resource(f"{URI}?filter={asked}")).json()["calls"] == 0, probing
            workbench.traffic.unpublish()

    within(workbench, talk)


def test_what_was_made_fit_is_kept_until_something_new_is_known_to_be_a_secret() -> None:
    looked: list[int] = []

    class Counting(Redactor):
        def message(self, raw: bytes, session: str = "") -> bytes:
            looked.append(len(raw))
            return super().message(raw, session)

    def record(number: int, arguments: dict[str, object]) -> CallRecord:
        raw = encode_request(number, "tools/call", {"name": "enter", "arguments": arguments})
        call = CallRecord("", "s1", "p", Era.MODERN, "tools/call", "enter", number, number, number, len(raw))
        call.seq, call.request = number, Message("s1", Direction.IN, number, number, len(raw), raw, number)
        return call

    records = [record(1, {"note": SECRET}), record(2, {"password": SECRET})]
    read = reader(lambda: CallList(records, Annotations()), Counting, texts=True)
    assert SECRET not in read()
    assert json.loads(read(filter=f'args.note:"{SECRET}"'))["calls"] == 0, "before the place that gave it away, too"
    first = len(looked)
    read()
    read(filter="tool:enter")
    assert len(looked) == first
    records.append(record(3, {"password": "another one"}))
    read()
    assert len(looked) > first


def test_it_tells_of_the_latest_and_texts_of_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "REACHES", 3)
    monkeypatch.setattr(publishing, "MOST", 2)
    records = [CallRecord("", "s1", "p", Era.MODERN, "tools/call", "add", number, number, number, 1) for number in range(5)]
    for call in records:
        call.error = "wrong"
    told = json.loads(reader(lambda: CallList(records, Annotations()), Redactor, texts=True)(limit=2))
    assert told["calls"] == 3
    found = json.loads(reader(lambda: CallList(records, Annotations()), Redactor, texts=True)("error:wrong", limit=1))
    assert (found["calls"], found["shown"]) == (2, 1)
