"""Texts <-> messages, case by case: each row is a text somebody will send one day."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.jsonrpc import (
    Batch,
    ErrorCode,
    ErrorResponse,
    Malformed,
    Notification,
    Request,
    ResultResponse,
    decode,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)
from mcp_workbench.jsonrpc.codec import MAX_DEPTH, MAX_ID, _explain

PARSE, INVALID = ErrorCode.PARSE_ERROR, ErrorCode.INVALID_REQUEST


def text(members: str) -> bytes:
    return b'{"jsonrpc":"2.0",%b}' % members.encode()


def refused(raw: bytes) -> tuple[int, Any, bool]:
    """Code, id and answerability of a text that must be no message."""
    got = decode(raw)
    assert isinstance(got, Malformed), got
    return got.code, got.id, got.answerable


# --- ids ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["0", "-1", "7", '"7"', '""', '"\\u0000"', '"\\u20ac"', "9007199254740993", "-9223372036854775809", "9" * 4300]
)
def test_an_id_comes_back_with_its_exact_type_and_value(written: str) -> None:
    request = decode(text(f'"id":{written},"method":"ping"'))
    assert isinstance(request, Request)
    assert json.loads(encode_result(request.id, b"{}"))["id"] == json.loads(written)
    echoed = json.loads(encode_error(request.id, -32600, "no"))["id"]
    assert (type(echoed), echoed) == (type(json.loads(written)), json.loads(written))


@pytest.mark.parametrize("written", ["null", "1.0", "1e2", "-0.0", "1.5", "true", "false", "[]", "[1]", "{}"])
def test_a_request_with_an_id_of_another_type_is_answered_without_one(written: str) -> None:
    assert refused(text(f'"id":{written},"method":"ping"')) == (INVALID, None, True)


def test_an_absent_id_makes_a_notification() -> None:
    assert decode(text('"method":"notifications/initialized"')) == Notification("notifications/initialized")


def test_an_integer_too_long_for_the_interpreter_is_a_parse_error() -> None:
    assert refused(text(f'"id":{"9" * 5000},"method":"ping"')) == (PARSE, None, True)
    assert refused(text(f'"id":1,"method":"ping","params":{{"n":{"9" * 5000}}}')) == (PARSE, None, True)


def test_big_integers_in_params_are_kept() -> None:
    request = decode(text(f'"id":1,"method":"m","params":{{"n":{2**80}}}'))
    assert request == Request(1, "m", {"n": 2**80})


# --- what is no JSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "+1", ".5", "1.", "'a'", "undefined", "tru", '"a\nb"', '"\\q"', '"\\x41"'],
)
@pytest.mark.parametrize("place", ['"params":{"a":%s}', '"x":%s', '"x":{"y":[%s]}'])
def test_a_value_that_is_no_json_is_a_parse_error_wherever_it_stands(value: str, place: str) -> None:
    assert refused(text('"id":1,"method":"m",' + place % value)) == (PARSE, None, True)


@pytest.mark.parametrize("value", ['"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\udc00\\ud800"', '"\\ud83dx"', '"\\ud83d and more"'])
@pytest.mark.parametrize("place", ['"params":{"a":%s}', '"params":{%s:1}', '"x":%s', '"x":[%s]', "%s:1"])
def test_a_lone_surrogate_is_a_parse_error_wherever_it_stands(value: str, place: str) -> None:
    assert refused(text('"id":1,"method":"m",' + place % value)) == (PARSE, None, True)


def test_a_surrogate_pair_is_one_character() -> None:
    assert decode(text('"id":1,"method":"m","params":{"a":"\\ud83d\\ude00"}')) == Request(1, "m", {"a": "\N{GRINNING FACE}"})


@pytest.mark.parametrize("junk", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82", b"\x80"])
@pytest.mark.parametrize(
    "place",
    [
        b'"id":"%b","method":"m"',
        b'"id":1,"method":"%b"',
        b'"id":1,"method":"m","params":{"a":"%b"}',
        b'"id":1,"method":"m","params":{"%b":1}',
        b'"id":1,"method":"m","x":"%b"',
        b'"id":1,"method":"m","%b":1',
        b'"id":1,"method":"m","x":{"%b":[1]}',
        b'"id":1,"method":"m"}%b',
        b'"id":1,"method":"m" %b',
    ],
)
def test_bytes_that_are_not_utf_8_are_a_parse_error_wherever_they_stand(junk: bytes, place: bytes) -> None:
    assert refused(b'{"jsonrpc":"2.0",' + place % junk + b"}") == (PARSE, None, True)


@pytest.mark.parametrize(
    "raw", [b"", b" ", b"\n", b"{", b"[", b'"', b"\x00", b"{]", b'{"a"}', b'{"a":1,}', b"[1,]", b"//", b"nul", b"\xff\xfe{\x00}\x00"]
)
def test_broken_json_is_a_parse_error(raw: bytes) -> None:
    assert refused(raw) == (PARSE, None, True)


def test_a_byte_order_mark_is_a_parse_error() -> None:
    assert refused(b"\xef\xbb\xbf" + text('"id":1,"method":"ping"')) == (PARSE, None, True)


@pytest.mark.parametrize("tail", [b"x", b"{}", b",", b"\x00", b' {"jsonrpc":"2.0","id":2,"method":"ping"}', b"]"])
def test_trailing_text_is_a_parse_error(tail: bytes) -> None:
    assert refused(text('"id":1,"method":"ping"') + tail) == (PARSE, None, True)


def test_white_space_around_a_text_is_allowed() -> None:
    assert decode(b" \t\r\n" + text('"id":1,"method":"ping"') + b"\r\n ") == Request(1, "ping")


def test_a_refusal_never_quotes_the_text() -> None:
    for raw in (
        b'{"secret":}',
        b"secret",
        b'"secret',
        text('"id":1,"method":{"secret":1}'),
        text('"id":["secret"],"method":"m"'),
        b'"secret"',
    ):
        got = decode(raw)
        assert isinstance(got, Malformed)
        assert "secret" not in got.reason


# --- depth -----------------------------------------------------------------------------------------------


def nested(levels: int, leaf: str = "", kind: str = "[]") -> str:
    opening, closing = ("[", "]") if kind == "[]" else ('{"a":', "}")
    inner = leaf if leaf or kind == "[]" else "1"
    return opening * levels + inner + closing * levels


@pytest.mark.parametrize("kind", ["[]", "{}"])
@pytest.mark.parametrize("leaf", ["", "1", '"]]]]{{{{"'])
@pytest.mark.parametrize("member", ["params", "x"])
def test_depth_counts_the_arrays_and_objects_inside_one_another(kind: str, leaf: str, member: str) -> None:
    # The envelope is one level, the member's own object the second.
    inside = MAX_DEPTH - 2
    request = decode(text(f'"id":7,"method":"m","{member}":{{"d":{nested(inside, leaf, kind)}}}'))
    assert isinstance(request, Request)
    assert refused(text(f'"id":7,"method":"m","{member}":{{"d":{nested(inside + 1, leaf, kind)}}}')) == (INVALID, 7, True)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    flat = "[" + ",".join(["[]"] * 10_000) + "]"
    assert isinstance(decode(text(f'"id":1,"method":"m","params":{{"a":{flat}}}')), Request)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        text(f'"id":1,"method":"m","params":{{"a":{nested(100_000)}}}'),
        text(f'"id":1,"method":"m","x":{nested(100_000)}'),
        text(f'"method":"m","x":{nested(100_000, kind="{}")}'),
    ],
)
def test_a_hundred_thousand_brackets_are_refused_without_an_id(raw: bytes) -> None:
    assert refused(raw) == (INVALID, None, True)


def test_a_deep_notification_or_response_is_not_answered() -> None:
    deep = nested(MAX_DEPTH + 50)
    assert refused(text(f'"method":"m","params":{{"a":{deep}}}')) == (INVALID, None, False)
    assert refused(text(f'"id":3,"result":{{"a":{deep}}}')) == (INVALID, 3, False)
    assert refused(text(f'"id":3,"error":{{"code":1,"message":"m","data":{deep}}}')) == (INVALID, 3, False)


# --- keys ------------------------------------------------------------------------------------------------


def test_of_duplicate_keys_the_last_one_counts() -> None:
    assert decode(text('"id":1,"id":2,"method":"a","method":"b","params":{"x":1},"params":{"y":1,"y":2}')) == Request(2, "b", {"y": 2})
    assert decode(text('"id":null,"id":2,"method":"m"')) == Request(2, "m")
    assert refused(text('"id":2,"id":null,"method":"m"')) == (INVALID, None, True)


def test_unknown_members_are_ignored() -> None:
    assert decode(text('"id":1,"method":"m","x":{"y":[1,2.5,null,true]},"z":"\\u00e9"')) == Request(1, "m")
    assert decode(text('"id":1,"result":{},"x":1')) == ResultResponse(1, {})


@pytest.mark.parametrize("members", ['"Method":"m","id":1', '"METHOD":"m","id":1', '"ID":1,"result":{}'])
def test_member_names_are_case_sensitive(members: str) -> None:
    assert isinstance(decode(text(members)), Malformed)


# --- requests and notifications ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ['"1.0"', '"2"', "2.0", "2", "null", "[]"])
def test_jsonrpc_must_be_the_text_2_0(version: str) -> None:
    assert refused(f'{{"jsonrpc":{version},"id":"a","method":"ping"}}'.encode()) == (INVALID, "a", True)
    assert refused(f'{{"jsonrpc":{version},"method":"ping"}}'.encode()) == (INVALID, None, False)
    assert refused(f'{{"jsonrpc":{version},"id":1,"result":{{}}}}'.encode()) == (INVALID, 1, False)


def test_a_missing_jsonrpc_is_refused_like_a_wrong_one() -> None:
    assert refused(b'{"id":1,"method":"ping"}') == (INVALID, 1, True)
    assert refused(b'{"method":"ping"}') == (INVALID, None, False)


@pytest.mark.parametrize("params", ["null", "[]", "[1]", '"a"', "1", "true"])
def test_params_must_be_an_object(params: str) -> None:
    assert refused(text(f'"id":1,"method":"m","params":{params}')) == (INVALID, 1, True)
    assert refused(text(f'"method":"m","params":{params}')) == (INVALID, None, False)


@pytest.mark.parametrize("method", ["null", "1", "[]", "{}", "true"])
def test_a_method_must_be_a_string(method: str) -> None:
    assert refused(text(f'"id":1,"method":{method}')) == (INVALID, 1, True)
    assert refused(text(f'"method":{method}')) == (INVALID, None, False)


@pytest.mark.parametrize("raw", [b"null", b"true", b"0", b"-1.5", b'"ping"', b"{}", b'{"jsonrpc":"2.0"}', b'{"params":{}}'])
def test_what_is_neither_request_notification_nor_response_is_answered_without_an_id(raw: bytes) -> None:
    assert refused(raw) == (INVALID, None, True)


@pytest.mark.parametrize("members", ['"method":"m"', '"method":"m","unknown":1', '"result":{}', '"error":{"code":1,"message":"m"}'])
def test_an_id_of_more_than_1024_characters_is_refused_without_being_said_again(members: str) -> None:
    assert not isinstance(decode(text(f'"id":"{"x" * MAX_ID}",{members}')), Malformed)
    long = text(f'"id":"{"x" * (MAX_ID + 1)}",{members}')
    assert refused(long) == (INVALID, None, "method" in members)
    malformed = decode(long)
    assert isinstance(malformed, Malformed)
    assert malformed.reason == "Invalid request: an id has at most 1,024 characters, this one has 1,025"


def test_an_object_with_only_an_id_is_answered_to_that_id() -> None:
    assert refused(text('"id":9')) == (INVALID, 9, True)


@pytest.mark.parametrize("answer", ['"result":{}', '"result":null', '"error":{"code":1,"message":"m"}', '"error":null'])
def test_a_method_together_with_an_answer_is_not_answered(answer: str) -> None:
    # It could be a response: an error to its id might hit a request of the other side that has the same id.
    assert refused(text(f'"id":1,"method":"m",{answer}')) == (INVALID, 1, False)
    assert refused(text(f'"method":"m",{answer}')) == (INVALID, None, False)


# --- responses -------------------------------------------------------------------------------------------


def test_a_result_and_an_error_are_told_apart() -> None:
    assert decode(text('"id":1,"result":{"a":null}')) == ResultResponse(1, {"a": None})
    assert decode(text('"id":"1","error":{"code":-1,"message":"m","data":[1]}')) == ErrorResponse("1", -1, "m", [1])
    assert decode(text('"id":null,"error":{"code":-32700,"message":"m"}')) == ErrorResponse(None, -32700, "m")
    assert decode(text('"error":{"code":-32700,"message":"m"}')) == ErrorResponse(None, -32700, "m")


@pytest.mark.parametrize(
    "members",
    [
        '"id":1,"result":{},"error":{"code":1,"message":"m"}',
        '"id":1,"result":null',
        '"id":1,"result":[]',
        '"id":1,"result":"ok"',
        '"result":{}',
        '"id":null,"result":{}',
        '"id":1.0,"result":{}',
        '"id":1,"error":null',
        '"id":1,"error":"text"',
        '"id":1,"error":{}',
        '"id":1,"error":{"code":"1","message":"m"}',
        '"id":1,"error":{"code":1.0,"message":"m"}',
        '"id":1,"error":{"code":true,"message":"m"}',
        '"id":1,"error":{"code":1}',
        '"id":1,"error":{"code":1,"message":null}',
        '"id":1.5,"error":{"code":1,"message":"m"}',
        '"id":[],"error":{"code":1,"message":"m"}',
    ],
)
def test_a_broken_response_is_never_answered(members: str) -> None:
    code, _, answerable = refused(text(members))
    assert (code, answerable) == (INVALID, False)


# --- batches ---------------------------------------------------------------------------------------------


def test_an_empty_array_is_an_invalid_request() -> None:
    assert refused(b"[]") == (INVALID, None, True)


def test_each_entry_of_a_batch_is_judged_alone() -> None:
    raw = (
        b'[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","id":2,"result":{}},'
        b'1,[],{},{"jsonrpc":"2.0","id":3},{"jsonrpc":"2.0","method":1}]'
    )
    batch = decode(raw)
    assert isinstance(batch, Batch)
    request, notification, response, *broken = batch.entries
    assert (request, notification, response) == (Request(1, "a"), Notification("b"), ResultResponse(2, {}))
    assert [(entry.id, entry.answerable) for entry in broken if isinstance(entry, Malformed)] == [
        (None, True),
        (None, True),
        (None, True),
        (3, True),
        (None, False),
    ]


def test_a_parse_error_in_one_entry_spoils_the_whole_array() -> None:
    assert refused(b'[{"jsonrpc":"2.0","id":1,"method":"a"},{"a":NaN}]') == (PARSE, None, True)


def test_the_array_itself_counts_as_a_level() -> None:
    entry = '{"jsonrpc":"2.0","id":1,"method":"m","params":%s}'
    assert isinstance(decode(f"[{entry % nested(MAX_DEPTH - 2, kind='{}')}]".encode()), Batch)
    assert refused(f"[{entry % nested(MAX_DEPTH - 1, kind='{}')}]".encode()) == (INVALID, None, True)


# --- properties ------------------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(words, json_values, max_size=4)
ids = st.integers() | words
members = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", "1.0", 2, None]),
        "id": ids | json_values,
        "method": words | json_values,
        "params": objects | json_values,
        "result": objects | json_values,
        "error": st.fixed_dictionaries({"code": st.integers(), "message": words}) | json_values,
        "other": json_values,
    },
)


def assert_well_judged(raw: bytes) -> None:
    got = decode(raw)
    for entry in got.entries if isinstance(got, Batch) else [got]:
        if isinstance(entry, Malformed):
            assert entry.code in (PARSE, INVALID)
            assert entry.reason.startswith(("Parse error: ", "Invalid request: "))
            assert json.loads(encode_error(entry.id, entry.code, entry.reason))["error"]["code"] == entry.code


@given(st.binary(max_size=200))
def test_decoding_arbitrary_bytes_never_raises(raw: bytes) -> None:
    assert_well_judged(raw)


@given(st.text(string.printable + "\u00e9\ud800", max_size=100))
def test_decoding_arbitrary_characters_never_raises(characters: str) -> None:
    assert_well_judged(characters.encode("utf-8", "surrogatepass"))


@given(json_values | members | st.lists(members | json_values, max_size=5))
def test_decoding_arbitrary_json_never_raises_and_never_finds_a_parse_error(value: Any) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode()
    assert_well_judged(raw)
    got = decode(raw)
    assert not (isinstance(got, Malformed) and got.code == PARSE)
    assert isinstance(got, Batch) == (isinstance(value, list) and bool(value))


@given(members, st.sampled_from(["", " ", '"other": 1, ']))
def test_the_short_way_says_what_the_exact_way_says(value: dict[str, Any], further: str) -> None:
    raw = json.dumps(value | {"jsonrpc": "2.0"}).replace("{", "{" + further, 1).encode()
    assert decode(raw) == _explain(raw)


@given(members)
def test_only_what_may_be_a_request_is_answered(value: dict[str, Any]) -> None:
    got = decode(json.dumps(value).encode())
    if not isinstance(got, Malformed):
        return
    if "result" in value or "error" in value:
        assert not got.answerable
    else:
        assert got.answerable == ("id" in value or "method" not in value)
    if got.id is not None:
        assert (type(got.id), got.id) == (type(value["id"]), value["id"])


@given(ids, words, st.none() | objects)
def test_a_request_survives_the_round_trip(request_id: str | int, method: str, params: dict[str, Any] | None) -> None:
    got = decode(encode_request(request_id, method, params))
    assert got == Request(request_id, method, params)
    assert isinstance(got, Request)
    assert type(got.id) is type(request_id)


@given(words, st.none() | objects)
def test_a_notification_survives_the_round_trip(method: str, params: dict[str, Any] | None) -> None:
    assert decode(encode_notification(method, params)) == Notification(method, params)


@given(ids, objects)
def test_a_result_survives_the_round_trip(request_id: str | int, result: dict[str, Any]) -> None:
    assert decode(encode_result(request_id, json.dumps(result).encode())) == ResultResponse(request_id, result)


@given(st.none() | ids, st.integers(), words, json_values)
def test_an_error_survives_the_round_trip(request_id: str | int | None, code: int, message: str, data: Any) -> None:
    assert decode(encode_error(request_id, code, message, data)) == ErrorResponse(request_id, code, message, data)


def test_absent_params_and_data_are_left_out_and_never_null() -> None:
    assert encode_request(1, "ping") == b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert encode_notification("n") == b'{"jsonrpc":"2.0","method":"n"}'
    assert encode_error(None, ErrorCode.PARSE_ERROR, "m") == b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}'
