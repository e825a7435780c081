"""Streamable HTTP up to 2025-11-25, over raw sockets."""

from __future__ import annotations

import asyncio
import json

import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.transports import http_stream
from tests.interaction.requirements import requirement
from tests.support.http_house import INITIALIZE, HttpHouse, http_house, run
from tests.support.raw_http import META, Answer, RawHttp, call

ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}
HANG = {"name": "hang", "arguments": {}, "_meta": {"progressToken": "p"}}


async def opened(here: HttpHouse, session: str, *extra: str) -> tuple[RawHttp, Answer]:
    stream = await here.dial()
    stream.send(here.legacy(session, b"", method="GET", extra=extra))
    return stream, await stream.head()


@requirement("http-session-id")
@requirement("http-session-delete")
@requirement("http-session-ended")
@requirement("http-json-or-events")
def test_a_session_from_initialize_to_delete() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            assert len(session) >= 32
            assert all("!" <= letter <= "~" for letter in session)
            assert here.transports() == [("http", "raw")]
            answer = await here.ask(here.legacy(session, call("tools/call", ADD, "seven")))
            assert (answer.status, answer.kind) == (200, "application/json")
            assert answer.json["id"] == "seven"
            assert answer.json["result"]["content"][0]["text"] == "3"
            assert "mcp-session-id" not in answer.headers
            gone = await here.ask(here.legacy(session, b"", method="DELETE"))
            assert (gone.status, gone.body) == (204, b"")
            assert (await here.ask(here.legacy(session, call("ping")))).status == 404
            await here.until(lambda: here.transports() == [])

    run(main)


@requirement("http-refused")
@requirement("http-session-required")
@requirement("http-session-own")
@requirement("http-version-header")
@requirement("parse-error")
@requirement("invalid-request")
@requirement("no-batch")
@requirement("id-invalid")
@requirement("params-shape")
@requirement("legacy-no-modern-methods")
@requirement("legacy-no-envelope")
def test_what_is_wrong_with_a_request_is_said_with_its_status() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            for data, status in (
                (here.request(call("ping")), 400),
                (here.legacy("nobody", call("ping")), 404),
                (here.legacy(session, call("ping"), extra=["Mcp-Session-Id: other"]), 400),
                (here.legacy(session, call("ping"), extra=["MCP-Protocol-Version: 1999-01-01"]), 400),
                (here.legacy(session, call("ping"), extra=["MCP-Protocol-Version: 2025-06-18", "MCP-Protocol-Version: 2025-06-18"]), 400),
                (here.legacy(session, b"{"), 400),
                (here.legacy(session, b"[]"), 400),
                (here.legacy(session, b""), 400),
                (here.legacy(session, b'{"id":1}'), 400),
                (here.request(b"", method="GET"), 400),
                (here.request(b"", method="DELETE"), 400),
                (here.legacy("nobody", b"", method="GET"), 404),
                (here.legacy("nobody", b"", method="DELETE"), 404),
                (here.legacy(session, b"", method="GET", accept="application/json"), 406),
                (here.legacy(session, b"", method="PUT"), 405),
            ):
                assert (await here.ask(data)).status == status, data
            for message, status, code in (
                ({"id": None, "method": "ping"}, 400, -32600),
                ({"id": 1.5, "method": "ping"}, 400, -32600),
                ({"id": 1, "method": "ping", "params": []}, 400, -32600),
                ({"id": 1, "method": "tools/call", "params": {"name": 7}}, 200, -32602),
                ({"id": 1, "method": "server/discover", "params": {}}, 200, -32601),
                ({"id": 1, "method": "subscriptions/listen", "params": {"notifications": {}}}, 200, -32601),
                ({"id": 1, "method": "tools/list", "params": {"_meta": META}}, 400, -32020),
            ):
                answer = await here.ask(here.legacy(session, json.dumps({"jsonrpc": "2.0"} | message).encode()))
                assert (answer.status, answer.json["error"]["code"]) == (status, code), message
            twice = await here.ask(here.legacy(session, call("initialize", INITIALIZE)))
            assert twice.json["error"]["code"] == -32600
            assert (await here.ask(here.legacy(session, call("ping"), extra=["MCP-Protocol-Version: 2025-11-25"]))).status == 200

    run(main)


@requirement("http-accepted")
@requirement("notification-silent")
@requirement("response-ignored")
@requirement("cancel-late")
def test_what_needs_no_answer_is_accepted_without_a_word() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            for message in (
                {"method": "notifications/unheard-of"},
                {"method": "tools/list"},
                {"method": "notifications/cancelled", "params": {"requestId": "nobody's"}},
                {"method": "notifications/cancelled", "params": {"requestId": {"a": 1}}},
                {"id": 99, "result": {}},
                {"id": 99, "error": {"code": 1, "message": "no"}},
            ):
                answer = await here.ask(here.legacy(session, json.dumps({"jsonrpc": "2.0"} | message).encode()))
                assert (answer.status, answer.body) == (202, b""), message
            assert sum(here.workbench.sessions[0].record.ignored.values()) == 6

    run(main)


