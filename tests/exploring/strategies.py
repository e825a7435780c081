"""Calls, messages and filters of every kind, the odd ones too."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from mcp_workbench.events import DefinedAt, Era
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, Side

NOW = 1_778_494_260.0
"""2026-05-11 10:11 UTC."""
WORDS = [
    "sum",
    "Sum",
    "su",
    "EMEA",
    "emea",
    "ok",
    "a*b",
    "a b",
    "s3",
    "Zürich",
    "ZÜRICH",
    "x",
    "5",
    "true",
    "c1",
    "v2@1f",
    "v2",
    "df://a",
    "İ",
    "ß",
]
METHODS = ["tools/call", "job", "prompts/get", "resources/read", "ping", "notifications/resources/updated", "initialize", ""]
NUMBERS = [0, 1, 4, 5, 1000, 5_000_000, 10**30, -32602, 0.25, 5.0, -1]

words = st.sampled_from(WORDS)
ids = st.integers(0, 9) | words
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | words
members = st.sampled_from(["region", "n", "filter", "a b", "0", "arguments", "isError", "resultType"])
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=3), max_leaves=6)
objects = st.dictionaries(members, json_values, max_size=4)
params = st.one_of(
    objects, st.builds(lambda name, arguments: {"name": name, "uri": name, "arguments": arguments}, words, json_values), json_values
)
moments = st.sampled_from(
    [NOW, NOW - 300, NOW - 299.999999, NOW - 300.0000003, 0.0, -1.0, 1e300, float("nan"), 1.5, 86_400.0 * 365]
) | st.floats(NOW - 90_000, NOW + 90_000)
nanoseconds = st.none() | st.integers(0, 10**12) | st.sampled_from([5 * 10**6 - 1, 5 * 10**6, 5 * 10**6 + 1, 10**9])


@st.composite
def texts(draw: st.DrawFn, request_id: Any = None) -> bytes:
    """A request, notification, answer, batch of them, or what is no message."""
    request_id = draw(ids) if request_id is None else request_id
    bodies = st.fixed_dictionaries({"method": st.sampled_from(METHODS), "params": params})
    results = st.fixed_dictionaries({"result": json_values})
    errors = st.builds(lambda code, message: {"error": {"code": code, "message": message}}, st.sampled_from([-32602, 0, 10**30]), words)
    one = st.builds(
        lambda body, has_id: {"jsonrpc": "2.0"} | ({"id": request_id} if has_id else {}) | body, bodies | results | errors, st.booleans()
    )
    value = draw(one | st.lists(one, max_size=2))
    text = json.dumps(value, ensure_ascii=draw(st.booleans())).encode()
    return draw(st.sampled_from([text, text, text, b" " + text, text[:-1], text.replace(b"s", b"\xff", 1), b""]))


@st.composite
def messages(draw: st.DrawFn, request_id: Any = None) -> Message:
    raw = draw(texts(request_id))
    size = len(raw) if draw(st.integers(0, 4)) else 5_000
    raw = raw if size == len(raw) else b""
    return Message(draw(words), draw(st.sampled_from(Direction)), 1, draw(moments), size, raw, draw(st.integers(0, 10)))


@st.composite
def calls(draw: st.DrawFn) -> CallRecord:
    request_id = draw(ids)
    call = CallRecord(
        draw(words | st.just("")),
        draw(words),
        draw(words),
        draw(st.sampled_from(Era)),
        draw(st.sampled_from(METHODS)),
        draw(words | st.just("")),
        request_id,
        1_000,
        draw(moments),
        draw(st.integers(0, 10_000)),
    )
    waited, ran, sent = draw(nanoseconds), draw(nanoseconds), draw(nanoseconds)
    call.started_ns = None if waited is None else 1_000 + waited
    call.returned_ns = None if call.started_ns is None or ran is None else call.started_ns + ran
    call.sent_ns = None if sent is None else 1_000 + sent
    call.bytes_out, call.seq = draw(st.integers(0, 10_000)), draw(st.integers(0, 10))
    call.outcome, call.side, call.direction = draw(st.sampled_from(Outcome)), draw(st.sampled_from(Side)), draw(st.sampled_from(Direction))
    call.code = draw(st.sampled_from([None, -32602, 0, 10**30]))
    call.error, call.tool_version, call.job = draw(st.none() | words), draw(st.none() | words), draw(st.none() | words)
    call.notes = tuple(draw(st.lists(words, max_size=2)))
    call.defined_at = draw(st.sampled_from([None, DefinedAt("<cell>", 3, "[12]")]))
    call.arguments = draw(st.sampled_from([None, b'{"region": "EMEA"}', b"nonsense"]))
    call.request, call.answer = draw(st.none() | messages(request_id)), draw(st.none() | messages(request_id))
    return call


_WORDS = st.sampled_from(
    ["sum", "su*", "*", "s*m", '"a*b"', "'a b'", "EMEA", "zürich", "x", "5", "true", "null", "v2", "df://*", "İ", "ß", '"5"', "**"]
)
_AMOUNTS = st.sampled_from(["5", ">5", ">=5", "<5", "<=5", "1..1000", "..5", "5..", "-32602", "0.25", "*", "1k"])
_DURATIONS = st.sampled_from([">5ms", ">=5ms", "<5ms", "<=5ms", "1ms..1s", "..5ms", "5000us..", "*", ">0.000001s"])
_MOMENTS = st.sampled_from(
    ["-5m..", "..-5m", "-1h..-5m", "10:05", "10:05..10:11", "23:00..01:00", ">10:11", "<=10:06", "2026-05-11", ">2026-05-10", "*"]
    + ["2026-05-11T10:06Z..", "<2026-05-11T10:06:00.000001Z", "2026-05-10..2026-05-11"]
)
_PATHS = st.lists(st.sampled_from(["region", "n", "filter", '"a b"', "0", "isError", "arguments"]), min_size=1, max_size=2).map(".".join)
_VALUES = {
    **dict.fromkeys(("method", "tool", "prompt", "uri", "target", "session", "client", "id", "error", "text"), _WORDS),
    **dict.fromkeys(("principal", "call", "job", "version", "note"), _WORDS),
    **dict.fromkeys(("code", "size", "tokens", "seq"), _AMOUNTS),
    **dict.fromkeys(("dur", "wait", "run", "send"), _DURATIONS),
    "at": _MOMENTS,
    "dir": st.sampled_from(["in", "out", "*"]),
    "side": st.sampled_from(["server", "client", "tap", "*"]),
    "era": st.sampled_from(["legacy", "modern", "*"]),
    "kind": st.sampled_from(["request", "response", "error", "notification", "batch", "malformed", "*"]),
    "outcome": st.sampled_from([*(outcome.value for outcome in Outcome), "error", "*"]),
}
_ARGUMENTS = st.sampled_from(["EMEA", "e*", "5", '"5"', ">4", "<=5", "0..10", "true", "null", "*", "../x"])


def filters(keys: list[str]) -> st.SearchStrategy[str]:
    """Filter texts that use these keys, as people may write them."""
    plain = st.sampled_from([key for key in keys if key in _VALUES]).flatmap(
        lambda key: st.lists(_VALUES[key], min_size=1, max_size=2).map(lambda values: f"{key}:{'|'.join(values)}")
    )
    inside = st.builds(lambda key, path, value: f"{key}.{path}:{value}", st.sampled_from(["args", "result"]), _PATHS, _ARGUMENTS)
    term = plain | inside | _WORDS
    return st.recursive(
        term,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(" ".join),
            st.lists(inner, min_size=2, max_size=3).map(" | ".join),
            inner.map(lambda text: f"({text})"),
            inner.map(lambda text: f"-({text})"),
        ),
        max_leaves=5,
    )
