"""Streamable HTTP from 2026-07-28, over raw sockets."""

from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from pydantic import Field

import mcp_workbench as wb
from mcp_workbench.limits import Limits
from mcp_workbench.tasks import start_task
from mcp_workbench.transports import http_server
from tests.interaction.requirements import requirement
from tests.support.http_house import http_house, run
from tests.support.raw_http import META, call

ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}
HANG = {"name": "hang", "arguments": {}}
LISTEN = {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["df://numbers"]}}


@requirement("http-alone")
@requirement("http-json-or-events")
@requirement("session-own")
def test_each_request_stands_alone_and_they_are_shown_together() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            for request_id in (1, 1, "1"):
                connection.send(here.modern("tools/call", ADD, request_id))
                answer = await connection.answer()
                assert (answer.status, answer.kind) == (200, "application/json")
                assert answer.json["id"] == request_id
                assert answer.json["result"]["resultType"] == "complete"
                assert "mcp-session-id" not in answer.headers
            strays = ["Mcp-Session-Id: of-yesterday", "Last-Event-ID: 7"]
            connection.send(here.modern("tools/call", ADD, extra=strays))
            answer = await connection.answer()
            assert (answer.status, answer.kind, "mcp-session-id" in answer.headers) == (200, "application/json", False)
            assert (await here.ask(here.modern("tools/call", ADD))).json["result"]["content"][0]["text"] == "3"
            assert (await here.ask(here.modern("server/discover"))).json["result"]["supportedVersions"] == ["2026-07-28"]
            assert here.transports() == [("http", "raw")]
            assert here.workbench.sessions[0].record.calls == 5
            other = {"io.modelcontextprotocol/clientInfo": {"name": "other", "version": "1"}}
            connection.send(here.modern("tools/call", ADD, meta=other))
            assert (await connection.answer()).status == 200
            assert here.transports() == [("http", "raw"), ("http", "other")]
            token = here.workbench.tokens.add("somebody")
            assert (await here.ask(here.modern("tools/call", ADD, token=token))).status == 200
            assert [each.record.principal for each in here.workbench.sessions] == ["default", "default", "somebody"]

    run(main)


