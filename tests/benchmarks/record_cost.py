"""What writing a call down costs: on its path (make the record, fill it, append it) and beside it (adding up)."""

from __future__ import annotations

from time import perf_counter_ns

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Histogram, Outcome, Telemetry
from mcp_workbench.telemetry.telemetry import BATCH
from mcp_workbench.telemetry.texts import MAX_TEXT, Texts
from tests.benchmarks.common import line, title

ROUNDS = 200
CALLS = BATCH - 1
"""One less than what is added up at once, so that the two can be timed apart."""


REQUEST, ANSWER = b"q" * 120, b"a" * 90


def ended(number: int) -> CallRecord:
    call = CallRecord("c17", "s3", "default", Era.LEGACY, "tools/call", "add", number, 1_000_000, 1.7e9, 120)
    call.texts = texts = Texts(REQUEST[:MAX_TEXT], len(REQUEST))
    texts.answer, texts.answer_bytes = ANSWER[:MAX_TEXT], len(ANSWER)
    call.started_ns = 1_020_000
    call.returned_ns = 1_050_000 + number
    call.rendered_ns = 1_060_000 + number
    call.sent_ns = 1_090_000 + number
    call.bytes_out = 90
    call.outcome = Outcome.OK
    return call


def main() -> None:
    title("writing a call down, µs a call")
    telemetry, histogram = Telemetry(), Histogram()
    names = ("on the path: make, fill, append", "beside it: histograms, heat, sums", "one histogram", "one clock reading, for comparison")
    samples: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        begin = perf_counter_ns()
        for number in range(CALLS):
            telemetry.record(ended(number))
        appended = perf_counter_ns()
        telemetry.statistics()
        added_up = perf_counter_ns()
        for number in range(CALLS):
            histogram.record(30_000 + number)
        counted = perf_counter_ns()
        for _ in range(CALLS):
            perf_counter_ns()
        read = perf_counter_ns()
        elapsed = (appended - begin, added_up - appended, counted - added_up, read - counted)
        for taken, ns in zip(samples.values(), elapsed, strict=True):
            taken.append(ns / CALLS / 1000)
    for name, taken in samples.items():
        line(name, taken, "µs")


if __name__ == "__main__":
    main()
