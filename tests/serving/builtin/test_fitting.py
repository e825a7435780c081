"""Texts written to measure, and how they begin and go on."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.primitives.rendered import RenderRequest
from mcp_workbench.protocol.wire import TextContent
from mcp_workbench.serving.builtin.fitting import Fitted, FittedRenderer, call_text, counted, facts, took


def test_a_text_is_written_for_the_room_there_is_and_cut_if_it_does_not_keep_to_it() -> None:
    request = RenderRequest(tool="df_read", max_chars=500, principal="alice")
    rendered = FittedRenderer().render(Fitted(lambda room: f"room for {room}"), request)
    assert rendered is not None
    assert rendered.content == [TextContent(text="room for 500")]
    longer = FittedRenderer().render(Fitted(lambda room: "x" * 2 * room), request)
    assert longer is not None
    assert isinstance(longer.content[0], TextContent)
    assert "[Cut: " in longer.content[0].text
    assert FittedRenderer().render("text", request) is None


@pytest.mark.parametrize(
    ("nanoseconds", "text"), [(0, "0.0 ms"), (312_000, "0.3 ms"), (12_400_000, "12 ms"), (1_300_000_000, "1.3 s"), (205e9, "205 s")]
)
def test_how_long_it_took(nanoseconds: float, text: str) -> None:
    assert took(nanoseconds) == text


def test_facts_leave_out_what_is_empty() -> None:
    assert facts("3 rows", "", "flights v1") == "3 rows · flights v1"
    assert (counted(1, "row"), counted(2_000, "row")) == ("1 row", "2,000 rows")


def test_a_call_leaves_out_what_was_not_asked_for() -> None:
    assert call_text("df_read", "flights", columns=[], where=None, offset=57) == 'df_read("flights", offset=57)'


@given(st.text(max_size=40), st.lists(st.text(max_size=10), min_size=1, max_size=3))
def test_a_call_reads_back_as_what_was_meant(name: str, columns: list[str]) -> None:
    call = ast.parse(call_text("df_read", name, columns=list(columns)), mode="eval").body
    assert isinstance(call, ast.Call)
    assert ast.literal_eval(call.args[0]) == name
    assert ast.literal_eval(call.keywords[0].value) == columns
