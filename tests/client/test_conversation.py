"""Every request ends exactly once, whatever the server, the clock and the caller do; the client never raises for the server."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.client import connect
from mcp_workbench.client.conversation import MAX_UNREAD_ANSWERS_BYTES
from mcp_workbench.client.conversation import logger as client_logger
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError, WorkbenchError
from mcp_workbench.jsonrpc import MAX_ID, encode, encode_request
from mcp_workbench.protocol.exchange import Exchange
from tests.client.scripted import Answer, Listener, ScriptedServer, said

ERAS = pytest.mark.parametrize("era", ["legacy", "modern"])


@ERAS
def test_a_closed_connection_ends_every_open_request_at_once(era: Any) -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era=era) as session, asyncio.TaskGroup() as group:
            calls = [group.create_task(outcome_of(session.call_tool("slow", n=number))) for number in range(20)]
            await listen.server.saw("tools/call", 20)
            listen.server.channel.close(1001, "the kernel restarts")
        for call in calls:
            error = call.result()
            assert isinstance(error, ConnectionClosed)
            assert (error.code, error.reason) == (1001, "the kernel restarts")
        assert len({id(call.result()) for call in calls}) == 20

    asyncio.run(main())


async def outcome_of(call: Any) -> Any:
    try:
        return await call
    except WorkbenchError as error:
        return error


@ERAS
def test_each_message_is_told_of_as_it_crosses_the_opening_included(era: Any) -> None:
    async def main() -> None:
        told: list[tuple[str, Any]] = []
        listen = Listener(lambda exchange: said("Zoë"))
        connecting = connect(listen, era=era, on_message=lambda direction, text: told.append((direction, json.loads(text))))
        async with asyncio.timeout(5), connecting as session:
            assert (await session.call_tool("small")).text == "Zoë"
            assert [message for direction, message in told if direction == "sent"] == listen.server.messages
            opening = ["initialize", "notifications/initialized"] if era == "legacy" else ["server/discover"]
            assert [message["method"] for message in listen.server.messages] == [*opening, "tools/call"]
            assert told[-2] == ("sent", listen.server.messages[-1])
            direction, answer = told[-1]  # told before the caller has it
            assert (direction, answer["id"]) == ("received", listen.server.messages[-1]["id"])
            assert answer["result"]["content"][0]["text"] == "Zoë"
            told.clear()
        assert told == []

    asyncio.run(main())


def test_who_fails_to_watch_the_messages_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(direction: str, text: str) -> None:
        raise RuntimeError(direction)

    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(lambda exchange: said("small")), on_message=fail) as session:
            assert (await session.call_tool("small")).text == "small"

    asyncio.run(main())
    assert {record.message for record in caplog.records} == {"on_message failed"}


def test_messages_are_watched_by_a_plain_function() -> None:
    async def late(direction: str, text: str) -> None:
        raise AssertionError("never called")

    with pytest.raises(ValueError, match="expected a plain function, got an async def"):
        connect(Listener(), on_message=late)


def test_closing_the_session_ends_every_open_request_at_once() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            session = await connect(listen)
            call = group.create_task(outcome_of(session.call_tool("slow")))
            await listen.server.saw("tools/call")
            await session.close()
            error = await call
        assert isinstance(error, ConnectionClosed)
        assert error.code == 1000

    asyncio.run(main())


@ERAS
def test_a_call_that_takes_too_long_is_cancelled_and_its_late_answer_ignored(era: Any) -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era=era) as session:
            with pytest.raises(CallTimedOut, match=r"tools/call was not answered within 0\.001 s"):
                await session.call_tool("slow", timeout_s=0.001)
            cancelled = await listen.server.saw("notifications/cancelled")
            assert cancelled["params"]["requestId"] == listen.server.sent("tools/call")[0]["id"]
            listen.server.send({"jsonrpc": "2.0", "id": cancelled["params"]["requestId"], "result": {"content": []}})
            listen.server.answer = lambda exchange: said("next")
            assert (await session.call_tool("next")).text == "next"

    asyncio.run(main())


@ERAS
def test_cancelling_the_caller_tells_the_server(era: Any) -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen, era=era) as session:
            call = asyncio.get_running_loop().create_task(outcome_of(session.call_tool("slow")))
            await listen.server.saw("tools/call")
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            cancelled = await listen.server.saw("notifications/cancelled")
            assert cancelled["params"]["requestId"] == listen.server.sent("tools/call")[0]["id"]
            assert not list(session._conversation.peer.awaited)

    asyncio.run(main())


def test_an_answered_call_that_is_cancelled_in_the_same_turn_is_not_cancelled_on_the_wire() -> None:
    async def main() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        listen = Listener()
        async with asyncio.timeout(5), connect(listen) as session:
            for raw in (b'{"content":[]}', None):
                call = asyncio.get_running_loop().create_task(outcome_of(session.call_tool("t")))
                await listen.server.until(lambda: listen.server.open)
                exchange = listen.server.open.pop()
                answer = b'"result":' + raw if raw is not None else b'"error":{"code":1,"message":"no"}'
                session._conversation.receive_text(b'{"jsonrpc":"2.0","id":%b,%b}' % (encode(exchange.id), answer))
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            await outcome_of(session.request("no/such"))
            assert "notifications/cancelled" not in listen.server.methods()
        del call
        gc.collect()
        assert not complaints

    asyncio.run(main())


def test_requests_wait_while_the_server_does_not_read() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: said("ok"))
        async with asyncio.timeout(5), connect(listen) as session, asyncio.TaskGroup() as group:
            listen.server.channel.pause_receiving()
            blob = "x" * 70_000
            calls = [group.create_task(outcome_of(session.call_tool("t", blob=blob))) for _ in range(10)]
            await asyncio.sleep(0)
            with pytest.raises(CallTimedOut, match="does not read"):
                await session.call_tool("t", timeout_s=0.001)
            assert session._conversation.channel.unsent_bytes < 2 * len(blob)
            waiting = group.create_task(outcome_of(session.call_tool("t", blob=blob)))
            await asyncio.sleep(0)
            waiting.cancel()
            listen.server.channel.resume_receiving()
            assert [result.text for result in await asyncio.gather(*calls)] == ["ok"] * 10
            assert len(listen.server.sent("tools/call")) == 10

    asyncio.run(main())


def test_requests_that_wait_for_room_end_with_the_connection() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen) as session, asyncio.TaskGroup() as group:
            listen.server.channel.pause_receiving()
            calls = [group.create_task(outcome_of(session.call_tool("t", blob="x" * 70_000))) for _ in range(3)]
            await asyncio.sleep(0)
            listen.server.channel.abort()
        assert all(isinstance(call.result(), ConnectionClosed) for call in calls)

    asyncio.run(main())


def test_a_server_that_asks_without_reading_answers_is_left() -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(20), connect(listen, era="legacy") as session:
            listen.server.channel.pause_receiving()
            unread = 0
            while not session.closed and unread < 2 * MAX_UNREAD_ANSWERS_BYTES:
                session._conversation.receive_text(encode_request("x" * MAX_ID, "ping"))
                unread += MAX_ID
            assert session.closed
            assert session._conversation.channel.unsent_bytes < MAX_UNREAD_ANSWERS_BYTES + 200_000
            with pytest.raises(ConnectionClosed, match="asks without reading"):
                await session.ping()

    asyncio.run(main())


def test_a_fault_of_the_client_itself_ends_the_connection_and_every_request(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5), connect(listen) as session, asyncio.TaskGroup() as group:
            call = group.create_task(outcome_of(session.call_tool("t")))
            await listen.server.saw("tools/call")
            session._conversation.on_notification = lambda notification: 1 / 0  # type: ignore[assignment]  # the fault
            listen.server.send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            await listen.server.until(lambda: listen.server.closed_with is not None)
            assert listen.server.closed_with == (1011, "internal error of the client")
        assert isinstance(call.result(), ConnectionClosed)

    asyncio.run(main())
    assert "a fault of the client itself" in caplog.text


def test_closing_drops_a_connection_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.client.conversation.CLOSE_TIMEOUT_S", 0.001)

    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(5):
            session = await connect(listen)
            channel = session._conversation.channel
            monkeypatch.setattr(channel, "close", lambda code=1000, reason="": None)
            await session.close()
            await listen.server.until(lambda: listen.server.closed_with is not None)
            assert listen.server.closed_with == (1006, "")

    asyncio.run(main())


# --- whatever the server sends ------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-3, 12) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)
METHODS = st.sampled_from(
    [
        "ping",
        "initialize",
        "server/discover",
        "tools/call",
        "elicitation/create",
        "sampling/createMessage",
        "roots/list",
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/message",
        "notifications/resources/updated",
        "notifications/tools/list_changed",
        "notifications/subscriptions/acknowledged",
        "x",
    ]
)
IDS = st.integers(0, 6) | st.text(max_size=2) | SCALARS
META = st.fixed_dictionaries(
    {},
    optional={
        "io.modelcontextprotocol/subscriptionId": IDS,
        "io.modelcontextprotocol/protocolVersion": st.just("2026-07-28") | SCALARS,
        "progressToken": IDS,
    },
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "_meta": META | ANYTHING,
        "requestId": IDS,
        "progressToken": IDS,
        "progress": SCALARS,
        "uri": st.just("df://x") | SCALARS,
        "level": st.just("info") | SCALARS,
        "data": ANYTHING,
        "message": st.text(max_size=3) | SCALARS,
        "messages": st.just([]) | ANYTHING,
        "notifications": st.just({"resourceSubscriptions": ["df://x"]}) | ANYTHING,
    },
)
RESULTS = st.fixed_dictionaries(
    {},
    optional={
        "resultType": st.sampled_from(["complete", "input_required", "task"]) | SCALARS,
        "content": st.just([{"type": "text", "text": "x"}]) | ANYTHING,
        "tools": st.just([]) | ANYTHING,
        "nextCursor": SCALARS,
        "inputRequests": st.just({"a": {"method": "elicitation/create", "params": {"message": "m"}}}) | ANYTHING,
        "requestState": SCALARS,
    },
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0"),
        "id": IDS,
        "method": METHODS,
        "params": PARAMS | ANYTHING,
        "result": RESULTS | ANYTHING,
        "error": st.just({"code": 1, "message": "m"}) | ANYTHING,
    },
) | st.builds(lambda request_id, result: {"jsonrpc": "2.0", "id": request_id, "result": result}, IDS, RESULTS)
TEXTS = st.one_of(MESSAGES.map(encode), ANYTHING.map(encode), st.lists(MESSAGES, max_size=3).map(encode), st.binary(max_size=20))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["legacy", "modern"]), st.lists(TEXTS, max_size=12))
def test_whatever_the_server_sends_the_client_does_not_raise_and_requests_end(era: Any, texts: list[bytes]) -> None:
    faults: list[str] = []

    async def main() -> None:
        listen = Listener()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            session = await connect(listen, era=era, on_elicit=lambda request: {"a": 1}, on_log=lambda message: None)
            calls = [
                group.create_task(outcome_of(session.call_tool("t"))),
                group.create_task(outcome_of(session.list_tools())),
                group.create_task(outcome_of(session.subscribe("df://x").__aenter__())),
                group.create_task(outcome_of(session.list_changes().__aenter__())),
            ]
            await asyncio.sleep(0)
            for text in texts:
                session._conversation.receive_text(text)
                await asyncio.sleep(0)
            if session.closed:
                faults.append("closed by a fault of the client")
            await session.close()
        assert all(call.done() for call in calls)
        assert not list(session._conversation.peer.awaited)

    asyncio.run(main())
    assert not faults


# --- exactly one outcome --------------------------------------------------------------------------------

FATES = st.sampled_from(["answer", "refuse", "cancel", "time out", "late"])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["legacy", "modern"]),
    st.lists(FATES, min_size=1, max_size=8),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.none() | st.integers(0, 20),
)
def test_each_request_ends_exactly_once_under_any_interleaving(
    era: Any, fates: list[str], turns: list[int], close_after: int | None
) -> None:
    """Responses, timeouts, cancellations and the end of the connection race; a turn is one pass of the loop."""

    def answer(exchange: Exchange) -> Answer:
        fate = fates[exchange.params.arguments["n"]]
        if fate == "refuse":
            return RemoteProtocolError(1, "refused")
        return said(fate) if fate in ("answer", "cancel") else None

    async def close_in_time(server: ScriptedServer) -> None:
        if close_after is not None:
            for _ in range(close_after):
                await asyncio.sleep(0)
            server.channel.close(1001, "gone")

    async def main() -> None:
        outcomes: list[list[str]] = [[] for _ in fates]
        listen = Listener(answer)
        async with asyncio.timeout(10), connect(listen, era=era) as session, asyncio.TaskGroup() as group:
            group.create_task(close_in_time(listen.server))

            async def call(number: int) -> None:
                timeout_s = 0.001 if fates[number] in ("time out", "late") else 5
                try:
                    await session.call_tool("t", n=number, timeout_s=timeout_s)
                    outcomes[number].append("answer")
                except asyncio.CancelledError:
                    outcomes[number].append("cancel")
                except PeerError:
                    outcomes[number].append("refuse")
                except CallTimedOut:
                    outcomes[number].append("time out")
                except ConnectionClosed:
                    outcomes[number].append("closed")

            tasks = [group.create_task(call(number)) for number in range(len(fates))]
            for number, fate in enumerate(fates):
                for _ in range(turns[number]):
                    await asyncio.sleep(0)
                if fate == "cancel":
                    tasks[number].cancel()
                for exchange in listen.server.open:
                    if fate == "late":
                        listen.server.reply(exchange, said("late"))
        assert not list(session._conversation.peer.awaited)
        for number, fate in enumerate(fates):
            if fate == "cancel" and not outcomes[number]:
                assert tasks[number].cancelled()  # before it had begun
                continue
            assert len(outcomes[number]) == 1
            allowed = {"cancel": {"cancel", "answer"}, "late": {"answer", "time out"}, "time out": {"time out", "answer"}}
            expected = allowed.get(fate, {fate}) | ({"closed"} if close_after is not None else set())
            assert outcomes[number][0] in expected
        ids = [json.dumps(message["id"]) for message in listen.server.messages if "id" in message]
        assert len(ids) == len(set(ids))
        cancelled = [message["params"]["requestId"] for message in listen.server.sent("notifications/cancelled")]
        assert len(cancelled) == len(set(cancelled))

    asyncio.run(main())


def test_the_client_logs_under_the_projects_name() -> None:
    assert client_logger.name == "mcp_workbench"
