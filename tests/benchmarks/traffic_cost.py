"""What looking at traffic costs, with 50,000 calls and 100,000 messages in memory: DataFrames, filters as predicates and as masks.

CPU time, for nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time_ns

from mcp_workbench.events import Era
from mcp_workbench.exploring.filters import parse
from mcp_workbench.exploring.frames import calls_frame, messages_frame
from mcp_workbench.jsonrpc import encode_request, encode_result
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome
from tests.benchmarks.common import line, title

CALLS = 50_000
ROUNDS = 7
BEGIN = 1_778_494_260.0
FILTERS = (
    "tool:tool7",
    "outcome:error",
    "dur:>5ms",
    "tool:tool* -outcome:ok (dur:>5ms | size:>10k)",
    "at:10:05..10:07",
    "text:nowhere",
    "args.region:EMEA",
)
MESSAGE_FILTERS = ("session:s3 dir:in", "kind:request", "tool:tool7", "text:nowhere", "args.region:EMEA")


def ended(number: int) -> CallRecord:
    arguments = {"region": ("EMEA", "APAC", "AMER")[number % 3], "n": number, "columns": ["origin", "dest"]}
    asked = encode_request(number, "tools/call", {"name": f"tool{number % 10}", "arguments": arguments})
    said = encode_result(number, b'{"content":[{"type":"text","text":"57 of 336,776 rows"}],"structuredContent":{"total":%d}}' % number)
    received, at = number * 1_000_000, BEGIN + number / 1_000
    call = CallRecord(
        f"c{number}", f"s{number % 16}", "default", Era.LEGACY, "tools/call", f"tool{number % 10}", number, received, at, len(asked)
    )
    call.started_ns, call.returned_ns = received + 20_000, received + 50_000 + number * 100
    call.rendered_ns, call.sent_ns = received + 60_000 + number * 100, received + 90_000 + number * 100
    call.outcome = Outcome.OK if number % 20 else Outcome.TOOL_ERROR
    call.error = None if number % 20 else "ValueError: no such region"
    call.bytes_out, call.seq = len(said), number + 1
    call.request = Message(call.session_id, Direction.IN, received, at, len(asked), asked, 2 * number + 1)
    call.answer = Message(call.session_id, Direction.OUT, call.sent_ns, at, len(said), said, 2 * number + 2)
    return call


def measure(name: str, work: Callable[[], object]) -> None:
    taken = []
    for _ in range(ROUNDS):
        begin = process_time_ns()
        work()
        taken.append((process_time_ns() - begin) / 1e6)
    line(name, taken, "ms")


def main() -> None:
    title(f"{CALLS:,} calls, {2 * CALLS:,} messages, ms of CPU")
    calls = [ended(number) for number in range(CALLS)]
    messages = [message for call in calls for message in (call.request, call.answer) if message is not None]
    frame, message_frame = calls_frame(calls), messages_frame(messages)
    measure("calls as a DataFrame", lambda: calls_frame(calls))
    measure("messages as a DataFrame", lambda: messages_frame(messages))
    measure("reading a filter", lambda: parse(FILTERS[3]))
    for text in FILTERS:
        wanted = parse(text)
        fits = wanted.for_calls()
        measure(f"calls, {text}", lambda fits=fits: sum(map(fits, calls)))  # type: ignore[misc]
        measure("  the same, as a mask", lambda wanted=wanted: wanted.mask(frame))  # type: ignore[misc]
    for text in MESSAGE_FILTERS:
        wanted = parse(text)
        fits_message = wanted.for_messages()
        measure(f"messages, {text}", lambda fits=fits_message: sum(map(fits, messages)))  # type: ignore[misc]
        measure("  the same, as a mask", lambda wanted=wanted: wanted.mask(message_frame))  # type: ignore[misc]


if __name__ == "__main__":
    main()
