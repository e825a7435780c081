"""What writing a call down costs: on its path (make the record, fill it, append it) and beside it (adding up)."""

from __future__ import annotations

from time import perf_counter_ns

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Direction, Histogram, Message, Messages, Outcome, Telemetry
from mcp_workbench.telemetry.telemetry import BATCH
from tests.benchmarks.common import line, title

ROUNDS = 200
CALLS = BATCH - 1
"""One less than what is added up at once, so that the two can be timed apart."""


REQUEST, ANSWER = b"q" * 120, b"a" * 90


def ended(number: int, messages: Messages) -> CallRecord:
    request = Message("s3", Direction.IN, 1_000_000, 1.7e9, len(REQUEST), REQUEST)
    messages.add(request)
    call = CallRecord("c17", "s3", "default", Era.LEGACY, "tools/call", "add", number, 1_000_000, 1.7e9, 120)
    call.request = request
    call.started_ns = 1_020_000
    call.returned_ns = 1_050_000 + number
    call.rendered_ns = 1_060_000 + number
    call.sent_ns = 1_090_000 + number
    call.answer = answer = Message("s3", Direction.OUT, 0, 0.0, len(ANSWER), ANSWER)
    answer.at_ns, answer.at = 1_090_000, 1.7e9
    messages.add(answer)
    call.bytes_out = 90
    call.outcome = Outcome.OK
    return call


def main() -> None:
    title("writing a call down, µs a call")
    telemetry, histogram = Telemetry(), Histogram()
    names = (
        "on the path: a record, two messages",
        "beside it: histograms, heat, sums",
        "one histogram",
        "one clock reading, for comparison",
    )
    samples: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        begin = perf_counter_ns()
        for number in range(CALLS):
            telemetry.record(ended(number, telemetry.messages))
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
