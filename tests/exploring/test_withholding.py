"""Outputs are saved with notebooks: what shows itself shows no secret, and what is asked for has everything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path

from mcp_workbench import Workbench
from mcp_workbench.errors import PeerError
from mcp_workbench.events import Era
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.message_list import MessageList
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.telemetry import CallRecord, Direction, Message
from tests.exploring.rig import calling

KEY, PIN, PASSWORD = "sk-0123456789abcdef0123456789abcdef", "pin-73915246", "hunter2-very-long"
MARK = re.compile("‹redacted:[0-9a-f]{12}›")


def test_what_shows_itself_shows_no_secret_whoever_said_it_again() -> None:
    workbench = Workbench("careful")

    @workbench.tool(redact=["pin"])
    def fares(dest: str, api_key: str, pin: str) -> str:
        """What a flight costs."""
        return f"{dest}: asked with {api_key} and {pin}"

    @workbench.tool
    def broken(password: str) -> str:
        """Fail."""
        raise ValueError(f"no entry for {password}")

    async def ask() -> None:
        async with workbench.connect() as session:
            await session.call_tool("fares", dest="HNL", api_key=KEY, pin=PIN)
            await session.call_tool("broken", password=PASSWORD)
            await session.call_tool("fares", dest="HNL", api_key="short", pin=PIN[::-1])

    with calling(workbench):
        asyncio.run(ask())
        calls = workbench.traffic.calls("tool:*")
        priced, failed, other = calls
        differing = workbench.traffic.diff(priced, other), workbench.traffic.compare([priced], [other], volatile=["arguments"])
        workbench.traffic.annotate(priced, f"it said {KEY}")
        shown = [
            text
            for each in (
                calls,
                priced,
                failed,
                calls.messages,
                priced.messages,
                workbench.traffic,
                workbench.traffic.messages(),
                *differing,
            )
            for text in (repr(each), each._repr_html_())
        ]
    for secret in (KEY, PASSWORD, PIN, PIN[::-1], "'short'", '"short"'):
        assert [text for text in shown if secret in text] == []
    assert "HNL" in repr(calls)
    assert "$.arguments.api_key" in repr(differing[0])
    assert set(MARK.findall(repr(priced))) <= set(MARK.findall(repr(differing[0])))
    assert "no entry for ‹redacted:" in calls._repr_html_()
    assert priced.arguments == {"dest": "HNL", "api_key": KEY, "pin": PIN}
    assert PASSWORD in str(failed.error)
    assert KEY in calls.df()["arguments"].iloc[0]


def test_a_secret_has_one_mark_in_all_outputs_and_another_in_each_file(tmp_path: Path) -> None:
    def messages(text: str) -> MessageList:
        raw = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"text": text}}).encode()
        return MessageList([Message("s1", Direction.OUT, 1, 1.0, len(raw), raw, 1)])

    first, second = messages(f"with {KEY}"), messages(f"password={KEY}")
    shown = {mark for each in (first, second, first) for text in (repr(each), each._repr_html_()) for mark in MARK.findall(text)}
    assert len(shown) == 1
    written = {mark for name in "ab" for mark in MARK.findall(first.save(tmp_path / name).read_text(encoding="utf-8"))}
    assert len(written | shown) == 3


def test_what_is_no_message_is_shown_without_what_looks_like_a_secret() -> None:
    raw = f"GET /x?password={PASSWORD} and {KEY}".encode()
    clean = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
    messages = MessageList([Message("tap1", Direction.IN, 0, 0.0, len(each), each) for each in (raw, clean)])
    assert "GET /x" in repr(messages)
    assert KEY not in repr(messages)
    assert PASSWORD not in repr(messages)
    assert "notifications/initialized" in repr(messages)
    assert messages[0].raw == raw


def test_names_show_no_secret_wherever_calls_are_added_up_and_drawn() -> None:
    workbench = Workbench("named")
    uri, task = f"db://h/x?password={PASSWORD}", "a-task-4711-of-somebody"

    async def ask() -> None:
        async with workbench.connect() as session:
            for method, params in (("resources/read", {"uri": uri}), ("tasks/get", {"taskId": task}), (KEY, {})):
                with contextlib.suppress(PeerError):
                    await session.request(method, params)

    with calling(workbench):
        asyncio.run(ask())
        traffic = workbench.traffic
        read, asked, odd = traffic.calls("-method:server/discover")
        every = (
            *(traffic.stats(), traffic.stats(by="method"), traffic.timeline(), traffic.calls(), read, asked, odd),
            *(traffic.histogram(failed=True), traffic.diff(read, odd), traffic.compare([read], [odd])),
        )
        shown = [text for each in every for text in (repr(each), each._repr_html_())]
    for secret in (PASSWORD, task, KEY):
        assert [text for text in shown if secret in text] == []
    assert "db://h/x?password=‹redacted:" in every[0]._repr_html_()
    assert read.target == uri
    assert f"resources/read {uri}" in traffic.stats()


def test_arguments_that_are_kept_without_their_request_are_shown_without_secrets() -> None:
    record = CallRecord("c1", "s1", "p", Era.MODERN, "tools/call", "enter", f"password={PASSWORD}", 0, 0.0, 1)
    record.arguments = json.dumps({"password": PASSWORD, "n": 5}).encode()
    fit = Withholding(Redactor()).call(record)
    assert fit.arguments is not None
    assert json.loads(fit.arguments)["n"] == 5
    assert PASSWORD not in fit.arguments.decode() + str(fit.request_id)
    assert PASSWORD not in repr(CallList([record], Annotations()))
    record.arguments = b"no JSON"
    assert Withholding(Redactor()).call(record).arguments is None
    assert Call(record, Annotations()).method == "tools/call"
