from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.format import (
    CallLine,
    End,
    Lost,
    MessageLine,
    Note,
    RecordingError,
    Session,
    decode_line,
    encode_line,
)
from mcp_workbench.telemetry import Direction, Outcome, Side

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NS = st.none() | st.integers(-(2**60), 2**60)
CALLS = st.builds(
    CallLine,
    session=TEXT,
    request=st.integers(0, 2**53),
    answer=st.integers(0, 2**53),
    id=st.integers(-(2**53), 2**53) | TEXT,
    method=TEXT,
    target=TEXT,
    outcome=st.sampled_from(Outcome),
    received_ns=st.integers(-(2**60), 2**60),
    at=st.floats(0, 2e9),
    bytes_in=st.integers(0, 2**40),
    side=st.sampled_from(Side),
    dir=st.sampled_from(Direction),
    started_ns=NS,
    sent_ns=NS,
    error=st.none() | TEXT,
    notes=st.tuples(TEXT, TEXT),
)
OTHERS = st.builds(Note, at=st.floats(0, 2e9), text=TEXT) | st.builds(
    Lost, at=st.floats(0, 2e9), messages=st.integers(0, 9), calls=st.integers(0, 9), bytes=st.integers(0, 9), why=TEXT
)


@given(CALLS | OTHERS)
def test_a_line_that_is_written_is_the_line_that_is_read(line: CallLine | Note | Lost) -> None:
    text = encode_line(line)
    assert text.count(b"\n") == 1
    assert decode_line(text) == line


def test_what_is_as_usual_is_left_out() -> None:
    assert encode_line(End("s1")) == b'{"k":"end","id":"s1"}\n'
    assert b"client" not in encode_line(Session("s1", Side.TAP, "stdio", "", "", 1.0))
    line = MessageLine(1, 1.0, 1, "s1", Side.TAP, Direction.IN, 2, m=msgspec.Raw(b"{}"))
    assert encode_line(line).endswith(b'"size":2,"m":{}}\n')


@given(st.binary(max_size=80) | st.text().map(str.encode))
def test_any_bytes_are_a_line_nothing_known_or_refused_in_words(text: bytes) -> None:
    with suppress(RecordingError):
        decode_line(text)


def test_deep_lines_are_refused() -> None:
    with pytest.raises(RecordingError):
        decode_line(b'{"k":"note","at":1,"text":' + b"[" * 100_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"era": "strange"},
        {"era": "legacy\n"},
        {"at": 1e300},
        {"at": -1},
        {"received_ns": 10**30},
        {"sent_ns": -(10**30)},
        {"bytes_in": -1},
        {"bytes_out": 10**30},
        {"request": 10**30},
        {"others": [10**30]},
        {"line": 10**30},
    ],
)
def test_what_nobody_writes_is_refused_where_it_is_read(wrong: dict[str, object]) -> None:
    call = {"k": "call", "session": "s1", "request": 1, "answer": 2, "id": 1, "method": "ping", "target": "", "outcome": "ok"}
    call |= {"received_ns": 0, "at": 1.0, "bytes_in": 1}
    assert isinstance(decode_line(msgspec.json.encode(call)), CallLine)
    with pytest.raises(RecordingError):
        decode_line(msgspec.json.encode(call | wrong))