def test_a_session_that_is_not_initialized_is_none() -> None:
    async def main() -> None:
        async with http_house() as here:
            answer = await here.ask(here.request(call("initialize", {"protocolVersion": 7})))
            assert answer.json["error"]["code"] == -32602
            assert "mcp-session-id" not in answer.headers
            await here.until(lambda: here.transports() == [])

    run(main)


@requirement("http-json-or-events")
@requirement("http-primed")
def test_progress_makes_a_stream_of_events_that_ends_with_the_answer() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            connection = await here.dial()
            connection.send(here.legacy(session, call("tools/call", HANG)))
            head = await connection.head()
            assert (head.status, head.kind) == (200, "text/event-stream")
            prime, progress = await connection.event(), await connection.event()
            assert prime is not None
            assert prime.data == ""
            assert progress is not None
            assert progress.json["method"] == "notifications/progress"
            here.go_on.set()
            answer = await connection.event()
            assert answer is not None
            assert answer.json["result"]["content"][0]["text"] == "went on"
            assert await connection.event() is None
            # The connection goes on.
            connection.send(here.legacy(session, call("ping")))
            assert (await connection.answer()).json["result"] == {}

    run(main)


def test_older_clients_get_no_event_without_a_text() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize("2025-03-26")
            connection = await here.dial()
            connection.send(here.legacy(session, call("tools/call", HANG)))
            await connection.head()
            progress = await connection.event()
            assert progress is not None
            assert progress.json["method"] == "notifications/progress"

    run(main)


@requirement("http-one-stream")
@requirement("id-unique")
def test_answers_go_to_the_stream_of_their_request() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            slow = await here.dial()
            slow.send(here.legacy(session, call("tools/call", {"name": "quiet", "arguments": {}}, 1)))
            await here.until(here.began.is_set)
            assert (await here.ask(here.legacy(session, call("tools/call", ADD, 2)))).json["id"] == 2
            same = await here.ask(here.legacy(session, call("tools/call", ADD, 1)))
            assert (same.status, same.json["error"]["code"]) == (400, -32600)
            here.go_on.set()
            assert (await slow.answer()).json["id"] == 1

    run(main)


@requirement("http-get")
def test_what_belongs_to_no_request_goes_to_the_stream_of_the_get() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            stream, head = await opened(here, session)
            assert (head.status, head.kind) == (200, "text/event-stream")
            prime = await stream.event()
            assert prime is not None
            assert (await here.ask(here.legacy(session, call("resources/subscribe", {"uri": "df://numbers"})))).json["result"] == {}
            await asyncio.to_thread(here.workbench.touch, "numbers")
            update = await stream.event()
            assert update is not None
            assert update.json["params"]["uri"] == "df://numbers"
            _, second = await opened(here, session)
            assert second.status == 409

    run(main)


@requirement("http-resume")
@requirement("http-hang-up")
def test_a_lost_stream_is_taken_up_behind_the_last_event() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            lost = await here.dial()
            lost.send(here.legacy(session, call("tools/call", HANG)))
            await lost.head()
            prime = await lost.event()
            assert prime is not None
            await lost.leave()
            here.go_on.set()
            stream, head = await opened(here, session, f"Last-Event-ID: {prime.id}")
            assert head.status == 200
            events = [await stream.event(), await stream.event()]
            assert [("result" in each.json) for each in events if each is not None] == [False, True]
            assert await stream.event() is None
            assert not here.cancelled.is_set(), "hanging up is no cancel before 2026-07-28"
            # Once more, behind the answer: nothing is left to tell.
            last = events[1]
            assert last is not None
            stream, _ = await opened(here, session, f"Last-Event-ID: {last.id}")
            assert await stream.event() is None

    run(main)


