from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from mcp_workbench.exploring.filters import FilterError, parse
from mcp_workbench.exploring.filters.keys import KEYS
from mcp_workbench.exploring.frames import calls_frame, messages_frame
from tests.exploring.filters.rig import CASES, call_of, client_of, filter_of, message_of


def said(case: dict[str, Any]) -> str:
    return case["filter"] or "nothing"


@pytest.mark.parametrize("case", CASES["callCases"], ids=said)
def test_these_calls_fit_as_records_and_as_rows(case: dict[str, Any]) -> None:
    rows, wanted = CASES["calls"], filter_of(case["filter"])
    calls = [call_of(row) for row in rows]
    assert [row["name"] for row, call in zip(rows, calls, strict=True) if wanted.matches_call(call)] == case["fits"]
    mask = wanted.mask(calls_frame(calls, client_of=client_of))
    assert [row["name"] for row, fits in zip(rows, mask, strict=True) if fits] == case["fits"]


@pytest.mark.parametrize("case", CASES["messageCases"], ids=said)
def test_these_messages_fit_as_records_and_as_rows(case: dict[str, Any]) -> None:
    rows, wanted = CASES["messages"], filter_of(case["filter"])
    messages = [message_of(row) for row in rows]
    matches = wanted.for_messages()
    assert [row["name"] for row, message in zip(rows, messages, strict=True) if matches(message)] == case["fits"]
    mask = wanted.mask(messages_frame(messages, client_of=client_of))
    assert [row["name"] for row, fits in zip(rows, mask, strict=True) if fits] == case["fits"]


@pytest.mark.parametrize("case", CASES["errors"], ids=said)
def test_these_texts_are_no_filters_and_the_error_says_where_and_what_is_near(case: dict[str, Any]) -> None:
    with pytest.raises(FilterError) as caught:
        filter_of(case["filter"])
    assert (caught.value.position, caught.value.nearest) == (case["position"], case["nearest"])
    assert f"character {case['position'] + 1}" in str(caught.value)


@pytest.mark.parametrize("text", CASES["unknownOfMessages"])
def test_what_is_known_of_calls_alone_is_refused_for_messages(text: str) -> None:
    wanted = filter_of(f"foo {text}")
    message = message_of(CASES["messages"][0])
    for ask in (wanted.for_messages, lambda: wanted.matches_message(message), lambda: wanted.mask(messages_frame([message]))):
        with pytest.raises(FilterError, match="is known of calls, not of single messages") as caught:
            ask()
        assert caught.value.position == 4


def test_the_cases_use_every_key_and_call_those_unknown_of_messages_that_are() -> None:
    written = " ".join(case["filter"].lower() for case in CASES["callCases"])
    assert {key for key in KEYS if f"{key}:" not in written and f"{key}." not in written} == set()
    assert {text.partition(":")[0] for text in CASES["unknownOfMessages"]} == {name for name, key in KEYS.items() if key.messages is None}


def test_five_minutes_ago_moves_with_the_clock() -> None:
    now = 1_000.0
    recent = parse("at:-5m..", clock=lambda: now).for_calls()
    call = call_of(CASES["calls"][0] | {"at": 800.0})
    assert recent(call)
    now = 1_100.5
    assert not recent(call)


def test_who_the_client_is_must_be_known() -> None:
    with pytest.raises(FilterError, match="filter by session: instead"):
        parse("client:cursor")


def test_filters_written_the_same_are_equal_and_show_what_they_are() -> None:
    wanted = parse('Tool:sum   ( "two words" |dur:>5ms)')
    assert str(wanted) == 'tool:sum ("two words" | dur:>5ms)'
    assert wanted == parse(str(wanted))
    assert len({wanted, parse(str(wanted)), parse("tool:sum")}) == 2
    assert repr(parse("a|b")) == "parse('a|b')"


def test_reading_a_filter_needs_no_pandas() -> None:
    code = "import sys; from mcp_workbench.exploring.filters import parse; parse('tool:sum').for_calls(); print('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "False"


def test_a_filter_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"no key \"tol\", nearest is tool; there are method, tool, .*args, result"):
        parse("tol:sum")
