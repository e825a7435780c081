from __future__ import annotations

from typing import Any

import pytest

from mcp_workbench.exploring.comparing.answers import AS_STRUCTURED, VOLATILE, Volatile, answer_of, answered, asks_server, params_of
from mcp_workbench.telemetry import Side
from tests.exploring.comparing.rig import made

NOTHING = Volatile()


def content(*texts: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text} for text in texts], **more}


def texts_of(result: Any) -> list[Any]:
    return [block["text"] for block in answered(result, NOTHING)["content"]]


def test_the_envelope_and_what_belongs_to_the_conversation_are_left_out() -> None:
    call = made(
        "tools/call",
        {"name": "add", "arguments": {"a": 1}, "_meta": {"progressToken": 1}},
        {"content": [{"type": "text", "text": "3", "_meta": {"n": 1}}], "isError": False, "resultType": "complete", "_meta": {"x": 1}},
    )
    assert params_of(call, NOTHING) == {"name": "add", "arguments": {"a": 1}}
    assert answer_of(call, NOTHING) == {"content": [{"type": "text", "text": "3"}]}


def test_arguments_that_are_left_out_are_none() -> None:
    assert params_of(made("tools/call", {"name": "add", "arguments": {}}, {}), NOTHING) == {"name": "add"}


def test_a_text_that_is_json_is_compared_as_what_it_says() -> None:
    assert texts_of(content('{"a": [1, 2]}', "[1]", "3", "no {json")) == [{"a": [1, 2]}, [1], "3", "no {json"]


@pytest.mark.parametrize(
    ("structured", "text"), [({"a": 1}, '{"a":1}'), ({"result": [1]}, "[1]"), ({"result": 3}, "3"), ({"result": "x"}, "x")]
)
def test_a_text_that_repeats_the_structured_content_says_nothing_more(structured: Any, text: str) -> None:
    assert texts_of(content(text, structuredContent=structured)) == [AS_STRUCTURED]


def test_a_text_that_says_something_else_than_the_structured_content_is_compared() -> None:
    assert texts_of(content('{"a":2}', structuredContent={"a": 1})) == [{"a": 2}]


def test_names_of_kept_results_are_all_the_same() -> None:
    first, second = (answered(content(f"3 rows · {name}\n", f"df://{name}"), NOTHING) for name in ("_r7", "_r12"))
    assert first == second
    assert texts_of(content("my_r7", "_r07")) == ["my_r7", "_r07"]


def test_versions_of_dataframes_that_were_read_are_all_the_same_and_nothing_else_is() -> None:
    assert texts_of(content("3", "Read: orders v2")) == ["3", "Read: orders vN"]
    assert texts_of(content("3", "Read: orders v12, _r7, größen v1")) == ["3", "Read: orders vN, _rN, größen vN"]
    for said in ("orders v2", "Read: orders v0", "Read: orders v2.", "Read: all of it, v2", "Read: orders v2\n", "Read: a b v2", ""):
        assert texts_of(content("3", said)) == ["3", said]
    assert texts_of(content("Read: orders v2")) == ["Read: orders v2"], "that is what it answered"
    assert texts_of(content("Read: orders v2", "3")) == ["Read: orders v2", "3"]


def test_lists_are_compared_by_name() -> None:
    assert answered({"tools": [{"name": "b", "x": 1}, {"name": "a"}]}, NOTHING) == {
        "tools": {"b": {"name": "b", "x": 1}, "a": {"name": "a"}}
    }
    twice = {"tools": [{"name": "b"}, {"name": "b"}]}
    assert answered(twice, NOTHING) == twice


def test_what_is_volatile_is_replaced_and_the_call_is_not_changed() -> None:
    volatile = Volatile(["arguments.now", "$.structuredContent.rows[*].id"])
    call = made("tools/call", {"name": "x", "arguments": {"now": 7}}, {"structuredContent": {"rows": [{"id": 1, "n": 2}, {"n": 3}]}})
    assert params_of(call, volatile)["arguments"] == {"now": VOLATILE}
    assert answer_of(call, volatile)["structuredContent"]["rows"] == [{"id": VOLATILE, "n": 2}, {"n": 3}]
    assert call.arguments == {"now": 7}
    with pytest.raises(ValueError, match="expected a name or a path"):
        Volatile(["a..b"])


def test_an_error_is_its_code_and_its_sentence() -> None:
    assert answer_of(made("tools/call", {"name": "x"}, error=(-32602, "no")), NOTHING) == {"error": {"code": -32602, "message": "no"}}


def test_an_unknown_resource_is_the_same_in_both_eras() -> None:
    legacy, modern = (answer_of(made("resources/read", {"uri": "no://such"}, error=(code, "no")), NOTHING) for code in (-32002, -32602))
    assert legacy == modern == {"error": {"code": -32602, "message": "no"}}


def test_a_call_without_an_answer_is_compared_by_its_outcome() -> None:
    call = made("tools/call", {"name": "x"}, {})
    call.record.answer = None
    assert answer_of(call, NOTHING) == {"outcome": "ok", "answer": "none"}


def test_only_what_a_server_offers_or_does_is_compared() -> None:
    assert asks_server(made("resources/read", {"uri": "a://b"}, {}, side=Side.CLIENT).record)
    assert not asks_server(made("initialize", {}, {}).record)
    assert not asks_server(made("ping", {}, {}).record)
    asked_of_client = made("tools/call", {"name": "x"}, {}, side=Side.CLIENT)
    asked_of_client.record.side = Side.SERVER
    assert not asks_server(asked_of_client.record)
