from __future__ import annotations

from datetime import UTC

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.filters import Filter, FilterError, parse
from mcp_workbench.exploring.filters.keys import KEYS
from mcp_workbench.exploring.frames import calls_frame, messages_frame
from mcp_workbench.telemetry import CallRecord, Message
from tests.exploring.filters.rig import CASES, call_of
from tests.exploring.strategies import NOW, calls, filters, messages


def client_of(session_id: str) -> str | None:
    return session_id if len(session_id) < 4 else None


def filter_of(text: str) -> Filter:
    return parse(text, clock=lambda: NOW, zone=UTC, client_of=client_of)


@given(st.lists(calls(), max_size=6), filters(list(KEYS)))
def test_a_mask_of_calls_says_what_the_predicate_says(records: list[CallRecord], text: str) -> None:
    wanted = filter_of(text)
    mask = wanted.mask(calls_frame(records, client_of=client_of))
    assert mask.tolist() == [wanted.matches_call(call) for call in records]


@given(st.lists(messages(), max_size=6), filters([name for name, key in KEYS.items() if key.messages is not None]))
def test_a_mask_of_messages_says_what_the_predicate_says(records: list[Message], text: str) -> None:
    wanted = filter_of(text)
    mask = wanted.mask(messages_frame(records, client_of=client_of))
    matches = wanted.for_messages()
    assert mask.tolist() == [matches(message) for message in records]


@given(calls(), filters(list(KEYS)), filters(list(KEYS)))
def test_what_joins_terms_means_what_logic_means(call: CallRecord, one: str, other: str) -> None:
    fits_one, fits_other = (filter_of(text).matches_call(call) for text in (one, other))
    assert filter_of(f"({one}) ({other})").matches_call(call) is (fits_one and fits_other)
    assert filter_of(f"({one}) | ({other})").matches_call(call) is (fits_one or fits_other)
    assert filter_of(f"-({one})").matches_call(call) is not fits_one


@given(calls(), filters(list(KEYS)))
def test_the_canonical_text_means_the_same_and_is_its_own(call: CallRecord, text: str) -> None:
    wanted = filter_of(text)
    again = filter_of(str(wanted))
    assert str(again) == str(wanted)
    assert again.matches_call(call) is wanted.matches_call(call)


def test_a_mask_keeps_the_index_of_rows_that_were_chosen_and_moved() -> None:
    frame = calls_frame(call_of(row) for row in CASES["calls"])
    some = frame.sort_values("bytes_out").query("bytes_in >= 100").assign(mine=1)
    mask = parse("tool:sum").mask(some)
    assert mask.dtype == bool
    assert mask.index.equals(some.index)
    assert sorted(some[mask].index) == sorted(set(frame.index[frame.tool == "sum"]) & set(some.index))


def test_a_mask_of_rows_that_were_stored_and_read_again_is_the_same() -> None:
    frame = calls_frame(call_of(row) for row in CASES["calls"])
    frame["at"] = frame["at"].astype("datetime64[ns, UTC]").dt.tz_convert("Asia/Tokyo")
    frame["method"], frame["code"] = frame["method"].astype("category"), frame["code"].astype("float64")
    for text, fits in (("at:2026-05-10T23:55Z", [4]), ("method:resources/*", [3]), ("code:-32602", [2])):
        assert frame.index[parse(text).mask(frame)].tolist() == fits


def test_a_dataframe_without_the_column_is_refused() -> None:
    frame = calls_frame([]).drop(columns="request")
    with pytest.raises(FilterError, match="of calls with the column request"):
        parse("text:foo").mask(frame)
    with pytest.raises(FilterError, match="a column total_ms"):
        parse("tool:sum").mask(pd.DataFrame({"tool": ["sum"]}))