@requirement("http-refused")
@requirement("http-headers")
@requirement("http-mismatch")
@requirement("http-version-header")
@requirement("http-unsupported-version")
@requirement("http-unknown-method")
@requirement("http-bad-request")
@requirement("http-post-only")
@requirement("http-accepted")
@requirement("parse-error")
@requirement("invalid-request")
@requirement("no-batch")
@requirement("id-invalid")
@requirement("params-shape")
@requirement("modern-meta-required")
@requirement("modern-removed-methods")
@requirement("notification-silent")
@requirement("response-ignored")
@requirement("cancel-late")
def test_what_is_wrong_with_a_request_is_said_with_its_status_and_code() -> None:
    async def main() -> None:
        async with http_house() as here:

            @here.workbench.tool
            def think(ctx: wb.Context) -> str:
                """Ask the model."""
                return ctx.sample("x").text

            good = here.modern("tools/call", ADD)
            version = b"MCP-Protocol-Version: 2026-07-28\r\n"
            other = {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}
            bare = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
            for data, status, code in (
                (good.replace(b"Mcp-Method: tools/call", b"Mcp-Method: tools/list"), 400, -32020),
                (good.replace(b"Mcp-Method: tools/call\r\n", b""), 400, -32020),
                (good.replace(b"Mcp-Name: add", b"Mcp-Name: sub"), 400, -32020),
                (good.replace(b"Mcp-Name: add\r\n", b""), 400, -32020),
                (good.replace(version, b""), 400, -32020),
                (good.replace(version, 2 * version), 400, -32020),
                (here.modern("tools/call", ADD, meta=other), 400, -32020),
                (here.modern("tools/call", ADD, meta=other).replace(version, b"MCP-Protocol-Version: 2099-01-01\r\n"), 400, -32022),
                (here.modern("no/such"), 404, -32601),
                (here.modern("ping"), 404, -32601),
                (here.modern("resources/subscribe", {"uri": "df://numbers"}), 404, -32601),
                (here.modern("tools/call", {"name": "nobody", "arguments": {}}), 400, -32602),
                (here.request(call("tools/list", {}), extra=["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/list"]), 400, -32602),
                (
                    here.request(call("tools/list", {"_meta": bare}), extra=["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/list"]),
                    400,
                    -32602,
                ),
                (here.modern("tools/call", {"name": "think", "arguments": {}}), 400, -32021),
                (here.request(b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', extra=["MCP-Protocol-Version: 2026-07-28"]), 400, -32600),
                (
                    here.request(b'{"jsonrpc":"2.0","id":1,"method":"x","params":[]}', extra=["MCP-Protocol-Version: 2026-07-28"]),
                    400,
                    -32600,
                ),
                (here.modern("tools/call", {"name": "add", "arguments": [1, 2]}), 400, -32602),
                (here.modern("initialize", {"protocolVersion": "2025-11-25"}), 404, -32601),
                (here.request(b"[]", extra=["MCP-Protocol-Version: 2026-07-28"]), 400, -32600),
                (here.request(b'{"jsonrpc":"2.0","id":1,"result":{}}', extra=["MCP-Protocol-Version: 2026-07-28"]), 400, -32600),
                (here.request(b"nonsense", extra=["MCP-Protocol-Version: 2026-07-28"]), 400, -32700),
            ):
                answer = await here.ask(data)
                assert (answer.status, answer.json["error"]["code"]) == (status, code), data
            for method in ("GET", "DELETE"):
                answer = await here.ask(here.request(b"", method=method, extra=["MCP-Protocol-Version: 2026-07-28"]))
                assert (answer.status, answer.headers["allow"]) == (405, ["POST"])
            note = here.request(call("notifications/cancelled", {"requestId": 1}, None), extra=["MCP-Protocol-Version: 2026-07-28"])
            assert (await here.ask(note)).status == 202

    run(main)


@requirement("http-param-headers")
@requirement("http-header-case")
def test_names_of_headers_may_be_written_in_any_case_and_values_may_not() -> None:
    async def main() -> None:
        async with http_house() as here:
            good = here.modern("tools/call", ADD)
            names = (b"MCP-Protocol-Version", b"Mcp-Method", b"Mcp-Name", b"Content-Type", b"Authorization")
            for change in (bytes.lower, bytes.upper, bytes.swapcase):
                data = good
                for name in names:
                    assert name in data
                    data = data.replace(name, change(name), 1)
                assert (await here.ask(data)).status == 200
            for before, after in ((b"Mcp-Method: tools/call", b"Mcp-Method: Tools/call"), (b"Mcp-Name: add", b"Mcp-Name: Add")):
                answer = await here.ask(good.replace(before, after))
                assert (answer.status, answer.json["error"]["code"]) == (400, -32020)

    run(main)


def test_arguments_that_are_repeated_in_headers_are_compared() -> None:
    async def main() -> None:
        async with http_house() as here:

            @here.workbench.tool
            def place(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
                """Where."""
                return region

            @here.workbench.tool
            def page(number: Annotated[int, Field(json_schema_extra={"x-mcp-header": "Number"})] = 0) -> str:
                """Which."""
                return str(number)

            for arguments, extra, told in (
                ({"number": 42}, ["Mcp-Param-Number: 42"], "42"),
                ({"number": 42}, ["mcp-param-number: 42.0", "Mcp-Param-Unheard-Of: x"], "42"),
                ({}, [], "0"),
                ({"number": 42}, ["Mcp-Param-Number: 43"], None),
                ({"number": 42}, ["Mcp-Param-Number: 4 2"], None),
                ({"number": 42}, [], None),
                ({"number": None}, ["Mcp-Param-Number: 42"], None),
                ({}, ["Mcp-Param-Number: 42"], None),
            ):
                answer = await here.ask(here.modern("tools/call", {"name": "page", "arguments": arguments}, extra=extra))
                if told is None:
                    assert (answer.status, answer.json["error"]["code"]) == (400, -32020), (arguments, extra)
                else:
                    assert answer.json["result"]["content"][0]["text"] == told, (arguments, extra)
            absent = await here.ask(here.modern("tools/call", {"name": "page", "arguments": {"number": None}}))
            assert absent.json["result"]["isError"], "null is no number, and no header is missed for it"
            params = {"name": "place", "arguments": {"region": "größe"}}
            right = "Mcp-Param-Region: =?base64?Z3LDtsOfZQ==?="
            assert (await here.ask(here.modern("tools/call", params, extra=[right]))).json["result"]["content"][0]["text"] == "größe"
            for extra in ([], ["Mcp-Param-Region: eu"], [right, right], ["Mcp-Param-Region: =?base64?Z3LDtsOfZQ?="]):
                assert (await here.ask(here.modern("tools/call", params, extra=extra))).json["error"]["code"] == -32020

    run(main)


@requirement("http-json-or-events")
@requirement("http-own-stream")
@requirement("http-unbuffered")
def test_progress_and_logs_make_a_stream_of_events() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.modern("tools/call", HANG, meta={"progressToken": 9}))
            head = await connection.head()
            assert (head.status, head.kind) == (200, "text/event-stream")
            assert head.headers["cache-control"] == ["no-cache, no-transform"]
            assert head.headers["x-accel-buffering"] == ["no"]
            progress = await connection.event()
            assert progress is not None
            assert (progress.json["params"]["progressToken"], progress.id) == (9, None)
            here.go_on.set()
            answer = await connection.event()
            assert answer is not None
            assert answer.json["id"] == 1
            assert await connection.event() is None

    run(main)


@requirement("http-close-cancels")
def test_hanging_up_cancels() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.modern("tools/call", {"name": "quiet", "arguments": {}}))
            await here.until(here.began.is_set)
            await connection.leave()
            await here.until(here.cancelled.is_set)
            assert here.workbench.sessions[0].record.until is None

    run(main)


@requirement("http-own-stream")
def test_a_listen_is_a_stream_until_the_client_hangs_up() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.modern("subscriptions/listen", LISTEN, "l"))
            assert (await connection.head()).kind == "text/event-stream"
            acknowledged = await connection.event()
            assert acknowledged is not None
            assert acknowledged.json["params"]["notifications"] == LISTEN["notifications"]
            loud = {"io.modelcontextprotocol/logLevel": "debug", "progressToken": 1}
            chatter = here.modern("tools/call", {"name": "chatter", "arguments": {"texts": 2, "size": 3}}, meta=loud)
            assert (await here.ask(chatter)).body.count(b"notifications/message") == 2
            await asyncio.to_thread(here.workbench.touch, "numbers")
            update = await connection.event()
            assert update is not None
            assert update.json["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "l"
            here.workbench.tool(name="more")(lambda: "x")
            changed = await connection.event()
            assert changed is not None
            assert changed.json["method"] == "notifications/tools/list_changed"
            assert here.workbench.sessions[0].queues["subscriptions"] == 2
            await connection.leave()
            await here.until(lambda: here.workbench.sessions[0].queues["subscriptions"] == 0)

    run(main)


@requirement("listen-end")
def test_a_server_that_stops_ends_listens_with_their_answer() -> None:
    async def main() -> None:
        async with http_house() as here:
            connection = await here.dial()
            connection.send(here.modern("subscriptions/listen", LISTEN, "l"))
            await connection.head()
            await connection.event()
            await asyncio.to_thread(here.workbench.stop)
            end = await connection.event()
            assert end is not None
            assert end.json["id"] == "l"
            assert await connection.event() is None

    run(main)


def test_a_silent_client_is_forgotten_and_a_full_house_makes_room() -> None:
    async def main() -> None:
        async with http_house(Limits(idle_after_s=0.05, ping_after_s=0.02)) as here:
            connection = await here.dial()
            connection.send(here.modern("tools/call", ADD))
            await connection.answer()
            await connection.leave()
            await here.until(lambda: here.workbench.sessions == [])
            assert here.workbench.telemetry.sessions()[-1].close_reason == "idle for 0.05 s"
        async with http_house(Limits(sessions=4)) as here:
            for name in ("a", "b", "c"):
                connection = await here.dial()
                client = {"io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"}}
                connection.send(here.modern("tools/call", ADD, meta=client))
                assert (await connection.answer()).status == 200
                await connection.leave()
                await here.until(lambda: all(each.queues["running"] == 0 for each in here.workbench.sessions))
            assert [name for _, name in here.transports()] == ["b", "c"]

    run(main)