def test_a_connection_held_for_long_is_given_back_and_the_answer_waits_for_who_comes_again() -> None:
    async def main() -> None:
        async with http_house(Limits(http_stream_s=0.02)) as here:
            older, session = await here.initialize("2025-06-18"), await here.initialize()
            held, polling = await here.dial(), await here.dial()
            held.send(here.legacy(older, call("tools/call", HANG)))
            first = await held.head(), await held.event()
            assert first[0].kind == "text/event-stream"
            polling.send(here.legacy(session, call("tools/call", HANG)))
            assert (await polling.head()).kind == "text/event-stream"
            prime, progress = await polling.event(), await polling.event()
            assert prime is not None
            assert prime.retry == str(http_stream.RETRY_MS)
            assert progress is not None
            assert await polling.event() is None, "without an answer"
            # The connection is free for other requests, and coming again holds another for as long.
            polling.send(here.legacy(session, call("ping", None, 9)))
            assert (await polling.answer()).json["result"] == {}
            again, head = await opened(here, session, f"Last-Event-ID: {progress.id}")
            assert head.status == 200
            assert await again.event() is None
            here.go_on.set()
            # One who speaks an older revision would not come again: it has its answer on the connection it asked on.
            answer = await held.event()
            assert answer is not None
            assert answer.json["result"]["content"][0]["text"] == "went on"
            await here.until(lambda: all(each.queues["running"] == 0 for each in here.workbench.sessions))
            last, _ = await opened(here, session, f"Last-Event-ID: {progress.id}")
            answer = await last.event()
            assert answer is not None
            assert answer.json["result"]["content"][0]["text"] == "went on"
            assert await last.event() is None
            assert not here.cancelled.is_set()

    run(main)


@requirement("http-resume")
def test_an_event_id_is_good_for_its_session_and_principal_only() -> None:
    async def main() -> None:
        async with http_house() as here:
            other_token = here.workbench.tokens.add("other")
            mine, theirs = await here.initialize(), await here.initialize(token=other_token)
            stream, _ = await opened(here, mine)
            prime = await stream.event()
            assert prime is not None
            _, head = await opened(here, theirs, f"Last-Event-ID: {prime.id}")
            assert head.status == 404, "a session of another principal is not there"
            for session, token in ((theirs, other_token), (mine, other_token)):
                connection = await here.dial()
                connection.send(here.legacy(session, b"", method="GET", token=token, extra=[f"Last-Event-ID: {prime.id}"]))
                assert (await connection.head()).status == (400 if session == theirs else 404)
            for forged in ("1", "0" * 16 + "-0-1", str(prime.id)[:-1] + "9", "x" * 300):
                _, head = await opened(here, mine, f"Last-Event-ID: {forged}")
                assert head.status == 400

    run(main)


@requirement("http-session-own")
@requirement("session-own")
def test_a_session_belongs_to_its_principal() -> None:
    async def main() -> None:
        async with http_house() as here:
            session, token = await here.initialize(), here.workbench.tokens.add("other")
            for method in ("POST", "GET", "DELETE"):
                assert (await here.ask(here.legacy(session, call("ping"), method=method, token=token))).status == 404
            assert (await here.ask(here.legacy(session, call("ping")))).status == 200

    run(main)


def test_a_revoked_token_ends_its_sessions() -> None:
    async def main() -> None:
        async with http_house() as here:
            token = here.workbench.tokens.add("other")
            session = await here.initialize(token=token)
            stream = await here.dial()
            stream.send(here.legacy(session, b"", method="GET", token=token))
            await stream.head()
            await stream.event()
            await asyncio.to_thread(here.workbench.tokens.revoke, "other")
            assert await stream.event() is None
            assert (await here.ask(here.legacy(session, call("ping"), token=token))).status == 401

    run(main)


@requirement("http-hang-up")
def test_a_cancel_ends_the_stream_of_its_request_without_an_answer() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            connection = await here.dial()
            connection.send(here.legacy(session, call("tools/call", {"name": "quiet", "arguments": {}}, 5)))
            await here.until(here.began.is_set)
            told = await here.ask(here.legacy(session, call("notifications/cancelled", {"requestId": 5}, None)))
            assert told.status == 202
            head = await connection.head()
            assert head.kind == "text/event-stream"
            prime = await connection.event()
            assert prime is not None
            assert prime.data == ""
            assert await connection.event() is None
            await here.until(here.cancelled.is_set)

    run(main)


@requirement("http-session-delete")
def test_a_session_may_be_ended_during_a_call() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            told, quiet = await here.dial(), await here.dial()
            told.send(here.legacy(session, call("tools/call", HANG, 1)))
            await told.head()
            quiet.send(here.legacy(session, call("tools/call", {"name": "quiet", "arguments": {}}, 2)))
            await here.until(here.began.is_set)
            assert (await here.ask(here.legacy(session, b"", method="DELETE"))).status == 204
            events = []
            while (event := await told.event()) is not None:
                events.append(event)
            assert not any("result" in event.data for event in events)
            assert (await quiet.answer()).status == 410, "it had begun: 404 would say that it can be made again"
            await here.until(here.cancelled.is_set)

    run(main)


