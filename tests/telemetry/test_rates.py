from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.telemetry.rates import WINDOW_S, Rate

T0 = 1_700_000_000


@given(st.integers(1, 30), st.floats(0, 0.99))
def test_a_steady_rate_reads_as_it_is_whenever_one_looks(each_second: int, into_s: float) -> None:
    rate = Rate()
    for second in range(30):
        for number in range(each_second):
            rate.add(T0 + second + number / each_second)
    seen = rate.per_s(T0 + 30 + into_s)
    # Of the second at hand nothing has come yet: the ten seconds before it are full.
    assert abs(seen - each_second * (WINDOW_S - into_s) / WINDOW_S) < 0.01


def test_ten_seconds_after_the_last_one_the_rate_is_nothing_again() -> None:
    rate = Rate()
    for _ in range(20):
        rate.add(T0 + 0.5)
    assert rate.per_s(T0 + 0.6) == 2
    assert rate.per_s(T0 + 9.9) == 2
    assert 0 < rate.per_s(T0 + 10.5) < 2
    assert rate.per_s(T0 + 11) == 0


def test_memory_is_bounded_and_a_clock_that_is_set_back_does_no_harm() -> None:
    rate = Rate()
    for second in range(100):
        rate.add(T0 + second)
    rate.add(T0 - 3600)
    assert len(rate._counts) == WINDOW_S + 1
    assert rate.per_s(T0 - 3600) == 0.1