@requirement("http-unbuffered")
def test_an_answer_that_takes_long_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "BEAT_S", 0.02)

    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            for data in (
                here.modern("tools/call", {"name": "quiet", "arguments": {}}),
                here.legacy(session, call("tools/call", {"name": "quiet", "arguments": {}})),
            ):
                here.go_on.clear()
                connection = await here.dial()
                connection.send(data)
                assert (await connection.head()).kind == "text/event-stream"
                here.go_on.set()
                texts = []
                while (event := await connection.event()) is not None:
                    texts.append(event.data)
                assert "went on" in texts[-1]

    run(main)


@requirement("http-patience")
def test_who_does_not_read_is_cut_off() -> None:
    async def main() -> None:
        async with http_house(Limits(slow_consumer_s=0.1)) as here:
            stuck = await here.dial(small=True)
            chatter = {"name": "chatter", "arguments": {"texts": 300, "size": 50_000}}
            stuck.send(here.modern("tools/call", chatter, meta={"io.modelcontextprotocol/logLevel": "debug"}))
            await stuck.head()
            stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own does
            await here.until(lambda: here.workbench.telemetry.calls(1)[-1:] != [])
            await here.until(lambda: here.workbench.sessions[0].queues["outbox_bytes"] == 0)
            stuck.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
            assert not (await stuck.ended()).endswith(b"0\r\n\r\n"), "the stream was broken off, not completed"
            assert (await here.ask(here.modern("tools/call", ADD))).status == 200

    run(main)


