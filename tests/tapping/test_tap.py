"""Real clients, a tap, and real servers behind it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.client.connect import connect
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, HandshakeRefused, WorkbenchError
from mcp_workbench.tapping import tap as tap_module
from mcp_workbench.tapping.hooks import Passing
from mcp_workbench.tapping.tap import door_of
from mcp_workbench.tapping.upstream import upstream_of
from mcp_workbench.tasks import start_task
from mcp_workbench.telemetry import CallRecord, Outcome, Side

WITHIN_S = 20
SCRIPT = """
import mcp_workbench as wb
@wb.tool
def add(a: int, b: int) -> int:
    "Adds."
    return a + b
@wb.tool
def die() -> None:
    "Dies."
    import os
    os._exit(3)
wb.run_stdio()
"""


@pytest.fixture
def upstream() -> Iterator[Workbench]:
    """A server behind the tap, over WebSocket and HTTP."""
    workbench = Workbench("upstream")

    @workbench.tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def count(n: int, ctx: Context) -> int:
        """Count, and say so."""
        for number in range(n):
            ctx.report_progress(number, n)
        return n

    workbench.start(http=True)
    yield workbench
    workbench.stop()


@pytest.fixture
def ours() -> Workbench:
    return Workbench("ours")


def address(upstream: Workbench, kind: str) -> str:
    return upstream.url if kind == "ws" else str(upstream.http_url)


def calls(ours: Workbench, method: str = "tools/call") -> list[CallRecord]:
    ours._offer.overhearing.settle()
    return [call for call in ours.telemetry.calls(None) if call.method == method]


async def status_of(port: int, headers: dict[str, str]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "\r\n"]
    writer.write("\r\n".join(lines).encode())
    status = int((await reader.readline()).split()[1])
    writer.transport.abort()
    return status


def within(coroutine: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(WITHIN_S):
            return await coroutine

    return asyncio.run(bounded())


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("kind", ["ws", "http"])
def test_a_client_and_a_server_do_not_notice_and_everything_is_heard(upstream: Workbench, ours: Workbench, kind: str, era: Any) -> None:
    progress: list[float] = []

    async def main(url: str) -> None:
        async with connect(url, token=ours.token, era=era) as session:
            assert (await session.call_tool("add", a=1, b=2)).text == "3"
            counted = await session.call_tool("count", n=3, on_progress=lambda done, total, message: progress.append(done))
            assert counted.text == "3"
            assert (await session.call_tool("add", a="x", b=2)).is_error

    with ours.tap(address(upstream, kind), token=upstream.token) as tap:
        within(main(tap.url))
    assert progress
    added, counted, failed = calls(ours)
    assert (added.target, added.side, added.outcome, str(added.era)) == ("add", Side.TAP, Outcome.OK, era)
    assert (failed.outcome, counted.total_ns is not None) == (Outcome.TOOL_ERROR, True)
    assert counted.said_meanwhile()
    assert added.request is not None
    assert upstream.token.encode() not in added.request.raw
    assert {record.session_id for record in ours.telemetry.sessions()} >= {added.session_id}


def test_a_command_behind_a_websocket(ours: Workbench) -> None:
    async def main(url: str) -> None:
        async with connect(url, token=ours.token) as session:
            assert (await session.call_tool("add", a=2, b=2)).text == "4"

    with ours.tap([sys.executable, "-c", SCRIPT]) as tap:
        assert (tap.url[:5], "python" in repr(tap)) == ("ws://", True)
        within(main(tap.url))
    assert [call.target for call in calls(ours)] == ["add"]


def test_the_door_is_guarded_as_every_door(upstream: Workbench, ours: Workbench) -> None:
    async def refused(url: str, token: str | None) -> None:
        with pytest.raises((HandshakeRefused, ConnectionClosed)) as caught:
            await connect(url, token=token)
        assert "401" in str(caught.value)

    for kind in ("ws", "http"):
        with ours.tap(address(upstream, kind), token=upstream.token) as tap:
            within(refused(tap.url, None))
            within(refused(tap.url, upstream.token))
            port = int(tap.url.rpartition(":")[2].partition("/")[0])
            for headers in ({"Host": "evil.example"}, {"Host": f"127.0.0.1:{port}", "Origin": "https://evil.example"}):
                assert within(status_of(port, {"Authorization": f"Bearer {ours.token}", "Content-Length": "0", **headers})) == 403
    assert calls(ours) == []


def test_a_ticket_opens_the_tap_once(upstream: Workbench, ours: Workbench) -> None:
    async def main(url: str) -> None:
        async with connect(url) as session:
            assert (await session.call_tool("add", a=1, b=1)).text == "2"
        with pytest.raises(HandshakeRefused):
            await connect(url)

    with ours.tap(upstream.url, token=upstream.token) as tap:
        within(main(tap.ticket_url()))


def test_no_secret_is_shown(upstream: Workbench, ours: Workbench) -> None:
    with ours.tap(upstream.url, token=upstream.token, headers={"X-Key": "hush-hush"}) as tap:
        for text in (repr(tap), repr(tap.upstream), repr(vars(tap))):
            assert upstream.token not in text
            assert ours.token not in text
            assert "hush-hush" not in text


@pytest.mark.parametrize("kind", ["ws", "http"])
def test_a_server_that_is_not_there_is_told_with_a_sentence(ours: Workbench, kind: str) -> None:
    async def main(url: str) -> None:
        with pytest.raises(Exception, match="nothing listens") as caught:
            async with connect(url, token=ours.token, era="legacy") as session:
                await session.call_tool("add")
        assert "behind this tap" in str(caught.value)

    with ours.tap(f"{kind}://127.0.0.1:1/mcp") as tap:
        within(main(tap.url))


def test_a_server_that_refuses_the_taps_token_is_told(upstream: Workbench, ours: Workbench) -> None:
    async def main(url: str) -> None:
        with pytest.raises(ConnectionClosed) as caught:
            await connect(url, token=ours.token, era="legacy")
        assert "401" in str(caught.value)

    with ours.tap(upstream.url, token="wrong" * 8) as tap:
        within(main(tap.url))


def test_a_server_that_dies_in_the_middle_ends_the_client_and_the_call(ours: Workbench) -> None:
    async def main(url: str) -> None:
        session = await connect(url, token=ours.token)
        with pytest.raises(ConnectionClosed, match=r"behind the tap|ended"):
            await session.call_tool("die")

    with ours.tap([sys.executable, "-c", SCRIPT]) as tap:
        within(main(tap.url))
    assert [(call.target, call.outcome) for call in calls(ours)] == [("die", Outcome.DROPPED)]


def test_a_server_that_speaks_nonsense_and_floods_is_passed_on_and_bounded(ours: Workbench) -> None:
    """Its lines are no messages: the client is told what it would be told without a tap, and memory stays bounded."""
    flood = "import sys\nfor n in range(20000): print('x' * 1000)\nsys.stdin.read()"

    async def main(url: str) -> None:
        with pytest.raises((ConnectionClosed, CallTimedOut)):
            await connect(url, token=ours.token, era="legacy", timeout_s=2)

    with ours.tap([sys.executable, "-c", flood]) as tap:
        within(main(tap.url))
    ours._offer.overhearing.settle()
    assert ours.telemetry.messages.bytes <= ours.telemetry.messages.max_bytes


def test_a_hook_is_the_chaos_of_a_test(upstream: Workbench, ours: Workbench) -> None:
    threads: set[str] = set()

    async def main(url: str) -> None:
        async with connect(url, token=ours.token) as session:
            assert (await session.call_tool("add", a=1, b=2)).text == "101"
            assert (await session.call_tool("add", a=2, b=2)).text == "4"

    for kind in ("ws", "http"):
        with ours.tap(address(upstream, kind), token=upstream.token) as tap:

            @tap.on_request
            def more(passing: Passing) -> None:
                threads.add(threading.current_thread().name)
                if passing.method == "tools/call" and passing.value["params"]["arguments"] == {"a": 1, "b": 2}:
                    value = passing.value
                    value["params"]["arguments"]["a"] = 99
                    passing.change(value)

            within(main(tap.url))
            assert (tap.changed, tap.dropped, tap.failures) == (1, 0, [])
    assert threads == {"mcp-workbench-tap"}


@pytest.mark.parametrize("kind", ["ws", "http"])
def test_a_hook_that_wants_to_end_the_program_ends_nothing(upstream: Workbench, ours: Workbench, kind: str) -> None:
    async def main(url: str) -> None:
        async with connect(url, token=ours.token) as session:
            assert (await session.call_tool("add", a=1, b=2)).text == "3"

    with ours.tap(address(upstream, kind), token=upstream.token) as tap:

        @tap.on_request
        def leave(passing: Passing) -> None:
            raise SystemExit(3)

        @tap.on_response
        async def awaits_what_was_cancelled(passing: Passing) -> None:
            raise asyncio.CancelledError

        within(main(tap.url))
        assert ("SystemExit: 3" in "".join(tap.failures), "CancelledError" in "".join(tap.failures)) == (True, True)
        url = tap.url
    with pytest.raises(ConnectionClosed, match="nothing listens"):
        within(_open(url, ours.token))


def test_a_hook_that_blocks_is_named_when_the_tap_closes_and_what_it_holds_goes_afterwards(
    upstream: Workbench, ours: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tap_module, "PATIENCE_S", 0.05)
    tap = ours.tap(upstream.url, token=upstream.token)
    blocked, release = threading.Event(), threading.Event()

    @tap.on_request
    def block(passing: Passing) -> None:
        blocked.set()
        release.wait(WITHIN_S)

    async def main(url: str) -> None:
        opening = start_task(_open(url, ours.token), name="opens")
        await asyncio.to_thread(blocked.wait, WITHIN_S)
        with pytest.raises(WorkbenchError, match=r"a hook has held this tap's thread for more than 0.05 s"):
            await asyncio.to_thread(tap.close)
        with pytest.raises(ConnectionClosed, match="nothing listens"):
            await connect(url, token=ours.token)
        release.set()
        with suppress(ConnectionClosed):  # the message that was held may pass before the end
            await opening

    within(main(tap.url))
    tap.close()
    tap._engine._thread.join(WITHIN_S)
    assert not tap._engine.running
    assert tap._server is not None
    assert tap._server.connections == 0


def test_a_closed_tap_listens_no_more_and_closes_only_once(upstream: Workbench, ours: Workbench) -> None:
    tap = ours.tap(upstream.url, token=upstream.token)
    url = tap.url
    tap.close()
    tap.close()
    assert tap.wait(0)
    with pytest.raises(ConnectionClosed, match="nothing listens"):
        within(_open(url, ours.token))
    with pytest.raises(WorkbenchError, match="closed"):
        tap.ticket_url()


async def _open(url: str, token: str) -> None:
    await connect(url, token=token)


@pytest.mark.parametrize(
    ("listen", "where", "expected"),
    [
        ("http", "ws://127.0.0.1:1/", "passes HTTP on to HTTP"),
        ("ws", "http://127.0.0.1:1/", "passes HTTP on to HTTP"),
        ("ftp", "ws://127.0.0.1:1/", "listen is ws, http, stdio"),
        ("ws://127.0.0.1:99999/", "ws://127.0.0.1:1/", "listen is ws, http, stdio"),
        ("ws://user:pass@127.0.0.1/", "ws://127.0.0.1:1/", "listen is ws, http, stdio"),
        (None, "ftp://127.0.0.1/", "ws://, wss://, http:// or https://"),
        (None, "127.0.0.1:80", "without a scheme"),
        (None, "ws://127.0.0.1:bad/", "cannot be read"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_what_can(ours: Workbench, listen: str | None, where: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        ours.tap(where, listen=listen)


def test_a_door_at_an_address_of_ones_own() -> None:
    server = upstream_of(["program"])
    door = door_of("ws://127.0.0.1:9000/other", server)
    assert (door.transport, door.host, door.port, door.path) == ("websocket", "127.0.0.1", 9000, "/other")
    assert door_of("stdio", server).transport == "stdio"
