from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.latencies import Both, Latencies
from tests.exploring.comparing.rig import HOSTILE, made

durations = st.lists(st.integers(1, 10**11), max_size=30)


def took(ns: int, name: str = "x") -> Call:
    return made("tools/call", {"name": name}, {}, took_ns=ns)


@given(durations, durations)
def test_both_are_binned_on_one_axis_and_nobody_is_lost(a: list[int], b: list[int]) -> None:
    both = Both()
    for ns in a:
        both.a.record(ns)
    for ns in b:
        both.b.record(ns)
    bins = both.bins()
    assert (sum(one for one, _ in bins), sum(other for _, other in bins)) == (len(a), len(b))
    assert len(bins) <= 48
    if bins:
        assert any(bins[0])
        assert any(bins[-1])


def test_they_lie_over_each_other_by_what_was_asked() -> None:
    latencies = Latencies([(took(1_000_000), took(2_000_000)), (took(5_000, "y"), took(5_000, "y")), (took(1), None)], ("then", "now"))
    assert list(latencies) == ["tools/call x", "tools/call y"]
    df = latencies.df()
    assert df[["n", "p50_ms_a", "p50_ms_b", "ratio"]].to_dict("index")["tools/call x"] == {
        "n": 1,
        "p50_ms_a": 1.0,
        "p50_ms_b": 2.0,
        "ratio": 2.0,
    }
    assert latencies.buckets()["n"].sum() == 4
    assert "then" in repr(latencies)
    assert "1.0 ms → 2.0 ms (×2.00)" in repr(latencies)
    assert latencies._repr_html_().count("position:absolute") == 4  # a bar for each that has any


def test_without_calls_there_is_nothing_to_draw() -> None:
    latencies = Latencies([], ("a", "b"))
    assert (len(latencies), latencies.df().empty) == (0, True)
    assert "no request was answered well on both sides" in latencies._repr_html_()


def test_what_others_said_is_text() -> None:
    latencies = Latencies([(took(5, HOSTILE), took(5, HOSTILE))], (HOSTILE, "b"))
    assert "<img" not in latencies._repr_html_()
    assert "\x1b" not in repr(latencies) + latencies._repr_html_()
