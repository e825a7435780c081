"""What it costs a server to be looked at: one look at what a view shows, four times a second, quiet and at 500 calls a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from time import perf_counter_ns

from mcp_workbench import Workbench
from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.telemetry.texts import Texts
from mcp_workbench.views.feed import Feed
from mcp_workbench.views.feeds.catalog import FEEDS
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Watch, encode
from tests.benchmarks.common import line, title

LOOKS = 400
A_LOOK = 125
"""Calls between two looks at 500 a second."""
SESSIONS = 3
PANELS = ("connect", "sessions", "calls")
REQUEST = b"q" * 120


def end(telemetry: Telemetry, count: int) -> None:
    """So many calls end."""
    for number in range(count):
        call = CallRecord("c17", f"s{number % SESSIONS}", "default", Era.LEGACY, "tools/call", "add", number, 0, time.time(), 120)
        call.started_ns, call.returned_ns, call.rendered_ns, call.sent_ns = 20_000, 50_000 + number, 60_000 + number, 90_000 + number
        call.bytes_out, call.outcome, call.texts = 90, Outcome.OK, Texts(REQUEST, len(REQUEST))
        telemetry.record(call)


def look(feed: Feed, now: float) -> int:
    """Bytes that one look of one feed has to say."""
    return sum(len(encode(message)) for message in feed.look(now))


def measured(feeds: list[Feed], before: Callable[[], None]) -> dict[str, list[float]]:
    """µs of one look of each feed, and of all."""
    taken: dict[str, list[float]] = {name: [] for name in (*(type(feed).__name__ for feed in feeds), "all feeds")}
    now = time.time()
    for number in range(LOOKS):
        before()
        whole = 0
        for feed in feeds:
            begin = perf_counter_ns()
            look(feed, now + number / 4)
            elapsed = perf_counter_ns() - begin
            whole += elapsed
            taken[type(feed).__name__].append(elapsed / 1000)
        taken["all feeds"].append(whole / 1000)
    return taken


def main() -> None:
    title("one look of one view, µs")
    workbench = Workbench("looked at").start()
    try:
        running = workbench._running
        assert running is not None
        telemetry = workbench.telemetry
        feeds = [make(Sources(running, workbench._offer)) for make in FEEDS]
        for feed in feeds:
            feed.watch(Watch(panels=PANELS))
        for name, before in (("quiet", lambda: None), ("500 calls a second", lambda: end(telemetry, A_LOOK))):
            print(f" {name}:")
            for feed_name, taken in measured(feeds, before).items():
                line(feed_name, taken, "µs")
        print("  four looks a second: so many µs a look are a 2,500th of that in per cent of one core")
    finally:
        workbench.stop()


if __name__ == "__main__":
    main()
