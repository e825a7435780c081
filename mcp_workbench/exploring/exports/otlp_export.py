"""`wb.export_otel()`: what the telemetry writes down is told to an OpenTelemetry collector, from a thread of its own.

It looks at the records that have ended since its last look, so nothing of it stands on a call's path. What waits is bounded. A
collector that is down is told of once, and costs the spans that find no room to wait, which are counted; durations are cumulative.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics.export import Metric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mcp_workbench.exploring.exports.otlp_durations import Durations
from mcp_workbench.exploring.exports.otlp_sending import Answer, resource_of
from mcp_workbench.exploring.exports.otlp_spans import Spans
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.platforms import call_in_forked_children
from mcp_workbench.telemetry.records import CallRecord, SessionRecord, Side
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.version import __version__

logger = logging.getLogger("mcp_workbench")

THREAD_NAME = "mcp-workbench-otel"
LOOK_S = 1.0
"""How often it looks for calls that have ended. The memory keeps 50,000, more than end in that time."""
SLICE = 64
"""Spans that exist at one time. They are made of many small objects; thousands that wait would bring on full collections of garbage,
which stop everything for as long as the notebook is large, so what waits are bytes."""
BATCH = 8 * SLICE
"""Spans of one request at most; when so many wait they are sent before their time."""
REPEAT_S = 60.0
"""Durations are sent so often where there are no new ones."""
MAX_WAITING = 2048
"""Spans that wait to be sent; what finds no room is counted."""
STOP_S = 5.0
EXIT_S = 2.0

_MEANWHILE = 1000
"""Calls that may end between two readings of the memory."""

SIDES = frozenset((Side.SERVER, Side.CLIENT))


@dataclass(frozen=True, slots=True)
class Sources:
    """What of a workbench is followed. Everything is called on the export's thread."""

    telemetry: Callable[[], Telemetry]
    """Asked for each time: a server that starts may get a larger one."""
    settle: Callable[[], None]
    """Writes down what was heard until now."""
    session: Callable[[str], SessionRecord | None]
    """Who spoke."""
    tell: Callable[[str], None]
    """Tells the notebook's author a sentence."""


class Sends(Protocol):
    """Who sends: `otlp_sending.Sending`."""

    place: str

    def send_spans(self, body: bytes) -> Answer:
        """Send one batch, and wait for the answer."""

    def send_metrics(self, resource: Resource, scope: InstrumentationScope, metrics: Sequence[Metric]) -> Answer:
        """Send all that was counted, and wait for the answer."""


@dataclass(frozen=True, slots=True)
class OtelStatus:
    """How an export stands."""

    place: str
    """Where it goes."""
    state: str
    """`exporting`, `stopped`, or `not taken` with the reason."""
    spans: int
    """Taken by the collector."""
    metrics: int
    """Requests with durations that were taken."""
    lost: int
    """Spans that were not: refused, or without room to wait."""
    missed: int
    """Calls that had left the memory before they were looked at: more than it keeps ended at once."""
    waiting: int
    """Spans that wait."""

    def __str__(self) -> str:
        lost = f", {self.lost:,} lost" if self.lost else ""
        missed = f", {self.missed:,} calls missed" if self.missed else ""
        return f"to {self.place}: {self.state}, {self.spans:,} spans sent, {self.waiting:,} waiting{lost}{missed}"


