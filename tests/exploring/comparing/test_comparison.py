from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import Volatile
from mcp_workbench.exploring.comparing.comparison import Comparison, compare
from tests.exploring.comparing.rig import HOSTILE, made, tool

NOTHING = Volatile()


def adding(*numbers: int, wrong: int | None = None) -> list[Call]:
    return [tool("add", {"sum": 0 if number == wrong else number}, a=number) for number in numbers]


def against(a: list[Call], b: list[Call], volatile: Volatile = NOTHING) -> Comparison:
    return compare(a, b, volatile)


def test_equal_runs_are_equal_whatever_their_order() -> None:
    comparison = against(adding(1, 2, 3), adding(3, 1, 2))
    assert (len(comparison), comparison.ok, len(comparison.differing)) == (3, True, 0)
    assert comparison.summary() == "3 requests, 0 answered differently"


def test_equal_requests_are_paired_in_their_order() -> None:
    a, b = [tool("next", n) for n in (1, 2, 3)], [tool("next", n) for n in (1, 2, 4)]
    comparison = against(a, b)
    assert [diff.ok for diff in comparison] == [True, True, False]
    assert comparison[2].a is a[2]
    assert comparison[2].b is b[2]


def test_what_only_one_side_asked_is_no_agreement() -> None:
    comparison = against(adding(1, 2), adding(2, 3, 4))
    assert comparison.summary() == "4 requests, 0 answered differently, 1 only in a, 2 only in b"
    assert not comparison.ok
    assert [diff.summary() for diff in comparison.differing] == ["only in a", "only in b", "only in b"]


def test_what_is_volatile_pairs_requests_too() -> None:
    a, b = [tool("at", {"n": 1}, now=1)], [tool("at", {"n": 1}, now=2)]
    assert not against(a, b).ok
    assert against(a, b, Volatile(["arguments.now"])).ok


def test_a_request_of_which_a_secret_was_withheld_is_paired_with_one_that_could_be_it() -> None:
    a = [tool("in", {"n": 1}, token="‹redacted:0123456789ab›", user="x")]
    comparison = against(a, [tool("in", {"n": 2}, token="t", user="y"), tool("in", {"n": 1}, token="t", user="x")])
    assert comparison[0].ok
    assert len(comparison) == 2


def test_the_conversation_is_not_compared() -> None:
    assert len(against([made("initialize", {}, {}), made("ping", {}, {})], [])) == 0


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_every_call_stands_in_one_pair(a: list[int], b: list[int]) -> None:
    first, second = adding(*a), adding(*b)
    comparison = against(first, second)
    assert sorted(id(diff.a) for diff in comparison if diff.a) == sorted(map(id, first))
    assert sorted(id(diff.b) for diff in comparison if diff.b) == sorted(map(id, second))
    both = [diff for diff in comparison if diff.a and diff.b]
    assert len(both) == sum(min(a.count(n), b.count(n)) for n in range(4))
    assert all(diff.ok for diff in both)


def test_as_a_dataframe_it_has_a_row_for_each_request() -> None:
    df = against(adding(1, 2, 9), adding(1, 2, wrong=2)).df()
    assert df["ok"].tolist() == [True, False, False]
    assert df["arguments"].tolist() == ['{"a":1}', '{"a":2}', '{"a":9}']
    assert df["first"].tolist()[1] == "$.structuredContent.sum"
    assert df["ms_a"].tolist() == [1.0, 1.0, 1.0]
    assert pd.isna(df["ms_b"][2])
    assert against([], []).df().empty


def test_latencies_are_those_of_requests_that_both_answered_well() -> None:
    fine, failed = {"structuredContent": 1}, {"content": [], "isError": True}
    a = [made("tools/call", {"name": "x", "arguments": {"n": n}}, fine, took_ns=1_000_000) for n in range(3)]
    b = [made("tools/call", {"name": "x", "arguments": {"n": n}}, failed if n == 2 else fine, took_ns=3_000_000) for n in range(3)]
    latencies = against(a, b).latencies
    both = latencies["tools/call x"]
    assert (both.a.count, both.b.count) == (2, 2)
    assert both.ratio is not None
    assert round(both.ratio, 1) == 3.0


def test_it_is_sliced_and_shows_itself_as_text() -> None:
    a, b = [tool(HOSTILE, HOSTILE, x=n) for n in range(30)], [tool(HOSTILE, "b", x=n) for n in range(30)]
    comparison = against(a, b)
    assert len(comparison[:5].differing) == 5
    html, words = comparison._repr_html_(), repr(comparison)
    assert "<img" not in html
    assert "\x1b" not in html + words
    assert "and 10 more: .differing has them all" in words
    assert "&lt;img" in html


def test_it_says_which_request_differs_and_withholds_what_is_secret() -> None:
    secret = "ghp_abcdefghijklmnopqrst12345678"
    uri = {"uri": f"db://host/x?password={secret}"}
    a = [*adding(1, 2), tool("in", {"n": 1}, api_key="an ordinary word"), made("resources/read", uri, {"contents": []})]
    b = [*adding(1, 2, wrong=2), tool("in", {"n": 2}, api_key="an ordinary word"), made("resources/read", uri, {"contents": [1]})]
    comparison = against(a, b)
    words, html = repr(comparison), comparison._repr_html_()
    assert "[1] tools/call add(a=2): $.structuredContent.sum: 2 → 0 (1.0 ms → 1.0 ms)" in words
    assert "add(a=1)" not in words, "it does not differ"
    assert ">a=2</span>" in html
    assert set(comparison.latencies) == {"tools/call add", "tools/call in", f"resources/read db://host/x?password={secret}"}
    for shown in (words, html, repr(comparison.latencies), comparison.latencies._repr_html_()):
        assert secret not in shown
        assert "an ordinary word" not in shown
    assert ">api_key=&#x27;‹redacted:" in html
    assert "in(api_key='‹redacted:" in words
