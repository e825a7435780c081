"""A cheap look at a text, and what it must not be fooled by."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from mcp_workbench.relay.envelope import entries, is_utf8, look, member, usable_id, with_member

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
ids = st.text() | st.integers(-(2**60), 2**60)


@given(ids, st.text(), st.dictionaries(st.text(), values))
def test_id_and_method_are_found_wherever_they_stand_and_whatever_stands_beside_them(
    request_id: str | int, method: str, params: dict[str, Any]
) -> None:
    for message in ({"params": params, "id": request_id, "method": method}, {"method": method, "x": params, "id": request_id}):
        seen = look(json.dumps(message).encode())
        assert seen is not None
        assert (seen.id, seen.method, seen.error) == (request_id, method, UNSET)
        assert type(seen.id) is type(request_id)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"5", b'{"id":1.5}', b'{"id":true}', b'{"method":5}', b"\xff", b'{"id":1}{}', b'{"a":' + b"[" * 5000]
)
def test_what_is_no_message_is_none(text: bytes) -> None:
    assert look(text) is None


def test_members_inside_params_are_not_taken_for_those_of_the_message() -> None:
    seen = look(b'{"params":{"id":5,"method":"ping","error":{}}}')
    assert seen is not None
    assert (seen.id, seen.method, seen.error) == (None, None, UNSET)


def test_an_error_is_seen_in_a_response() -> None:
    seen = look(b'{"id":"a","error":{"code":1}}')
    assert seen is not None
    assert seen.error is not UNSET


def test_a_batch_is_taken_apart_byte_by_byte() -> None:
    assert entries(b'[ {"id":1 } , 5,[]]') == [b'{"id":1 }', b"5", b"[]"]
    assert entries(b"[]") == []
    assert [entries(text) for text in (b"{}", b"[", b"\xff", b"[" * 5000)] == [None] * 4


@given(st.dictionaries(st.text(), values), ids)
def test_a_member_is_replaced_and_nothing_else(message: dict[str, Any], value: str | int) -> None:
    assert json.loads(with_member(json.dumps(message).encode(), "id", value)) == message | {"id": value}


@pytest.mark.parametrize("text", [b"{}", b'{"params":5}', b'{"params":[1]}', b"[]", b"{", b'{"params":null}'])
def test_a_member_that_is_no_object_is_empty(text: bytes) -> None:
    assert member(text, "params") == {}


def test_ids_are_texts_and_whole_numbers() -> None:
    shown: list[Any] = ["7", 7, True, None, 1.5, []]
    assert [usable_id(value) for value in shown] == ["7", 7, None, None, None, None]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary())
def test_what_is_utf_8_is_told_from_what_is_not(text: str, data: bytes) -> None:
    assert is_utf8(text.encode())
    assert not is_utf8(text.encode() + b"\xff" + data)
    assert not is_utf8(b'{"id":1,"method":"x","params":{"unread":"\xed\xa0\x80"}}'), "a lone surrogate"
