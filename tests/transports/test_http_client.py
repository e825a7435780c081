"""The calling end, to servers that do what the test says; those of others are visited in tests/foreign."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcp_workbench.client.connect import connect
from mcp_workbench.client.opening import EraChoice
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, HandshakeRefused, PeerError, RemoteProtocolError, RequestRefused
from mcp_workbench.limits import Limits
from mcp_workbench.secret import Secret
from mcp_workbench.transports import http_client, http_stream
from mcp_workbench.transports.http_client import open_http
from mcp_workbench.transports.http_connection import HttpAddress
from mcp_workbench.transports.http_incoming import Incoming
from mcp_workbench.transports.http_stream import Stream
from tests.support.channels import Listener
from tests.support.http_house import http_house, run

DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "ttlMs": 0,
    "cacheScope": "private",
}
INITIALIZED = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}}
DONE = {"content": [{"type": "text", "text": "done"}]}


class Asked:
    """One request as the server got it."""

    def __init__(self, method: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter) -> None:
        self.method = method
        self.headers = headers
        self.message: dict[str, Any] = json.loads(body) if body else {}
        self.writer = writer

    def respond(self, status: int, body: bytes = b"", *headers: str) -> None:
        self.writer.write("\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "\r\n"]).encode() + body)

    def result(self, result: dict[str, Any], *headers: str) -> None:
        text = json.dumps({"jsonrpc": "2.0", "id": self.message["id"], "result": result}).encode()
        self.respond(200, text, "Content-Type: application/json", *headers)

    def events(self, *events: str, complete: bool = True) -> None:
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for text in events:
            self.writer.write(b"%x\r\n%b\r\n" % (len(text.encode()), text.encode()))
        if complete:
            self.writer.write(b"0\r\n\r\n")
        else:
            self.writer.close()


Answers = Callable[[Asked], Awaitable[None] | None]


@asynccontextmanager
async def server(answers: Answers) -> AsyncIterator[tuple[str, list[Asked]]]:
    """A server that answers as told, and keeps what it was asked."""
    asked: list[Asked] = []
    serving: dict[asyncio.Task[Any] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[asyncio.current_task()] = writer
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n"):
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
                one = Asked(head[0].split(" ")[0], headers, await reader.readexactly(int(headers.get("content-length", 0))), writer)
                asked.append(one)
                if (waiting := answers(one)) is not None:
                    await waiting
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/mcp", asked
    finally:
        listening.close()
        for _ in range(3):
            await asyncio.sleep(0)  # a connection that was just taken has its turn first, or nobody would close it
        for writer in serving.values():
            writer.transport.abort()
        if tasks := [task for task in serving if task is not None]:
            await asyncio.wait(tasks)


def opening(one: Asked) -> bool:
    """Answer what opens a conversation of either era; whether it was that."""
    method = one.message.get("method")
    if method == "server/discover":
        one.result(DISCOVERED)
    elif method == "initialize":
        one.result(INITIALIZED, "Mcp-Session-Id: the-session")
    elif one.method == "GET":
        one.respond(405)
    elif one.method == "DELETE" or "id" not in one.message:
        one.respond(202)
    else:
        return False
    return True


def test_what_is_said_twice_agrees_and_the_session_goes_along() -> None:
    async def main() -> None:
        async with server(lambda one: None if opening(one) else one.result(DONE)) as (url, asked):
            async with connect(url, era="modern", token="t" * 40) as session:
                await session.call_tool("größe")
            discover, called = asked
            assert called.headers["mcp-protocol-version"] == "2026-07-28"
            assert (discover.headers["mcp-method"], called.headers["mcp-method"]) == ("server/discover", "tools/call")
            assert called.headers["mcp-name"] == "=?base64?Z3LDtsOfZQ==?="
            assert called.headers["authorization"] == f"Bearer {'t' * 40}"
            assert "mcp-session-id" not in called.headers
            asked.clear()
            async with connect(url, era="legacy", headers={"X-More": "1"}) as session:
                await session.call_tool("add")
            by = {one.message.get("method", one.method): one for one in asked}
            assert "mcp-session-id" not in by["initialize"].headers
            for name in ("notifications/initialized", "tools/call", "DELETE"):
                assert (by[name].headers["mcp-session-id"], by[name].headers["mcp-protocol-version"]) == ("the-session", "2025-11-25")
                assert by[name].headers["x-more"] == "1"
            names = [one.message.get("method") for one in asked]
            assert names.index("notifications/initialized") < names.index("tools/call")

    run(main)


def test_arguments_are_repeated_where_the_tool_wishes_and_tools_that_wish_wrongly_are_none() -> None:
    tools = [
        {"name": "good", "inputSchema": {"type": "object", "properties": {"a": {"type": "integer", "x-mcp-header": "A"}}}},
        {"name": "bad", "inputSchema": {"type": "object", "properties": {"a": {"type": "number", "x-mcp-header": "A"}}}},
    ]

    def answers(one: Asked) -> None:
        if not opening(one):
            one.result({"tools": tools} if one.message["method"] == "tools/list" else DONE)

    async def main() -> None:
        async with server(answers) as (url, asked), connect(url, era="modern") as session:
            assert [tool.name for tool in await session.list_tools()] == ["good"]
            await session.call_tool("good", a=7)
            assert asked[-1].headers["mcp-param-a"] == "7"

    run(main)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"Bad Request", "text/plain"),
        (404, b"", "text/html"),
        (405, b"{}", "application/json"),
        (406, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}', "application/json"),
        (500, b"<html>", "text/html"),
        (202, b"", ""),
        (200, b"hello", "text/plain"),
        (302, b"", ""),
    ],
)
def test_a_server_that_is_not_modern_is_asked_the_old_way(status: int, body: bytes, kind: str) -> None:
    def answers(one: Asked) -> None:
        if one.message.get("method") == "server/discover":
            one.respond(status, body, *([f"Content-Type: {kind}"] if kind else []), "Location: http://127.0.0.1:9/")
        elif not opening(one):
            one.result(DONE)

    async def main() -> None:
        async with server(answers) as (url, _), connect(url) as session:
            assert session.era == "legacy"
            assert (await session.call_tool("x")).text == "done"

    run(main)


def test_a_lost_stream_is_taken_up_behind_its_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_PAUSE_S", 0.001)

    def answers(one: Asked) -> None:
        if one.message.get("method") == "tools/call":
            one.events("id: e1\nretry: 1\ndata: \n\n", complete=False)
        elif one.headers.get("last-event-id") == "e1":
            one.events("data: " + json.dumps({"jsonrpc": "2.0", "id": call_id(asked), "result": DONE}) + "\n\n")
        elif not opening(one):
            one.respond(400)

    asked: list[Asked] = []

    def call_id(those: list[Asked]) -> Any:
        return next(one.message["id"] for one in those if one.message.get("method") == "tools/call")

    async def main() -> None:
        nonlocal asked
        async with server(answers) as (url, asked), connect(url, era="legacy") as session:
            assert (await session.call_tool("x")).text == "done"

    run(main)


def test_a_server_that_lets_its_reader_go_is_polled_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "SHORTEST_PAUSE_S", 0.001)
    polls: list[str] = []

    def answers(one: Asked) -> None:
        if one.message.get("method") == "tools/call":
            one.events("id: e0\nretry: 0\ndata: \n\n")
        elif "last-event-id" in one.headers:
            polls.append(one.headers["last-event-id"])
            last = len(polls) == 2 * http_client.MOST_RESUMED
            call_id = next(each.message["id"] for each in asked if each.message.get("method") == "tools/call")
            text = json.dumps({"jsonrpc": "2.0", "id": call_id, "result": DONE})
            one.events(*([f"id: e{len(polls)}\ndata: {text}\n\n"] if last else [f"id: e{len(polls)}\ndata: \n\n"]))
        elif not opening(one):
            one.respond(400)

    asked: list[Asked] = []

    async def main() -> None:
        nonlocal asked
        async with server(answers) as (url, asked), connect(url, era="legacy") as session:
            assert (await session.call_tool("x")).text == "done"
            assert polls == [f"e{number}" for number in range(2 * http_client.MOST_RESUMED)]

    run(main)


def test_a_stream_that_breaks_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "SHORTEST_PAUSE_S", 0.001)

    def answers(one: Asked) -> None:
        if one.message.get("method") == "tools/call" or "last-event-id" in one.headers:
            one.events("id: e0\nretry: 0\ndata: \n\n", complete=False)
        elif not opening(one):
            one.respond(400)

    async def main() -> None:
        async with server(answers) as (url, asked), connect(url, era="legacy") as session:
            with pytest.raises(PeerError, match="may have been carried out"):
                await session.call_tool("x")
            assert sum("last-event-id" in each.headers for each in asked) == http_client.MOST_RESUMED

    run(main)


def test_our_own_server_gives_connections_back_and_answers_who_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[Incoming] = []
    give_back = Stream._give_back

    def spy(stream: Stream, incoming: Incoming) -> None:
        given_back.append(incoming)
        give_back(stream, incoming)

    monkeypatch.setattr(http_stream, "RETRY_MS", 1)
    monkeypatch.setattr(http_client, "SHORTEST_PAUSE_S", 0.001)
    monkeypatch.setattr(Stream, "_give_back", spy)

    async def main() -> None:
        async with http_house(Limits(http_stream_s=0.02)) as here:
            told: list[float] = []
            async with connect(str(here.workbench.http_url), era="legacy", token=here.token) as session, asyncio.TaskGroup() as group:
                calling = group.create_task(session.call_tool("hang", on_progress=lambda done, *_: told.append(done)))
                await here.until(lambda: len(given_back) > 2)
                here.go_on.set()
            assert (calling.result().text, told) == ("went on", [1])
            assert all(incoming.ended for incoming in given_back)

    run(main)


def test_a_request_whose_answer_is_lost_fails_and_the_session_goes_on() -> None:
    def answers(one: Asked) -> None:
        if opening(one):
            return
        match one.message["params"].get("name"):
            case "hang up":
                one.writer.close()
            case "break":
                one.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
                one.writer.close()
            case "nonsense":
                one.writer.write(b"SSH-2.0\r\n\r\n")
            case "empty":
                one.events(": nothing\n\n")
            case "large":
                one.respond(200, b"x" * 5000, "Content-Type: application/json")
            case _:
                one.result(DONE)

    async def main() -> None:
        for era in ("modern", "legacy"):
            async with server(answers) as (url, _), connect(url, era=era, max_message_bytes=4000) as session:
                for name in ("hang up", "break", "nonsense", "empty", "large"):
                    with pytest.raises(PeerError, match="may have been carried out"):
                        await session.call_tool(name)
                assert (await session.call_tool("good")).text == "done"

    run(main)


def refusing(status: int, words: str) -> Answers:
    return lambda one: one.respond(status, words.encode(), f"Content-Type: {'text/html' if words.startswith('<') else 'text/plain'}")


@pytest.mark.parametrize("era", ["auto", "legacy", "modern"])
def test_who_may_not_come_in_is_told_why_and_asks_once(era: EraChoice) -> None:
    token = "secret-" + "t" * 40

    async def main() -> None:
        for status, told in ((401, "did not accept the credential"), (403, "refused")):
            async with server(refusing(status, f"{token} is no good")) as (url, asked):
                with pytest.raises(RequestRefused, match=told) as refused:
                    await connect(url, era=era, token=token)
                assert (refused.value.status, refused.value.code) == (status, 1008)
                assert "… is no good." in str(refused.value)
                assert "code" not in str(refused.value), "a sentence, without numbers of another protocol"
                assert token not in str(refused.value)
                assert isinstance(refused.value, HandshakeRefused), "caught like the refusal of a WebSocket"
                assert len(asked) == 1, "nothing is tried again with a credential that was refused"

    run(main)


def test_where_there_is_no_mcp_server_the_sentence_says_so() -> None:
    async def main() -> None:
        for status in (404, 405, 410):
            async with server(refusing(status, "<html>")) as (url, asked):
                with pytest.raises(
                    RequestRefused, match=f"has no MCP server at this path .HTTP {status}.. The address .* ends in /mcp"
                ) as refused:
                    await connect(url.replace("/mcp", "/other"))
                assert refused.value.status == status
                assert [one.message["method"] for one in asked] == ["server/discover", "initialize"]
        async with http_house() as here:
            with pytest.raises(RequestRefused, match=r"There is nothing at this path\. The address of a workbench ends in /mcp"):
                await connect(str(here.workbench.http_url) + "/other", token=here.token)
            with pytest.raises(RequestRefused, match=r"wants a credential, and none was sent \(HTTP 401\): This server wants"):
                await connect(str(here.workbench.http_url))

    run(main)


def test_no_access_and_an_ended_session_end_the_channel() -> None:
    def answers(one: Asked) -> None:
        if one.message.get("params", {}).get("name") == "gone":
            one.respond(404)
        elif one.message.get("params", {}).get("name") == "revoked":
            one.respond(401)
        elif not opening(one):
            one.result(DONE)

    async def main() -> None:
        async with server(answers) as (url, asked):
            for name, code, told in (("gone", 1001, "has ended this session"), ("revoked", 1008, "did not accept the credential")):
                async with connect(url, era="legacy", token="t" * 40) as session:
                    with pytest.raises(RequestRefused, match=told) as end:
                        await session.call_tool(name)
                    assert end.value.code == code
                    assert session.closed
                    with pytest.raises(RequestRefused, match=told):
                        await session.call_tool("another")
                calls = [one.message["params"]["name"] for one in asked if one.message.get("method") == "tools/call"]
                assert calls == [name] * (2 if name == "gone" else 1), "in a new session once more, and then no more"
                asked.clear()

    run(main)


def test_whose_session_has_ended_begins_another_and_says_everything_again(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with http_house() as here:
            url, logs = str(here.workbench.http_url), []
            async with connect(url, era="legacy", token=here.token, on_log=lambda log: logs.append(log.level)) as session:
                await session.set_log_level("error")
                async with session.subscribe("df://numbers") as updates, session.subscribe("df://numbers/schema") as left:
                    await left.aclose()
                    for ended in (1, 2):
                        channel: Any = session._conversation.channel
                        delete = here.legacy(channel._session.reveal(), b"", method="DELETE")
                        assert (await here.ask(delete)).status == 204
                        calls = [session.call_tool("add", a=number, b=1) for number in range(5)]
                        assert [result.text for result in await asyncio.gather(*calls)] == ["1", "2", "3", "4", "5"]
                        assert (await anext(updates)).uri == "df://numbers", "what may have changed meanwhile is read again"
                        assert [each.queues["subscriptions"] for each in here.workbench.sessions] == [1]
                        assert len(here.workbench.sessions) == 1, "one new session, however many had to ask"
                        assert len(here.workbench.telemetry.sessions()) == ended
                        await asyncio.to_thread(here.workbench.touch, "numbers")
                        assert (await anext(updates)).uri == "df://numbers"
                    await session.call_tool("chatter", texts=2, size=3)
                    assert logs == ["error"] * 2
        assert sum("another one is begun" in record.getMessage() for record in caplog.records) == 2

    run(main)


@pytest.mark.parametrize("how", ["refused", "another revision", "no session", "hung up"])
def test_where_no_other_session_can_be_begun_the_end_is_said(how: str) -> None:
    def answers(one: Asked) -> None:
        method, begun = one.message.get("method"), sum(each.message.get("method") == "initialize" for each in asked)
        if method == "initialize" and begun == 2:
            if how == "refused":
                one.respond(401)
            elif how == "another revision":
                one.result(INITIALIZED | {"protocolVersion": "2025-06-18"}, "Mcp-Session-Id: second")
            elif how == "no session":
                one.result(INITIALIZED)
            else:
                one.writer.close()
        elif method == "tools/call":
            one.respond(404)
        elif not opening(one):
            one.result({})

    asked: list[Asked] = []

    async def main() -> None:
        nonlocal asked
        async with server(answers) as (url, asked), connect(url, era="legacy", token="t" * 40) as session:
            with pytest.raises(ConnectionClosed) as end:
                await session.call_tool("add")
            assert end.value.code == (1008 if how == "refused" else 1001)
            assert ("did not accept the credential" if how == "refused" else "has ended this session") in str(end.value)
            assert session.closed

    run(main)


def test_the_headers_a_tool_wants_are_learnt_when_it_refuses_for_want_of_them() -> None:
    tool = {"name": "place", "inputSchema": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}}

    def answers(one: Asked) -> None:
        if opening(one):
            return
        if one.message["method"] == "tools/list":
            one.result({"tools": [tool]})
        elif one.headers.get("mcp-param-region") == "eu" and one.message["params"]["name"] == "place":
            one.result(DONE)
        else:
            error = {"jsonrpc": "2.0", "id": one.message["id"], "error": {"code": -32020, "message": "Header mismatch"}}
            one.respond(400, json.dumps(error).encode(), "Content-Type: application/json")

    async def main() -> None:
        async with server(answers) as (url, asked), connect(url, era="modern") as session:
            assert (await session.call_tool("place", region="eu")).text == "done"
            assert [one.message["method"] for one in asked] == ["server/discover", "tools/call", "tools/list", "tools/call"]
            asked.clear()
            assert (await session.call_tool("place", region="eu")).text == "done"
            assert len(asked) == 1
            asked.clear()
            with pytest.raises(PeerError, match="Header mismatch"):
                await session.call_tool("other")
            assert [one.message["method"] for one in asked] == ["tools/call", "tools/list", "tools/call"], "once, not for ever"

    run(main)


def test_a_modern_cancel_hangs_up_and_a_legacy_one_is_told() -> None:
    async def main() -> None:
        hung_up = asyncio.Event()

        async def wait(one: Asked) -> None:
            await one.writer.drain()
            try:
                while not one.writer.transport.is_closing():  # noqa: ASYNC110  # asyncio's streams tell nobody
                    await asyncio.sleep(0.005)
            finally:
                hung_up.set()

        def answers(one: Asked) -> Awaitable[None] | None:
            return None if opening(one) else wait(one)

        for era in ("modern", "legacy"):
            hung_up.clear()
            async with server(answers) as (url, asked), connect(url, era=era) as session:
                with pytest.raises(CallTimedOut):
                    await session.call_tool("x", timeout_s=0.05)
                if era == "legacy":
                    while not any(one.message.get("method") == "notifications/cancelled" for one in asked):  # noqa: ASYNC110  # as above
                        await asyncio.sleep(0.005)
                else:
                    assert all("id" in one.message for one in asked)

    run(main)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n", "no response to it .0 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[[[[", "no response to it .4 bytes"),
        (
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n{"jsonrpc":"2.0","id":99,"result":{}}',
            "no response to it .37 bytes",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n\x1f",
            "compressed .gzip",
        ),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 200, "64th time"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "another protocol"),
        (b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n", "a header of the answer cannot be read"),
    ],
)
@pytest.mark.parametrize("era", ["legacy", "modern", "auto"])
def test_an_answer_that_is_none_ends_its_request_with_a_sentence(raw: bytes, sentence: str, era: EraChoice) -> None:
    async def main() -> None:
        async with server(lambda one: one.writer.write(raw)) as (url, _):
            with pytest.raises((PeerError, RemoteProtocolError), match=sentence):
                await connect(url, era=era)

    run(main)


def test_an_error_without_an_id_is_the_answer_to_what_was_asked() -> None:
    def answers(one: Asked) -> None:
        if not opening(one):
            one.respond(
                200, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"unreadable"}}', "Content-Type: application/json"
            )

    async def main() -> None:
        async with server(answers) as (url, _), connect(url, era="legacy") as session:
            with pytest.raises(PeerError, match="unreadable"):
                await session.call_tool("add")

    run(main)


def test_what_stands_in_the_address_is_not_repeated_when_the_server_does() -> None:
    def echo(one: Asked) -> None:
        one.respond(401, b"no access with /mcp?key=hush%2Dhush&n=1 (key hush-hush)", "Content-Type: text/plain")

    async def main() -> None:
        async with server(echo) as (url, _):
            with pytest.raises((ConnectionClosed, HandshakeRefused), match="no access with /mcp") as caught:
                await connect(f"{url}?key=hush%2Dhush&n=1", era="legacy")
            assert "hush" not in str(caught.value)

    run(main)


def test_nobody_there_is_said_at_once() -> None:
    async def main() -> None:
        async with server(opening) as (url, _):  # type: ignore[arg-type]  # what it returns is not looked at
            pass
        with pytest.raises(ConnectionClosed, match="nothing listens at 127"):
            await open_http(url)

    run(main)


@pytest.mark.parametrize("url", ["http://", "http:///mcp", "http://host:99999/", "http://a b/", "ftp://x/", "http://x/\x00"])
def test_what_is_no_address_is_told_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="an HTTP address is wanted") as refusal:
        HttpAddress.parse(Secret(url + "?ticket=secret"))
    assert "secret" not in str(refusal.value)


def test_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="pass token=") as refusal:
        HttpAddress.parse(Secret("http://me:secret@127.0.0.1/mcp"))
    assert "secret" not in str(refusal.value)


def test_a_channel_is_closed_once_and_delivers_nothing_while_paused() -> None:
    async def main() -> None:
        async with http_house() as here:
            channel = await open_http(str(here.workbench.http_url), token=here.token)
            listener = Listener()
            channel.open(listener)
            channel.pause_receiving()
            channel.send(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}')
            await here.until(lambda: here.workbench.telemetry.sessions() != [])
            assert listener.texts == []
            channel.resume_receiving()
            assert b'"error"' in (await listener.until_texts(1))[0]
            channel.close(1000, "enough")
            channel.close()
            channel.send(b"{}")
            assert await listener.until_closed() == (1000, "enough")
            assert "closed" in repr(channel)

    run(main)
