"""An open loop: requests go when the schedule says, whether or not those before them were answered, and each is timed from the
moment it *should* have gone.

A closed loop (`load.py`) asks no more than the server answers: while the server stands still it sends nothing, and of the stall
only one call is slow. Callers in life do not wait for each other, so every request that fell due meanwhile waited too; leaving
those out is called coordinated omission. Here a request that finds every connection busy waits in a line of the client's own, and
that wait counts.

Knows neither sockets nor clocks: whoever drives it gives both (`paced_load.py`; the tests simulate them).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from math import ceil, log
from typing import Protocol

import msgspec

S = 1_000_000_000
SATURATED_BELOW = 0.95
"""Share of the rate that was asked for; who achieves less is past what it can do."""
SUPPORT_P999 = 1000
"""Calls below which p99.9 is not told."""


class Wire(Protocol):
    """What requests are sent over: connections with one request in flight on each."""

    @property
    def idle(self) -> int:
        """Connections on which nothing is in flight."""

    def send(self, number: int) -> Hashable:
        """Send the request of this number on an idle connection; names it."""

    def wait(self, timeout_ns: int) -> Iterable[Hashable]:
        """The connections whose answers arrive, each named as soon as it has; ends after `timeout_ns`, or earlier with some."""


class Taken(msgspec.Struct, frozen=True):
    """What a drive yields, in nanoseconds."""

    latencies: list[int]
    """From the intended moment until the answer; of what was not answered: until it was given up."""
    unanswered: int
    elapsed: int
    """From the first intended moment until the last answer, or until giving up."""
    noticed_late: list[int]
    """How much later than intended each request was noticed: the client's own slowness, and no wait for the server."""


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """One rate's results, as the client sees them; times in microseconds from the intended moment."""

    rate: float
    """Requests a second that were asked for."""
    calls: int
    achieved: float
    """Answers a second, until the last."""
    unanswered: int
    p50_us: float
    p90_us: float
    p99_us: float
    p999_us: float | None
    """None below 1,000 calls."""
    max_us: float
    client_late_us: float
    """p99 of how late the client itself was; where it is no small part of the times above, the client is what was measured."""

    @property
    def saturated(self) -> bool:
        """Whether the server, or the connections there were, could not keep up: times then grow with the length of the measurement."""
        return self.unanswered > 0 or self.achieved < SATURATED_BELOW * self.rate


def evenly(rate: float, seconds: float) -> list[int]:
    """Moments at even distances, in nanoseconds from the begin."""
    return [int(number * S / rate) for number in range(max(1, int(rate * seconds)))]


def at_random(rate: float, seconds: float, seed: int = 1) -> list[int]:
    """Moments as independent callers choose them (a Poisson process); the same for the same seed, so that all subjects get the same."""
    chance = random.Random(seed)  # noqa: S311  # a schedule, no secret
    moments: list[int] = []
    at = 0.0
    while (at := at - log(1.0 - chance.random()) / rate) < seconds:
        moments.append(int(at * S))
    return moments or [0]


def drive(intended: Sequence[int], wire: Wire, clock: Callable[[], int], *, patience_ns: int) -> Taken:
    """Send every request at its moment, or as soon after it as a connection is free, and take the answers.

    Args:
        intended: Moments in nanoseconds from now, ascending.
        wire: What to send over.
        clock: Nanoseconds, of any origin.
        patience_ns: How long after the last moment answers are waited for.
    """
    begin = clock()
    due, flying = deque[int](), dict[Hashable, int]()
    latencies: list[int] = []
    late: list[int] = []
    end = intended[-1] + patience_ns
    sent = 0
    while (now := clock() - begin) < end:
        while len(late) < len(intended) and intended[len(late)] <= now:
            due.append(intended[len(late)])
            late.append(now - due[-1])
        while due and wire.idle:
            flying[wire.send(sent)] = due.popleft()
            sent += 1
        if not due and not flying and len(late) == len(intended):
            break
        until = intended[len(late)] if len(late) < len(intended) else end
        left_ns = max(0, until - (clock() - begin))  # sending has taken its time
        latencies.extend(clock() - begin - flying.pop(answered) for answered in wire.wait(left_ns))
    elapsed = clock() - begin
    left = [*flying.values(), *due, *intended[len(late) :]]
    return Taken(latencies + [elapsed - moment for moment in left], len(left), elapsed, late)


def summarise(rate: float, taken: Taken) -> Paced:
    """Exact quantiles (nearest rank) of all calls, those that were not answered included."""
    ordered = sorted(taken.latencies)
    p50, p90, p99, p999 = (_at(ordered, share) for share in (0.5, 0.9, 0.99, 0.999))
    return Paced(
        rate=rate,
        calls=len(ordered),
        achieved=(len(ordered) - taken.unanswered) * S / max(1, taken.elapsed),
        unanswered=taken.unanswered,
        p50_us=p50,
        p90_us=p90,
        p99_us=p99,
        p999_us=p999 if len(ordered) >= SUPPORT_P999 else None,
        max_us=ordered[-1] / 1000,
        client_late_us=_at(sorted(taken.noticed_late), 0.99),
    )


def _at(ordered: Sequence[int], share: float) -> float:
    return ordered[max(1, ceil(share * len(ordered) - 1e-9)) - 1] / 1000 if ordered else 0.0
