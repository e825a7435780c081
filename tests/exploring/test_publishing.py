"""Traffic as a resource: only where its author says so, and nothing of what was sent unless they say that too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_workbench import Workbench
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import PeerError, WorkbenchError
from mcp_workbench.exploring.publishing import COLUMNS, TEXTS
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
            with pytest.raises(PeerError, match="asks for more than is told"):
                await session.read_resource(f"{URI}?filter={probing}")
        with pytest.raises(PeerError, match="nearest is outcome"):
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
