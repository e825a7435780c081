from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.format import Clock
from mcp_workbench.exploring.recording.lines import Lines
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.telemetry import Direction, Message, SessionRecord
from tests.exploring.recording.rig import Stage
from tests.exploring.recording.test_redaction import planted

CLEAN = json.dumps({"jsonrpc": "2.0", "id": 9, "method": "ping"}).encode()


@given(planted(), st.integers(0, 3))
def test_no_planted_secret_survives_anywhere_in_the_file(case: tuple[Any, str], clean_before: int) -> None:
    message, secret = case
    raw = json.dumps(message).encode()
    stage = Stage()
    session = SessionRecord("s1", "websocket", f"ws://bob:{secret}@host/?token={secret}", "default", 1.0, client_name=f"token={secret}")
    session.crash = f"Traceback: x(password={secret!r})"
    lines = Lines(Clock(0.0), Redactor(), {"s1": session}.get)
    asked = [(Message("s1", Direction.IN, 1, 1.0, len(text), text, 1), text) for text in (*[CLEAN] * clean_before, raw, CLEAN)]
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": [f"it was {secret}"]}}).encode()
    call = stage.call(1, error=f"nobody is {secret}", notes=(secret,), queued_behind=f"cell {secret}", target=f"x://{secret}")
    told = (Message("s1", Direction.OUT, 1, 1.0, len(answer), answer, 2), answer)
    file = b"".join([*lines.of([*asked, told, call]), *lines.sessions(), lines.end(session)])
    assert secret not in file.decode()
    assert all(json.loads(line) for line in file.splitlines())


def test_ids_of_requests_that_are_secrets_stand_in_no_line_and_calls_still_find_their_messages() -> None:
    stage, lines = Stage(), Lines(Clock(0.0), Redactor(), lambda _: None)
    call = stage.call(1, request_id="sk-0123456789abcdefghij")
    asked = [
        (message, message.raw.replace(b'"id": 1', b'"id": "sk-0123456789abcdefghij"')) for message in (call.request, call.answer) if message
    ]
    written = lines.of([*asked, call])
    assert b"0123456789" not in b"".join(written)
    ids = [json.loads(line).get("m", json.loads(line))["id"] for line in written[1:]]
    assert ids == [ids[0]] * 3
    assert ids[0].startswith("‹redacted:")


def test_the_task_a_call_names_is_the_one_that_the_messages_name_and_none_that_anybody_could_ask_for() -> None:
    stage, lines = Stage(), Lines(Clock(0.0), Redactor(), lambda _: None)
    raw = b'{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"6f1c-task"}}'
    message = Message("s1", Direction.IN, 1, 1.0, len(raw), raw, 1)
    written = lines.of([stage.call(1, method="tasks/get", target="6f1c-task"), (message, raw), stage.call(2, target="flights")])
    assert b"6f1c" not in b"".join(written)
    [_, first, second, third] = map(json.loads, written)
    assert first["target"] == second["m"]["params"]["taskId"]
    assert third["target"] == "flights"


def test_what_has_nothing_secret_in_it_stands_there_letter_by_letter() -> None:
    raw = b'{ "b": 1.50, "a": [1e3, 7.0],\n "name": "flights", "text": "\xc3\xa4 \\n" }'
    message = Message("s1", Direction.IN, 5, 1.0, len(raw), raw, 1)
    [_, line] = Lines(Clock(0.0, 2), Redactor(), lambda _: None).of([(message, raw)])
    assert raw.replace(b"\n ", b"  ") in line
    assert json.loads(line)["at_ns"] == 3


def test_a_method_that_is_a_secret_stands_in_no_line_of_a_call() -> None:
    stage, lines = Stage(), Lines(Clock(0.0), Redactor(), lambda _: None)
    assert b"abcdefghij" not in b"".join(lines.of([stage.call(1, method="ghp_abcdefghijklmnopqrst12345678")]))


def test_one_message_or_call_of_which_no_line_can_be_made_leaves_the_others_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, lines = Stage(), Lines(Clock(0.0), Redactor(), lambda _: None)
    raw = b'{"password":"hunter2"}'
    message, other = (Message("s1", Direction.IN, 1, 1.0, len(raw), raw, number) for number in (1, 2))
    faults = iter([ValueError("hunter2")])

    def failing(self: Redactor, text: bytes, session: str = "") -> bytes:
        for fault in faults:
            raise fault
        return text.replace(b"hunter2", b"")

    monkeypatch.setattr(Redactor, "message", failing)
    written = lines.of([(message, raw), stage.call(1, target="\ud800"), (other, raw), stage.call(2)])
    assert b"hunter2" not in b"".join(written)
    [_, bad, lost, good, call] = map(json.loads, written)
    assert (bad["seq"], bad["withheld"], good["seq"]) == (1, "could not be looked into (ValueError)", 2)
    assert (lost["k"], lost["calls"], call["k"]) == ("lost", 1, "call")
