from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import DefinedAt
from mcp_workbench.exploring import frames
from mcp_workbench.exploring.columns import calls_columns, messages_columns
from mcp_workbench.exploring.frames import calls_frame, messages_frame
from mcp_workbench.telemetry import CallRecord, Message
from tests.exploring.filters.rig import CASES, call_of, client_of, message_of
from tests.exploring.strategies import calls, messages


def rows(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    """As plain values, None where one is missing."""
    some = frame[list(columns)]
    return some.astype(object).where(some.notna(), None).to_numpy().tolist()


def test_a_call_is_one_row_with_what_is_known_of_it() -> None:
    call = call_of(CASES["calls"][0])
    call.defined_at = DefinedAt("<cell>", 3, "[12]")
    frame = calls_frame([call], client_of=client_of)
    names = ["call", "session", "client", "tool", "id", "total_ms", "wait_ms", "run_ms", "send_ms", "size", "tokens", "outcome", "version"]
    assert rows(frame, *names) == [["c1", "s3", "claude-code", "sum", "7", 6.0, 1.0, 4.0, 1.0, 10_000, 2_500, "ok", "v2@1f3a9c0e"]]
    assert rows(frame, "defined_at", "notes") == [["cell [12] line 3", "flights v17; asked the person: accepted after 12 s"]]
    assert frame["at"][0] == pd.Timestamp("2026-05-11 10:05", tz="UTC")
    assert frame["arguments"][0].startswith('{"region":"EMEA","n":5,')
    assert frame["answer"][0] == CASES["calls"][0]["answer"]


def test_what_is_not_known_is_missing() -> None:
    frame = calls_frame([call_of(row) for row in CASES["calls"] if row["name"] in ("running", "pushed out")])
    names = ["client", "target", "tool", "total_ms", "run_ms", "code", "error", "version", "notes", "answer"]
    assert rows(frame, *names) == [[None, "mean", "mean", *[None] * 7], [None, None, None, 3.0, *[None] * 6]]


def test_a_message_is_one_row_with_what_it_says() -> None:
    frame = messages_frame([message_of(row) for row in CASES["messages"]], client_of=client_of)
    kinds = ["request", "response", "response", "error", "notification", "notification", "batch", "malformed", None, "response"]
    assert [row[0] for row in rows(frame, "kind")] == kinds
    assert rows(frame, "method", "tool", "id", "client")[0] == ["tools/call", "sum", "7", "claude-code"]
    assert rows(frame, "outcome", "code", "error")[3] == ["rpc_error", -32602, "Unknown tool: get_weather"]
    assert rows(frame, "size", "text")[8] == [5_000, None]
    assert frame["at"].isna().tolist() == [False] * 9 + [True]


@pytest.mark.parametrize("records", [0, 1])
def test_columns_have_one_dtype_each_also_without_rows(records: int) -> None:
    text = calls_frame(map(call_of, CASES["calls"]))["method"].dtype
    for frame in (calls_frame(map(call_of, CASES["calls"][:records])), messages_frame(map(message_of, CASES["messages"][:records]))):
        assert len(frame) == records
        assert str(frame["at"].dtype) == "datetime64[us, UTC]"
        assert [str(frame[name].dtype) for name in ("code", "size", "seq")] == ["Int64", "int64", "int64"]
        assert frame["method"].dtype == frame["client"].dtype == frame["error"].dtype == text


@given(st.lists(calls(), max_size=4), st.lists(messages(), max_size=4))
def test_any_call_and_any_message_becomes_a_row(some_calls: list[CallRecord], some_messages: list[Message]) -> None:
    calls_rows, messages_rows = calls_frame(some_calls), messages_frame(some_messages)
    assert (len(calls_rows), len(messages_rows)) == (len(some_calls), len(some_messages))
    assert list(calls_rows.columns) == list(calls_columns())
    assert list(messages_rows.columns) == list(messages_columns())
    assert calls_rows["failed"].tolist() == [call.failed for call in some_calls]


def test_the_modules_table_names_every_column() -> None:
    both, of_calls, of_messages = (set(re.findall(r"`(\w+)`", part)) for part in tables())
    assert both & (set(calls_columns()) | set(messages_columns())) == set(calls_columns()) & set(messages_columns())
    assert both | of_calls >= set(calls_columns())
    assert both | of_messages >= set(messages_columns())


def tables() -> list[str]:
    """The left sides of the docstring's three tables."""
    assert frames.__doc__ is not None
    parts = re.split(r"\n\| (?:columns of both|only of calls|only of messages) \|", frames.__doc__)[1:]
    return ["\n".join(line.split("|")[1] for line in part.splitlines() if line.count("|") >= 3) for part in parts]