class OtelExport:
    """An export that goes on. `with wb.export_otel():`, or `.stop()`. From any thread.

    Args:
        sources: What is followed; calls that end from now on.
        sending: Where it goes.
        service: `service.name`, where the environment has none.
        redactor: Withholds what is secret, of names, and of arguments and results where those are told.
        payloads: Tell arguments, results and the messages of errors.
        every_s: Longest time a call waits to be told of.
        sides: Where calls were heard that are told of.
    """

    def __init__(
        self,
        sources: Sources,
        sending: Sends,
        *,
        service: str,
        redactor: Redactor | None = None,
        payloads: bool = False,
        every_s: float = 5.0,
        sides: Collection[Side] = SIDES,
    ) -> None:
        self._sources, self._sending, self._every_s, self._sides = sources, sending, every_s, sides
        self._resource = resource_of(service, str(uuid.uuid4()))
        self._scope = InstrumentationScope("mcp_workbench", __version__)
        redactor = Redactor() if redactor is None else redactor
        self._names = Withholding(redactor)
        self._spans = Spans(self._resource, self._scope, redactor if payloads else None)
        self._durations = Durations(time.time_ns())
        self._queue: deque[_Slice] = deque()
        self._waiting = 0
        """Spans in it."""
        self._seen = sources.telemetry().recorded
        self._followed = sources.telemetry()
        self._sent = self._metrics = self._lost = self._missed = 0
        self._why = ""
        self._pause_s = 0.0
        self._news, self._metrics_due = False, 0.0
        self._flushes: deque[_Flush] = deque()
        self._wake = threading.Event()
        self._ends = self._stopped = self._failed = False
        self._stopping = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()
        atexit.register(self.stop, EXIT_S)
        mine = weakref.ref(self)
        call_in_forked_children(lambda: None if (export := mine()) is None else export.abandon_in_child())

    def __repr__(self) -> str:
        return f"<OtelExport {self.status}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def exporting(self) -> bool:
        """Whether it goes on."""
        return not (self._stopped or self._failed)

    @property
    def status(self) -> OtelStatus:
        """How it stands."""
        return OtelStatus(
            place=self._sending.place,
            state="stopped" if not self.exporting else f"not taken ({self._why})" if self._why else "exporting",
            spans=self._sent,
            metrics=self._metrics,
            lost=self._lost,
            missed=self._missed,
            waiting=self._waiting,
        )

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Send what has ended so far, and wait for it.

        Args:
            timeout_s: Longest wait.

        Returns:
            Whether it was taken.
        """
        if not self.exporting:
            return False
        flush = _Flush()
        self._flushes.append(flush)
        self._wake.set()
        return flush.done.wait(timeout_s) and flush.taken

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Send what has ended so far, and end; a second time it does nothing.

        Args:
            timeout_s: Longest wait for a collector that does not answer; past it the rest is lost.
        """
        with self._stopping:
            if self._stopped:
                return
            atexit.unregister(self.stop)
            self._ends = True
            self._wake.set()
            self._thread.join(timeout_s)
            self._stopped = True  # a thread that waits for an answer yet sends nothing after it

    def abandon_in_child(self) -> None:
        """In a forked process, which has neither the thread nor the traffic."""
        self._stopped, self._stopping = True, threading.Lock()  # somebody may hold the other who is not here

    # --- on the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            due = time.monotonic() + self._every_s
            while not self._ends:
                self._wake.wait(min(LOOK_S, self._every_s))
                self._wake.clear()
                self._look()
                flushes = [self._flushes.popleft() for _ in range(len(self._flushes))]
                if flushes or time.monotonic() >= due or (self._waiting >= BATCH and not self._why):
                    taken = self._send()
                    due = time.monotonic() + max(self._every_s, self._pause_s)
                    for flush in flushes:
                        flush.taken = taken
                        flush.done.set()
            self._look()
            self._send()
            self._lost, self._waiting = self._lost + self._waiting, 0
            self._queue.clear()
        except Exception:  # a named boundary: the top of a thread
            logger.exception("the export to %s", self._sending.place)
            self._failed = True
            self._sources.tell("the export by OpenTelemetry has ended by a fault of mcp-workbench, which is in the log; traffic goes on")

    def _look(self) -> None:
        """Take in the calls that have ended since the last look."""
        calls = [call for call in self._new_calls() if call.side in self._sides]
        if not calls:
            return
        sessions = {session_id: self._sources.session(session_id) for session_id in {call.session_id for call in calls}}
        self._names.begin()
        named = list(map(self._names.names, calls))
        for call in named:
            self._durations.add(call, sessions[call.session_id])
        self._news = True
        room = MAX_WAITING - self._waiting
        self._lost += max(0, len(calls) - room)
        for first in range(0, min(room, len(calls)), SLICE):
            until = min(room, first + SLICE)
            self._put_aside(list(zip(calls[first:until], named[first:until], strict=True)), sessions)

    def _put_aside(self, calls: list[tuple[CallRecord, CallRecord]], sessions: dict[str, SessionRecord | None]) -> None:
        made = (self._spans.of(call, sessions[call.session_id], named) for call, named in calls)
        if spans := [span for span in made if span is not None]:
            self._queue.append(_Slice(len(spans), encode_spans(spans).SerializeToString()))
            self._waiting += len(spans)

    def _new_calls(self) -> list[CallRecord]:
        try:
            self._sources.settle()
        except (TimeoutError, RuntimeError):  # the loop is held up, or has just ended: what it has not written down comes later
            logger.debug("what was overheard is not written down yet", exc_info=True)
        telemetry = self._sources.telemetry()
        if telemetry is not self._followed:
            self._followed, self._seen = telemetry, 0
        count = telemetry.recorded - self._seen
        if not count:
            return []
        calls = [call for call in telemetry.calls(count + _MEANWHILE) if call.seq > self._seen]
        if calls:
            self._missed += calls[-1].seq - self._seen - len(calls)
            self._seen = calls[-1].seq
        return calls

    def _send(self) -> bool:
        """Spans and durations, each for itself: there are collectors that take only one of them."""
        self._pause_s = 0.0
        why = self._send_spans() or ""
        why = self._send_metrics() or why
        if why and not self._why:
            place = self._sending.place
            self._sources.tell(f"{place} does not take what is exported to it ({why}); traffic goes on, and what is lost is counted")
        self._why = why
        return not why

    def _send_spans(self) -> str | None:
        """Send what waits; says why not, where it was not taken. What may be sent again waits for the next time."""
        while self._queue and not self._stopped:
            batch = list(islice(self._queue, BATCH // SLICE))
            answer = self._sending.send_spans(b"".join(each.body for each in batch))  # joined, such messages are one
            self._pause_s = max(self._pause_s, answer.pause_s)
            if answer.again:
                return answer.reason
            for _ in batch:
                self._queue.popleft()
            count = sum(each.spans for each in batch)
            lost = min(answer.rejected, count) or (count if answer.reason else 0)
            self._waiting, self._lost, self._sent = self._waiting - count, self._lost + lost, self._sent + count - lost
            if answer.reason:
                return answer.reason
        return None

    def _send_metrics(self) -> str | None:
        """Send the durations if there are new ones, and once a minute: what is not repeated counts as gone in some backends."""
        if self._stopped or (not self._news and time.monotonic() < self._metrics_due):
            return None
        metrics = self._durations.metrics(time.time_ns())
        answer = self._sending.send_metrics(self._resource, self._scope, metrics) if metrics else Answer()
        self._pause_s = max(self._pause_s, answer.pause_s)
        if answer.reason:
            return answer.reason
        self._metrics += bool(metrics)
        self._news, self._metrics_due = False, time.monotonic() + REPEAT_S
        return None


class _Slice(NamedTuple):
    """Spans that wait, as they will be sent."""

    spans: int
    body: bytes


class _Flush:
    """Somebody waits."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.taken = False
