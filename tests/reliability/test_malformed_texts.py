"""Texts that are no messages, over a real socket: each is answered or counted, and nobody else notices."""

from __future__ import annotations

import json
from typing import Any

import pytest

import mcp_workbench as wb
from tests.reliability.bystanders import unharmed
from tests.support.oracle import Message
from tests.support.stage import running, talking, within
from tests.support.talk import Talk


def _text(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0"} | members).encode()


def _deep(levels: int, opening: bytes = b"[", closing: bytes = b"]", core: bytes = b"") -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + opening * levels + core + closing * levels + b"}}"


NO_JSON = {
    "empty": b"",
    "blank": b" \n\t ",
    "truncated": b'{"jsonrpc":"2.0","id":1,"method":"ping"',
    "two values": b'{"jsonrpc":"2.0","id":1,"method":"ping"} {}',
    "trailing comma": b'{"jsonrpc":"2.0","id":1,"method":"ping",}',
    "single quotes": b"{'jsonrpc':'2.0'}",
    "comment": b'{"jsonrpc":"2.0","id":1,"method":"ping"} // hi',
    "NaN": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}',
    "Infinity": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":-Infinity}}',
    "overflow": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e400}}',
    "long exponent": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e' + b"9" * 400 + b"}}",
    "surrogate": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}',
    "surrogate method": b'{"jsonrpc":"2.0","id":1,"method":"\\udfff"}',
    "control character": b'{"jsonrpc":"2.0","id":1,"method":"pi\x01ng"}',
    "byte order mark": b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}',
    "zero byte": b'{"jsonrpc":"2.0","id":1,"method":"ping"}\x00',
    "leading zero": b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
    "words": b"GET /mcp HTTP/1.1",
}
NO_MESSAGE = {
    "number": b"42",
    "text": b'"ping"',
    "null": b"null",
    "boolean": b"true",
    "fraction": b"1.5",
    "object": b"{}",
    "no method": _text(id=1),
    "version missing": b'{"id":1,"method":"ping"}',
    "version number": b'{"jsonrpc":2.0,"id":1,"method":"ping"}',
    "version old": b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    "id null": _text(id=None, method="ping"),
    "id boolean": _text(id=True, method="ping"),
    "id fraction": _text(id=1.5, method="ping"),
    "id array": _text(id=[1], method="ping"),
    "id object": _text(id={"a": 1}, method="ping"),
    "method number": _text(id=1, method=5),
    "method null": _text(id=1, method=None),
    "params array": _text(id=1, method="ping", params=[1]),
    "params text": _text(id=1, method="ping", params="x"),
    "params null": _text(id=1, method="ping", params=None),
    "empty array": b"[]",
    "array": b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    "deep arrays": _deep(1_000),
    "deeper arrays": _deep(100_000),
    "deep objects": _deep(100_000, b'{"a":', b"}", b"1"),
    "only brackets": b"[" * 100_000 + b"]" * 100_000,
}
SILENT = {
    "method and result": _text(id=1, method="ping", result={}),
    "result and error": _text(id=1, result={}, error={"code": 1, "message": "x"}),
    "forged result": _text(id=1, result={"roots": []}),
    "forged error": _text(id="x", error={"code": -32000, "message": "no"}),
    "error without id": _text(id=None, error={"code": -32000, "message": "no"}),
    "result that is no object": _text(id=1, result=5),
    "broken error": _text(id=1, error={"code": "x"}),
    "cancel of nothing": _text(method="notifications/cancelled", params={"requestId": 99}),
    "cancel without params": _text(method="notifications/cancelled"),
    "cancel with an array": _text(method="notifications/cancelled", params=[]),
    "cancel with a long reason": _text(method="notifications/cancelled", params={"requestId": 1, "reason": "x" * 100_000}),
    "cancel of a huge id": _text(method="notifications/cancelled", params={"requestId": 2**80}),
    "progress of nothing": _text(method="notifications/progress", params={"progressToken": 1, "progress": 1}),
    "unknown notification": _text(method="notifications/" + "x" * 10_000),
    "request without id": _text(method="tools/call", params={"name": "x"}),
    "deep notification": _deep(500).replace(b'"id":1,', b""),
}


async def _one_error(talk: Talk) -> Message:
    answer = await talk.take(lambda message: "error" in message)
    error: Message = answer["error"]
    return error


def _try(workbench: wb.Workbench, text: bytes, code: int | None) -> None:
    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            talk.say(text)
            if code is not None:
                error = await _one_error(talk)
                assert error["code"] == code, error
                assert len(error["message"]) < 300
            await talk.fence()
            assert talk.inbox == []
            if code is None:
                [session] = [session for session in workbench.sessions if session.record.ignored]
                assert sum(session.record.ignored.values()) == 1

    with running(workbench):
        within(main)


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_a_parse_error(text: bytes) -> None:
    _try(wb.Workbench(), text, -32700)


@pytest.mark.parametrize("text", NO_MESSAGE.values(), ids=NO_MESSAGE)
def test_what_is_no_message_is_an_invalid_request(text: bytes) -> None:
    _try(wb.Workbench(), text, -32600)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_what_must_not_be_answered_is_counted(text: bytes) -> None:
    _try(wb.Workbench(), text, None)


def test_of_duplicate_keys_the_last_counts_everywhere() -> None:
    workbench = wb.Workbench()

    @workbench.tool
    def say(word: str) -> str:
        return word

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            talk.oracle.note_sent({"id": 6, "method": "tools/call"})
            talk.channel.send(
                b'{"jsonrpc":"2.0","id":5,"method":"nonsense","method":"tools/call","id":6,'
                b'"params":{"name":"nobody","arguments":{"word":"first","word":"last"},"name":"say"}}'
            )
            assert (await talk.answer(6))["result"]["content"][0]["text"] == "last"
            await talk.fence()
            assert talk.inbox == []

    with running(workbench):
        within(main)


def test_sixty_thousand_keys_are_read_while_others_are_served() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench) as bystander, talking(workbench) as talk:
            many = {f"k{number}": number for number in range(60_000)}
            asked = talk.ask("tools/call", {"name": "absent", "arguments": many})
            assert await bystander.result("ping") == {}
            assert (await talk.answer(asked))["error"]["code"] == -32602

    with running(workbench):
        within(main)


def test_meta_of_a_wrong_type_is_answered() -> None:
    workbench = wb.Workbench()
    wrong: tuple[Any, ...] = (5, "x", [], {"progressToken": {"a": 1}}, {"progressToken": None}, {"progressToken": 1.5})

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            for meta in wrong:
                asked = talk.ask("tools/list", {"_meta": meta})
                assert (await talk.answer(asked))["error"]["code"] == -32602, meta

    with running(workbench):
        within(main)


def test_params_of_any_method_may_be_nonsense() -> None:
    workbench = wb.Workbench()
    nonsense: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", [], {}, {"a": {"b": []}}, "\u0000", 2**63)
    members = ("name", "uri", "cursor", "arguments", "ref", "argument", "level", "notifications", "protocolVersion")

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            for method in ("tools/list", "tools/call", "resources/read", "resources/subscribe", "prompts/get", "completion/complete"):
                for value in nonsense:
                    message = await talk.request(method, dict.fromkeys(members, value))
                    assert "result" in message or message["error"]["code"] in (-32602, -32002, -32600), message

    with running(workbench):
        within(main)
