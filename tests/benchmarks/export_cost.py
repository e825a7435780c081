"""What telling OpenTelemetry of a call costs, beside the call's path: counting its duration, making and encoding its span."""

from __future__ import annotations

import gc
from time import perf_counter_ns

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mcp_workbench.exploring.exports.otlp_durations import Durations
from mcp_workbench.exploring.exports.otlp_export import SLICE
from mcp_workbench.exploring.exports.otlp_sending import resource_of
from mcp_workbench.exploring.exports.otlp_spans import Spans
from mcp_workbench.jsonrpc import encode_request
from tests.benchmarks.common import line, title
from tests.exploring.exports.collector import call, session

ROUNDS = 100
META = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


def main() -> None:
    title("telling OpenTelemetry of a call, µs a call")
    durations, spans = Durations(0), Spans(resource_of("bench", "1"), InstrumentationScope("bench"))
    ended = [call(request=encode_request(7, "tools/call", {"name": "forecast", "_meta": META})) for _ in range(SLICE)]
    speaker = session()
    samples: dict[str, list[float]] = {"its duration counted": [], "its span made": [], "its span encoded": []}
    collections = sum(each["collections"] for each in gc.get_stats())
    for _ in range(ROUNDS):
        begin = perf_counter_ns()
        for one in ended:
            durations.add(one, speaker)
        counted = perf_counter_ns()
        made = [span for one in ended if (span := spans.of(one, speaker)) is not None]
        told = perf_counter_ns()
        encode_spans(made).SerializeToString()
        encoded = perf_counter_ns()
        for taken, ns in zip(samples.values(), (counted - begin, told - counted, encoded - told), strict=True):
            taken.append(ns / SLICE / 1000)
    for name, taken in samples.items():
        line(name, taken, "µs")
    print(f"collections of garbage meanwhile: {sum(each['collections'] for each in gc.get_stats()) - collections}")


if __name__ == "__main__":
    main()
