from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ExponentialHistogram, ExponentialHistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from mcp_workbench.exploring.exports.otlp_attributes import CLIENT_DURATION, SERVER_DURATION
from mcp_workbench.exploring.exports.otlp_durations import Durations, buckets_of, data_point
from mcp_workbench.telemetry.histogram import EXACT_BELOW_NS, SCALE, Histogram, bucket_bounds_ns
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import JOB, Outcome, Side
from tests.exploring.exports.collector import call, session

durations = st.one_of(st.integers(1, 10**6), st.integers(1, EXACT_BELOW_NS))
many_durations = st.lists(durations, min_size=1, max_size=60)


def opentelemetrys(*batches: Iterable[int]) -> ExponentialHistogramDataPoint:
    """What the SDK makes of the same durations: recorded in seconds, at our scale, with room for every bucket there is."""
    reader = InMemoryMetricReader()
    view = View(instrument_name="d", aggregation=ExponentialBucketHistogramAggregation(max_size=2000, max_scale=SCALE))
    provider = MeterProvider([reader], views=[view], shutdown_on_exit=False)
    histogram = provider.get_meter("test").create_histogram("d", unit="s")
    for batch in batches:
        for ns in batch:
            histogram.record(ns / 1e9)
        data = reader.get_metrics_data()  # cumulative: the last one has all
    provider.shutdown()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert isinstance(metric.data, ExponentialHistogram)
    (point,) = metric.data.data_points
    return point


def counts(point: ExponentialHistogramDataPoint) -> dict[int, int]:
    return {point.positive.offset + at: count for at, count in enumerate(point.positive.bucket_counts) if count}


def ours(samples: Iterable[int]) -> ExponentialHistogramDataPoint:
    return data_point(Histogram(samples), {}, 0, 1)


@settings(max_examples=60)
@given(many_durations)
def test_the_sdk_counts_the_same_durations_in_the_same_buckets(samples: list[int]) -> None:
    point, theirs = ours(samples), opentelemetrys(samples)
    assert (point.scale, point.count, point.zero_count) == (theirs.scale, theirs.count, theirs.zero_count)
    assert counts(point) == counts(theirs)
    assert (point.min, point.max) == (theirs.min, theirs.max)
    assert point.sum == pytest.approx(theirs.sum, rel=1e-12)


def test_no_bucket_between_a_microsecond_and_48_minutes_differs_from_the_sdks() -> None:
    inside = [round(sum(bucket_bounds_ns(index)) / 2) for index in range(-638, 365)]
    assert counts(ours(inside)) == counts(opentelemetrys(inside)) == dict.fromkeys(range(-638, 365), 1)


def test_powers_of_two_of_a_second_are_in_the_bucket_that_ends_there_here_and_there() -> None:
    whole = [2**power * 10**9 for power in range(12)]
    assert counts(ours(whole)) == counts(opentelemetrys(whole)) == {32 * power - 1: 1 for power in range(12)}


@settings(max_examples=20)
@given(many_durations, many_durations)
def test_a_merged_histogram_is_what_the_sdk_counts_of_both(first: list[int], second: list[int]) -> None:
    merged = Histogram(first)
    merged.merge(Histogram(second))
    point, theirs = data_point(merged, {}, 0, 1), opentelemetrys(first, second)
    assert (counts(point), point.count, point.min, point.max) == (counts(theirs), theirs.count, theirs.min, theirs.max)
    assert point.sum == pytest.approx(theirs.sum, rel=1e-12)


@given(many_durations)
def test_nothing_is_lost_on_the_way(samples: list[int]) -> None:
    histogram = Histogram(samples)
    point = data_point(histogram, {}, 0, 1)
    assert counts(point) == histogram.buckets
    assert [round(seconds * 1e9) for seconds in (point.min, point.max)] == [min(samples), max(samples)]
    row = point.positive.bucket_counts
    assert 0 not in (row[0], row[-1])
    assert sum(row) == len(samples)


def test_a_histogram_without_durations_has_no_buckets() -> None:
    assert buckets_of(Histogram()).bucket_counts == []


def test_each_set_of_attributes_has_a_histogram_of_its_own() -> None:
    kept = Durations(began_ns=5)
    kept.add(call(total_ns=10), session())
    kept.add(call(total_ns=30), session())
    kept.add(call(outcome=Outcome.TOOL_ERROR), session())
    kept.add(call(side=Side.CLIENT, direction=Direction.OUT), session())
    by_name = {metric.name: metric for metric in kept.metrics(now_ns=9)}
    assert set(by_name) == {SERVER_DURATION, CLIENT_DURATION}
    assert {metric.unit for metric in by_name.values()} == {"s"}
    of_server = by_name[SERVER_DURATION].data
    assert isinstance(of_server, ExponentialHistogram)
    well, failed = of_server.data_points
    assert (well.count, well.sum, well.start_time_unix_nano, well.time_unix_nano) == (2, 40e-9, 5, 9)
    assert isinstance(failed, ExponentialHistogramDataPoint)
    assert dict(failed.attributes or {})["error.type"] == "tool_error"


def test_jobs_and_calls_without_an_answer_have_no_duration() -> None:
    kept = Durations(0)
    kept.add(call(JOB), session())
    kept.add(call(outcome=Outcome.DROPPED, total_ns=None), session())
    assert kept.metrics(1) == []


def test_what_is_over_the_bound_is_counted_together() -> None:
    kept = Durations(0, max_sets=3)
    for number in range(10):
        kept.add(call(target=f"tool{number}"), session())
    (metric,) = kept.metrics(1)
    assert isinstance(metric.data, ExponentialHistogram)
    *named, others = metric.data.data_points
    assert [dict(point.attributes or {})["gen_ai.tool.name"] for point in named] == ["tool0", "tool1", "tool2"]
    assert (dict(others.attributes or {}), others.count) == ({"otel.metric.overflow": "true"}, 7)
