"""Calls added up: how many, how many failed, how often, and how long each phase took, per method and target.

A tool's call that was answered early counts when it is answered, and with its times when its job has ended: an early
answer says nothing of how long the tool takes. One that was cancelled, by its client or the author, is a call and no error, and
its times are nobody's: it ended when somebody lost patience. One that was answered with a question is counted when it has its answer.

One thread at a time adds; any thread may read. Targets are what clients wrote, so their number is
bounded here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.telemetry.heatmap import Heatmaps
from mcp_workbench.telemetry.histogram import Histogram
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.rates import Rate
from mcp_workbench.telemetry.records import CALL_TOOL, JOB, CallRecord, Outcome

MAX_KEYS = 1000
"""Different (method, target) told apart; what comes later is added up under `OTHER`."""

OTHER = "(other)"

NO_TOOL = "(no such tool)"
"""Target of calls of tools that there never were; no row of the table of tools."""

NO_METHOD = "(no such method)"
"""Method of requests that the protocol has not: what clients make up takes no place from what there is."""

Key = tuple[str, str]
"""Method and target."""


class Phase(StrEnum):
    """A stretch of a call's time; wait + run + send = total."""

    WAIT = "wait"
    RUN = "run"
    SEND = "send"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of tools or methods."""

    name: str
    n: int
    """Calls that ended, failed ones included."""
    errors: int
    p50_ns: int | None
    """Total time of the calls that succeeded; None when none did."""
    p90_ns: int | None
    p99_ns: int | None


@dataclass(frozen=True, slots=True)
class ToolSums:
    """All that is told of the calls of one tool."""

    name: str
    n: int
    """Calls that ended, failed ones included."""
    errors: int
    per_s: float
    """Calls that ended in the last ten seconds, a second."""
    quantiles_ns: dict[Phase, list[int | None]]
    """p50, p90, p99 and p99.9 of the calls that ended well; None where too few support it."""


SHARES = (0.5, 0.9, 0.99, 0.999)
"""The quantiles of `ToolSums`."""


class Timings:
    """The four histograms of calls with one method, target and kind of end."""

    # Slots by name: the hash of an Enum member is computed in Python, four times a call.
    __slots__ = ("run", "send", "total", "wait")

    def __init__(self) -> None:
        self.wait = Histogram()
        self.run = Histogram()
        self.send = Histogram()
        self.total = Histogram()

    def of(self, phase: Phase) -> Histogram:
        """The histogram of one phase."""
        return {Phase.WAIT: self.wait, Phase.RUN: self.run, Phase.SEND: self.send, Phase.TOTAL: self.total}[phase]

    def add(self, call: CallRecord) -> int | None:
        """Count every phase the call went through.

        Returns:
            The bucket of its total time; None where that is not known.
        """
        bucket = None
        received, started, returned, sent = call.received_ns, call.started_ns, call.returned_ns, call.sent_ns
        if started is not None:
            self.wait.record(started - received)
            if returned is not None:
                self.run.record(returned - started)
        if sent is not None:
            bucket = self.total.record(sent - received)
            if returned is not None:
                self.send.record(sent - returned)
        return bucket


class Aggregate:
    """What is known of one method and target."""

    __slots__ = ("errors", "failed", "last", "n", "rate", "succeeded")

    def __init__(self) -> None:
        self.n = 0
        self.errors = 0
        self.last = 0
        """`seq` of the latest record added."""
        self.rate = Rate()
        self.succeeded = Timings()
        self.failed: Timings | None = None

    def add(self, call: CallRecord, ended_at: float) -> int | None:
        """Count one call that ended, or the end of the job it went on as.

        Returns:
            The bucket of its total time, if it ended well.
        """
        bucket = None
        if call.method != JOB and call.outcome is not Outcome.INPUT_REQUIRED:
            self.n += 1
            self.rate.add(ended_at)
        if call.job is not None:
            pass  # answered early, or told that it runs already
        elif call.outcome is Outcome.OK:
            bucket = self.succeeded.add(call)
        elif call.failed:
            self.errors += 1
            if self.failed is None:
                self.failed = Timings()
            self.failed.add(call)
        self.last = call.seq  # last: who has seen this number has seen the call
        return bucket


class Aggregates:
    """Every method and target that was called."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Aggregate] = {}
        self.heatmaps = Heatmaps(MAX_KEYS)
        """When calls of tools took how long, of late."""

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, call: CallRecord) -> None:
        """Count one call that ended; a job's end under the tool it ran."""
        method = CALL_TOOL if call.method == JOB else call.method
        nobody = method == CALL_TOOL and call.outcome is Outcome.RPC_ERROR and call.tool_version is None
        unknown = call.code == ErrorCode.METHOD_NOT_FOUND and call.direction is Direction.IN
        key = (NO_METHOD, "") if unknown else (method, NO_TOOL if nobody else call.target)
        aggregate = self._by_key.get(key) or self._first_of(key)
        ended_at = call.ended_at
        bucket = aggregate.add(call, ended_at)
        if method == CALL_TOOL and not nobody and call.job is None and (bucket is not None or call.failed):
            self.heatmaps.add(call.target, ended_at, bucket, call.seq)

    def tools_after(self, seq: int) -> list[str]:
        """The tools of which a record with a higher number was added."""
        items = self._items()
        return [target for (method, target), aggregate in items if aggregate.last > seq and method == CALL_TOOL and target != NO_TOOL]

    def tool(self, name: str, now: float) -> ToolSums | None:
        """All that is told of one tool; some 100 µs. None: it was not called.

        Args:
            name: Its name.
            now: Seconds since 1970.
        """
        aggregate = self._by_key.get((CALL_TOOL, name))
        if aggregate is None:
            return None
        times = aggregate.succeeded
        quantiles = {phase: times.of(phase).copy().quantiles(*SHARES) for phase in Phase}
        return ToolSums(name, aggregate.n, aggregate.errors, aggregate.rate.per_s(now), quantiles)

    def per_s(self, name: str, now: float) -> float:
        """Calls of one tool that ended in the last ten seconds, a second; as `tool` says, in a microsecond."""
        aggregate = self._by_key.get((CALL_TOOL, name))
        return 0.0 if aggregate is None else aggregate.rate.per_s(now)

    def rows(self, method: str) -> list[Row]:
        """One row per target of `method`, the most called first."""
        return _sorted(
            _row(target, [aggregate]) for (its_method, target), aggregate in self._items() if its_method == method and target != NO_TOOL
        )

    def rows_by_method(self) -> list[Row]:
        """One row per method, the most called first."""
        by_method: dict[str, list[Aggregate]] = {}
        for (method, _), aggregate in self._items():
            by_method.setdefault(method, []).append(aggregate)
        return _sorted(_row(method, aggregates) for method, aggregates in by_method.items())

    def histogram(self, key: Key, phase: Phase, *, failed: bool) -> Histogram:
        """A copy of one histogram; empty when nothing of the kind happened."""
        aggregate = self._by_key.get(key)
        timings = None if aggregate is None else aggregate.failed if failed else aggregate.succeeded
        return Histogram() if timings is None else timings.of(phase).copy()

    def _items(self) -> list[tuple[Key, Aggregate]]:
        """One step for other threads, unlike iterating."""
        return list(self._by_key.copy().items())

    def _first_of(self, key: Key) -> Aggregate:
        if len(self._by_key) >= MAX_KEYS:
            key = (OTHER, OTHER)
        return self._by_key.setdefault(key, Aggregate())


def _row(name: str, aggregates: Iterable[Aggregate]) -> Row:
    total, n, errors = Histogram(), 0, 0
    for aggregate in aggregates:
        total.merge(aggregate.succeeded.total.copy())
        n += aggregate.n
        errors += aggregate.errors
    return Row(name, n, errors, *total.quantiles(0.5, 0.9, 0.99))


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.n, row.name))