@requirement("batch")
@requirement("batch-notifications")
@requirement("batch-no-initialize")
@requirement("no-batch")
def test_a_batch_of_2025_03_26_has_one_answer() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize("2025-03-26")
            batch = b"[" + b",".join([call("ping", None, 1), call("tools/call", ADD, 2), call("notifications/x", None, None)]) + b"]"
            answer = await here.ask(here.legacy(session, batch))
            assert [each["id"] for each in json.loads(answer.body)] == [1, 2]
            notes = b"[" + call("notifications/x", None, None) + b"]"
            assert (await here.ask(here.legacy(session, notes))).status == 202
            late = b"[" + call("initialize", INITIALIZE | {"protocolVersion": "2025-03-26"}) + b"]"
            refused = await here.ask(here.legacy(session, late))
            assert [each["error"]["code"] for each in json.loads(refused.body)] == [-32600]
            assert (await here.ask(here.request(late))).status == 400
            later = await here.initialize("2025-11-25")
            assert (await here.ask(here.legacy(later, batch))).json["error"]["code"] == -32600

    run(main)


def test_a_batch_that_is_taken_back_in_part_or_whole_ends_its_stream() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize("2025-03-26")
            quiet = {"name": "quiet", "arguments": {}}
            part, whole = await here.dial(), await here.dial()
            part.send(here.legacy(session, b"[" + call("ping", None, 1) + b"," + call("tools/call", quiet, 2) + b"]"))
            whole.send(here.legacy(session, b"[" + call("tools/call", quiet, 3) + b"," + call("tools/call", quiet, 4) + b"]"))
            await here.until(lambda: sum(each.queues["running"] for each in here.workbench.sessions) == 3)
            for request_id in (2, 3, 4):
                told = here.legacy(session, call("notifications/cancelled", {"requestId": request_id}, None))
                assert (await here.ask(told)).status == 202
            assert [each["id"] for each in json.loads((await part.answer()).body)] == [1]
            assert (await whole.head()).kind == "text/event-stream"
            assert await whole.event() is None

    run(main)


def test_what_is_no_request_id_takes_back_no_request() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            open_one = await here.dial()
            open_one.send(here.legacy(session, call("tools/call", {"name": "quiet", "arguments": {}}, 1)))
            await here.until(lambda: sum(each.queues["running"] for each in here.workbench.sessions) == 1)
            for wrong in (True, [1], None):
                assert (await here.ask(here.legacy(session, call("notifications/cancelled", {"requestId": wrong}, None)))).status == 202
            here.go_on.set()
            assert (await open_one.answer()).json["id"] == 1

    run(main)


def test_a_principal_that_floods_with_sessions_ends_its_own_and_shuts_nobody_out() -> None:
    async def main() -> None:
        async with http_house(Limits(sessions=16)) as here:
            alice, connection = here.workbench.tokens.add("alice"), await here.dial()

            async def told(data: bytes) -> Answer:
                connection.send(data)
                return await connection.answer()

            flood = [await told(here.request(call("initialize", INITIALIZE))) for _ in range(12)]
            sessions = [answer.headers["mcp-session-id"][0] for answer in flood]
            assert [(await told(here.legacy(session, call("ping")))).status for session in sessions] == [404] * 4 + [200] * 8
            readers = [(await opened(here, session))[0] for session in sessions[4:]]
            full = await told(here.request(call("initialize", INITIALIZE)))
            assert (full.status, b"8 sessions of 'default', its share, have something under way here" in full.body) == (503, True)
            assert (await told(here.request(call("initialize", INITIALIZE), token=alice))).status == 200
            for reader in readers:
                await reader.leave()

    run(main)


@requirement("http-session-ended")
def test_an_idle_session_ends_unless_it_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with http_house(Limits(idle_after_s=0.05, ping_after_s=0.02, dead_after_s=5)) as here:
            kept, idle = await here.initialize(), await here.initialize()
            stream, _ = await opened(here, kept)
            await here.until(lambda: len(here.workbench.sessions) == 1)
            assert (await here.ask(here.legacy(kept, call("ping")))).status == 200
            assert (await here.ask(here.legacy(idle, call("ping")))).status == 404
            await stream.leave()
            await here.until(lambda: here.workbench.sessions == [])
            assert here.workbench.telemetry.sessions()[-1].close_reason == "idle for 0.05 s"

    run(main)


@requirement("http-patience")
def test_who_does_not_read_a_stream_is_ended_as_a_slow_consumer() -> None:
    async def main() -> None:
        async with http_house(Limits(slow_consumer_s=0.1)) as here:
            session = await here.initialize()
            stuck = await here.dial(small=True)
            stuck.send(here.legacy(session, call("tools/call", {"name": "chatter", "arguments": {"texts": 300, "size": 50_000}})))
            await stuck.head()
            stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own does
            await here.until(lambda: here.workbench.sessions == [])
            record = here.workbench.telemetry.sessions()[-1]
            assert (record.close_code, record.close_reason) == (1013, "slow consumer: read faster, or subscribe to less")
            assert (await here.ask(here.legacy(session, call("ping")))).status == 404

    run(main)
