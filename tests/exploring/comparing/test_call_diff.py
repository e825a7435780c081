from __future__ import annotations

import pytest

from mcp_workbench.exploring.comparing.answers import Volatile
from mcp_workbench.exploring.comparing.call_diff import SHOWN, CallDiff
from tests.exploring.comparing.rig import HOSTILE, made, tool


def test_two_calls_differ_in_what_was_asked_and_in_what_was_answered() -> None:
    diff = CallDiff(tool("add", {"sum": 3}, a=1, b=2), tool("add", {"sum": 4}, a=2, b=2))
    assert [str(each) for each in diff.arguments] == ["$.arguments.a: 1 → 2"]
    assert [str(each) for each in diff.result] == ["$.structuredContent.sum: 3 → 4"]
    assert not diff.ok
    assert "tools/call add: 2 differences: $.arguments.a" in repr(diff), "what both asked with differs"
    assert "$.structuredContent.sum: 3 → 4" in repr(diff)


def test_a_call_is_the_same_as_itself() -> None:
    call = tool("add", {"sum": 3}, a=1)
    diff = CallDiff(call, call)
    assert diff.same
    assert diff.summary() == "no difference"
    assert "no difference" in diff._repr_html_()


def test_what_is_volatile_makes_no_difference() -> None:
    assert CallDiff(tool("now", {"t": 1}), tool("now", {"t": 2}), Volatile(["structuredContent.t"])).same


def test_a_result_and_an_error_differ() -> None:
    diff = CallDiff(tool("add", {"sum": 3}), made("tools/call", {"name": "add", "arguments": {}}, error=(-32602, "no")))
    assert [each.where for each in diff.result] == ["$.structuredContent", "$.error"]


def test_one_that_was_asked_on_one_side_only_says_so() -> None:
    diff = CallDiff(tool("add", {}), None, labels=("recorded", "now"))
    assert (diff.ok, diff.result, diff.summary()) == (False, (), "only in recorded")
    assert "now: not asked" in diff._repr_html_()
    with pytest.raises(ValueError, match="got none"):
        _ = CallDiff(None, None).either


def test_long_texts_are_shown_where_they_begin_to_differ() -> None:
    diff = CallDiff(tool("say", {"t": "x" * 5000 + "left"}), tool("say", {"t": "x" * 5000 + "right"}))
    assert 'xleft" → …' in repr(diff)
    assert "xright&quot;" in diff._repr_html_()


def test_many_differences_are_counted_and_all_there() -> None:
    diff = CallDiff(tool("rows", {"rows": list(range(100))}), tool("rows", {"rows": list(range(1, 101))}))
    assert len(diff.result) == 100
    assert f"and {100 - SHOWN} more in the result" in repr(diff)
    assert f"and {100 - SHOWN} more differences" in diff._repr_html_()


def test_what_others_said_is_text() -> None:
    diff = CallDiff(tool(HOSTILE, {HOSTILE: HOSTILE}, x=HOSTILE), tool(HOSTILE, {HOSTILE: "<script>"}, x="1"))
    html, words = diff._repr_html_(), repr(diff)
    assert "<img" not in html
    assert "<script" not in html
    assert "\x1b" not in html + words
    assert "\u202e" not in html + words
    assert "&lt;img" in html


def test_it_says_which_request_it_is_of() -> None:
    diff = CallDiff(tool("add", {"sum": 3}, a=1, region="EMEA"), tool("add", {"sum": 4}, a=1, region="EMEA"))
    assert repr(diff).startswith("tools/call add(a=1, region='EMEA'): 1 difference: $.structuredContent.sum")
    assert "tools/call add(a=1, region=&#x27;EMEA&#x27;)" in diff._repr_html_()


def test_what_is_secret_of_either_call_shows_itself_nowhere() -> None:
    secret = "ghp_abcdefghijklmnopqrst12345678"
    read = [made("resources/read", {"uri": f"db://host/x?password={secret}"}, {"contents": [{"text": n}]}) for n in "12"]
    key = [tool("in", {"n": n}, api_key="an ordinary word") for n in (1, 2)]
    for diff in (CallDiff(read[0], read[1]), CallDiff(read[0], None), CallDiff(key[0], key[1]), CallDiff(None, key[0])):
        for shown in (repr(diff), diff._repr_html_()):
            assert secret not in shown
            assert "an ordinary word" not in shown
            assert "‹redacted:" in shown
