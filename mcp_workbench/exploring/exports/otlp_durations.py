"""Durations of calls as OpenTelemetry's exponential histograms, bucket for bucket those of `telemetry.histogram`.

One histogram for each set of attributes, counted since the export began (cumulative), so that what one lost request would have
told stands in the next. Their number is bounded, as OpenTelemetry's own: what is over the bound is counted together, under
`otel.metric.overflow`. The conventions advise explicit bounds from 10 ms upwards; most calls of a notebook take less, and a
backend that wants those bounds makes them of these buckets.
"""

from __future__ import annotations

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Metric,
)
from opentelemetry.sdk.metrics.export import Buckets as Buckets

from mcp_workbench.exploring.exports.otlp_attributes import DESCRIPTIONS, Attributes, metric_attributes, metric_name
from mcp_workbench.telemetry.histogram import SCALE, Histogram
from mcp_workbench.telemetry.records import CallRecord, SessionRecord

MAX_SETS = 1000
"""Different sets of attributes told apart."""

_OVERFLOW: Attributes = {"otel.metric.overflow": "true"}
_Key = tuple[str, tuple[tuple[str, str | int | float], ...]]


class Durations:
    """The histograms of one export. One thread.

    Args:
        began_ns: When it began, in nanoseconds since 1970.
        max_sets: Sets of attributes told apart.
    """

    def __init__(self, began_ns: int, max_sets: int = MAX_SETS) -> None:
        self._began_ns, self._max_sets = began_ns, max_sets
        self._histograms: dict[_Key, Histogram] = {}

    def add(self, call: CallRecord, session: SessionRecord | None) -> None:
        """Count one call that ended; one that was never answered has no duration."""
        name, duration = metric_name(call), call.total_ns
        if name is None or duration is None:
            return
        key = name, tuple(metric_attributes(call, session).items())
        histogram = self._histograms.get(key)
        if histogram is None:
            if len(self._histograms) >= self._max_sets:
                key = name, tuple(_OVERFLOW.items())
            histogram = self._histograms.setdefault(key, Histogram())
        histogram.record(duration)

    def metrics(self, now_ns: int) -> list[Metric]:
        """All that was counted until now; empty before the first call.

        Args:
            now_ns: Nanoseconds since 1970.
        """
        points: dict[str, list[ExponentialHistogramDataPoint]] = {}
        for (name, attributes), histogram in self._histograms.items():
            points.setdefault(name, []).append(data_point(histogram, dict(attributes), self._began_ns, now_ns))
        return [_metric(name, of_name) for name, of_name in points.items()]


def data_point(histogram: Histogram, attributes: Attributes, began_ns: int, now_ns: int) -> ExponentialHistogramDataPoint:
    """A histogram in OpenTelemetry's words: seconds, and a dense row of counts from the lowest bucket in use to the highest.

    Args:
        histogram: What was counted between the two moments.
        attributes: What it is of.
        began_ns: Nanoseconds since 1970.
        now_ns: Nanoseconds since 1970.
    """
    return ExponentialHistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=began_ns,
        time_unix_nano=now_ns,
        count=histogram.count,
        sum=histogram.sum_ns / 1e9,
        scale=SCALE,
        zero_count=0,
        positive=buckets_of(histogram),
        negative=Buckets(offset=0, bucket_counts=[]),
        flags=0,
        min=(histogram.min_ns or 0) / 1e9,
        max=(histogram.max_ns or 0) / 1e9,
    )


def buckets_of(histogram: Histogram) -> Buckets:
    """Its counts, with the empty buckets between."""
    counts = histogram.buckets
    if not counts:
        return Buckets(offset=0, bucket_counts=[])
    lowest, highest = min(counts), max(counts)
    return Buckets(offset=lowest, bucket_counts=[counts.get(index, 0) for index in range(lowest, highest + 1)])


def _metric(name: str, points: list[ExponentialHistogramDataPoint]) -> Metric:
    data = ExponentialHistogram(data_points=points, aggregation_temporality=AggregationTemporality.CUMULATIVE)
    return Metric(name=name, description=DESCRIPTIONS[name], unit="s", data=data)