def test_the_two_eras_live_side_by_side_on_one_connection() -> None:
    async def main() -> None:
        async with http_house() as here:
            session = await here.initialize()
            connection = await here.dial()
            connection.send(here.modern("tools/call", ADD))
            assert (await connection.answer()).json["result"]["resultType"] == "complete"
            connection.send(here.legacy(session, call("tools/call", ADD)))
            assert "resultType" not in (await connection.answer()).json["result"]
            connection.send(here.modern("tools/call", ADD))
            assert (await connection.answer()).status == 200
            mixed = call("tools/call", ADD | {"_meta": META})
            connection.send(here.legacy(session, mixed))
            assert (await connection.answer()).json["error"]["code"] == -32020

    run(main)


def test_many_calls_at_once_of_one_principal_get_a_clear_error_and_others_work_on() -> None:
    async def main() -> None:
        async with http_house(Limits(running_calls=3, backlog_messages=2)) as here:
            quiet = {"name": "quiet", "arguments": {}}
            token = here.workbench.tokens.add("somebody")
            crowd = [await here.dial() for _ in range(12)]
            for connection in crowd:
                connection.send(here.modern("tools/call", quiet))
            answers = [start_task(connection.answer(), name="answer") for connection in crowd]
            await here.until(lambda: sum(answer.done() for answer in answers) == 7)
            refused = [answer.result() for answer in answers if answer.done()]
            for answer in refused:
                assert answer.status == 200
                assert answer.json["result"]["isError"]
                said = answer.json["result"]["content"][0]["text"]
                assert said == (
                    "Busy: 3 calls of 'default' are running and 2 are waiting, which is all it may have. "
                    "Wait for answers before sending more."
                )
            assert (await here.ask(here.modern("tools/call", ADD, token=token))).json["result"]["content"][0]["text"] == "3"
            assert (await here.ask(here.modern("tools/list"))).status == 200, "what is no call is answered at once"
            here.go_on.set()
            went_on = [answer for answer in await asyncio.gather(*answers) if not answer.json["result"].get("isError")]
            assert len(went_on) == 5
            assert (await here.ask(here.modern("tools/call", ADD))).json["result"]["content"][0]["text"] == "3"

    run(main)
