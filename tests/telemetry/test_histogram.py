from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.telemetry.histogram import EXACT_BELOW_NS, Histogram, bucket_bounds_ns, bucket_index

durations = st.one_of(st.integers(1, 10**6), st.integers(1, EXACT_BELOW_NS))
many_durations = st.lists(durations, min_size=1, max_size=200)


def _largest_ns_up_to_bound(index: int) -> int:
    """The largest whole n with n ns <= 2**(index/32) s, that is n**32 <= 2**index * 10**288: integers only."""
    target = 10**288 << index if index >= 0 else 10**288 >> -index
    low, high = 0, 1 << 64
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**32 <= target else (low, middle - 1)
    return low


def _reference_index(ns: int) -> int:
    """OpenTelemetry's rule, ceil(log2(seconds) * 32) - 1, by bisecting over exact bounds."""
    low, high = -1000, 600
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if ns <= _largest_ns_up_to_bound(middle + 1) else (middle + 1, high)
    return low


def test_every_bound_up_to_48_minutes_lies_where_opentelemetry_puts_it() -> None:
    index = -957
    while (last_below := _largest_ns_up_to_bound(index)) < EXACT_BELOW_NS:
        if last_below >= 1:
            assert bucket_index(last_below) < index, last_below
            assert bucket_index(last_below + 1) >= index, last_below + 1
        index += 1
    assert index > 360


@given(durations)
def test_a_duration_falls_into_opentelemetrys_bucket(ns: int) -> None:
    assert bucket_index(ns) == _reference_index(ns)


def test_one_second_is_in_the_bucket_that_ends_there() -> None:
    assert bucket_index(10**9) == -1
    assert bucket_index(10**9 + 1) == 0
    assert bucket_bounds_ns(-1)[1] == 1e9


@given(many_durations, many_durations)
def test_merging_equals_one_histogram_of_all_samples(first: list[int], second: list[int]) -> None:
    merged = Histogram(first)
    merged.merge(Histogram(second))
    assert merged == Histogram(first + second)


@given(many_durations)
def test_merging_with_an_empty_one_changes_nothing(samples: list[int]) -> None:
    left, right = Histogram(samples), Histogram()
    left.merge(Histogram())
    right.merge(Histogram(samples))
    assert left == right == Histogram(samples)


@given(many_durations, st.floats(0, 0.99))
def test_a_quantile_is_within_bucket_error_of_the_exact_one(samples: list[int], q: float) -> None:
    exact = sorted(samples)[max(1, ceil(q * len(samples) - 1e-9)) - 1]
    answer = Histogram(samples).quantile(q)
    assert answer is not None
    # 1.09 % is half a bucket; a whole nanosecond of rounding on top for tiny durations.
    assert abs(answer - exact) <= 0.0109 * exact + 0.5


@given(many_durations)
def test_extremes_and_sum_are_exact(samples: list[int]) -> None:
    histogram = Histogram(samples)
    assert (histogram.count, histogram.sum_ns) == (len(samples), sum(samples))
    assert (histogram.min_ns, histogram.max_ns) == (min(samples), max(samples))
    assert (histogram.quantile(0), histogram.quantile(1)) == (min(samples), max(samples))


@given(many_durations)
def test_buckets_are_ascending_and_hold_every_sample(samples: list[int]) -> None:
    buckets = Histogram(samples).buckets
    assert list(buckets) == sorted({bucket_index(ns) for ns in samples})
    assert sum(buckets.values()) == len(samples)


def test_the_999th_permille_needs_a_thousand_samples() -> None:
    histogram = Histogram([1000] * 999)
    assert histogram.quantile(0.999) is None
    assert histogram.quantile(0.99) == 1000
    histogram.record(1000)
    assert histogram.quantile(0.999) == 1000
    assert histogram.quantile(0.9999) is None


def test_an_empty_histogram_has_no_quantile_and_no_extremes() -> None:
    empty = Histogram()
    assert empty.quantile(0.5) is None
    assert (empty.count, empty.sum_ns, empty.min_ns, empty.max_ns) == (0, 0, None, None)


@pytest.mark.parametrize("share", [-0.1, 1.01, 99])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"p99 is 0\.99"):
        Histogram([1]).quantile(share)


def test_equal_clock_readings_count_as_one_nanosecond() -> None:
    histogram = Histogram([0])
    assert (histogram.count, histogram.min_ns, histogram.quantile(0.5)) == (1, 1, 1)


def test_a_copy_does_not_follow_the_original() -> None:
    original = Histogram([10, 20])
    copy = original.copy()
    original.record(30)
    assert copy == Histogram([10, 20])
    assert copy != original


@given(st.lists(durations, max_size=200), st.lists(st.floats(0, 1), max_size=6))
def test_several_quantiles_are_what_each_is_by_itself(samples: list[int], shares: list[float]) -> None:
    histogram = Histogram(samples)
    assert histogram.quantiles(*shares) == [histogram.quantile(q) for q in shares]


@given(durations)
def test_recording_says_which_bucket_it_was(ns: int) -> None:
    assert Histogram().record(ns) == bucket_index(ns)


@given(many_durations, many_durations)
def test_what_came_since_a_copy_is_what_was_recorded_after_it(before: list[int], after: list[int]) -> None:
    histogram = Histogram(before)
    earlier = histogram.copy()
    assert histogram.since(earlier) == Histogram()
    for ns in after:
        histogram.record(ns)
    later = histogram.since(earlier)
    assert (later.buckets, later.sum_ns) == (Histogram(after).buckets, sum(after))
    assert later.min_ns is not None
    assert later.max_ns is not None
    assert bucket_index(later.min_ns) == bucket_index(min(after))
    assert bucket_index(later.max_ns) == bucket_index(max(after))
    assert later.min_ns <= later.max_ns
