"""What is written down about one call and about one session.

A record is made when a request arrives, with what is known then, and filled in as the call passes; it
holds numbers and short texts, never results, frames or exceptions, so it keeps none of the user's objects
alive; the messages that belong to it, whose texts go when newer ones need the room (`messages`); arguments, as JSON text,
only of the latest that failed (`failures`). Clock readings are given by whoever drives the call; nothing here reads a clock.
"""

from __future__ import annotations

import traceback
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from mcp_workbench.events import DefinedAt, Era
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.printed import Printed

CALL_TOOL = "tools/call"
JOB = "job"
"""Method of the record of a call that went on after its request was answered; its target is the tool."""
FORMALITIES = frozenset(("initialize", "server/discover", "ping"))
"""Requests that open a conversation, or ask whether anybody is there: they want nothing of what a server offers."""
MAX_ARGUMENTS = 64 * 1024
"""Bytes of a failed call's arguments that are kept."""


OTHERS = 50
"""Messages beside request and answer that one record keeps."""


class Side(StrEnum):
    """Where a call was heard."""

    SERVER = "server"
    """Between this server and one of its clients."""
    CLIENT = "client"
    """Between this notebook, as a client, and another server (`wb.connect`)."""
    TAP = "tap"
    """Between a client and a server of other people, through a tap."""


class Outcome(StrEnum):
    """How a call ended."""

    PENDING = "pending"
    """Not yet."""
    OK = "ok"
    TOOL_ERROR = "tool_error"
    """An `isError` result: the user's code raised, or the arguments did not fit."""
    RPC_ERROR = "rpc_error"
    """A JSON-RPC error: unknown method, tool or resource, malformed parameters, or a fault of ours."""
    TIMEOUT = "timeout"
    """Ran longer than its `timeout_s`."""
    CANCELLED = "cancelled"
    """The client took the request back and was not answered, or the notebook's author stopped it and the client was told so."""
    REJECTED = "rejected"
    """Not taken on: a full queue, or a person said no."""
    INPUT_REQUIRED = "input_required"
    """Answered with a question (2026-07-28); the retry that brings what was asked is the next exchange of the same call."""
    DROPPED = "dropped"
    """Finished, but the session was gone before the answer could be sent."""


_NOT_FAILED = frozenset((Outcome.OK, Outcome.PENDING, Outcome.CANCELLED, Outcome.INPUT_REQUIRED))


class CallRecord(msgspec.Struct, eq=False, gc=False):
    """One call: what arrived, what became of it, and when.

    Pass the fields up to `bytes_in` to the constructor, by position: two dozen keyword arguments cost more than
    everything else that is recorded. The others are assigned when they come to be known. Clock readings are
    `time.perf_counter_ns()`; None: never got there. Written by one thread at a time, the protocol loop's once
    the call is back there. Tens of thousands are kept, so the garbage collector does not look at them
    (`gc=False`): nothing in a record leads back to it.
    """

    call_id: str
    """Names the run of user code, `c7`, unique in this server. Empty where none ran; failures of those are named `x7` (`failures`)."""
    session_id: str
    principal: str
    """Name of the principal whose credential opened the session."""
    era: Era
    method: str
    """JSON-RPC method, for instance `tools/call`."""
    target: str
    """Tool or prompt name, or resource URI, as the client wrote it; empty for methods without one."""
    request_id: str | int
    received_ns: int
    """The frame with the request had arrived."""
    received_at: float
    """The same moment in seconds since 1970, for people."""
    bytes_in: int
    """Size of the request's text."""

    seq: int = 0
    """Counted from 1 in the order calls end; 0 before `Telemetry.record` gave it."""
    started_ns: int | None = None
    """User code was entered."""
    returned_ns: int | None = None
    """User code had returned or raised."""
    rendered_ns: int | None = None
    """The result was a text ready to send."""
    sent_ns: int | None = None
    """The answer was handed to the operating system, or to the outbox of a client that reads slowly."""
    bytes_out: int = 0
    """Size of the answer's text; 0 when there was none."""
    outcome: Outcome = Outcome.PENDING
    code: int | None = None
    """JSON-RPC error code of the answer."""
    error: str | None = None
    """One short sentence: what went wrong."""
    exception: traceback.TracebackException | None = None
    """What user code raised, through `freeze_exception`; for the author, never for the client."""
    is_authors: bool = False
    """Whether the failure is the author's to mend: their code raised, took too long, or gave what cannot be sent."""
    arguments: bytes | None = None
    """What it was called with, as JSON; of one of the latest failures only, and None where that is longer than `MAX_ARGUMENTS`."""
    tool_version: str | None = None
    """Which definition ran, `v2@1f3a9c0e`: its running number or the author's, and the beginning of its digest."""
    defined_at: DefinedAt | None = None
    notes: tuple[str, ...] = ()
    """What the call read or made, for instance `flights v17`."""
    printed: Printed | None = None
    """What its code said, `output` is the text of it; goes on growing while the code outlives the call."""
    side: Side = Side.SERVER
    """Where it was heard."""
    direction: Direction = Direction.IN
    """Which way its request went: `out` where the client was asked (`elicitation/create`), or where this notebook is the client."""
    request: Message | None = None
    """The message with its request; a batch as a whole. Of a job: the one whose answer came early."""
    answer: Message | None = None
    """The message with its answer; None: there was none."""
    others: deque[Message] | None = None
    """What crossed for it meanwhile, the latest `OTHERS`: notifications, and what the client was asked."""
    queued_behind: str | None = None
    """What had the main thread when a call for it came, for instance `cell [12], running 8 s`; `wait_ns` says how long it waited."""
    job: str | None = None
    """A `tools/call` that was answered early: the job it went on as, whose end has a record of its own with method `job`."""

    def note(self, message: Message) -> None:
        """It belongs to this call."""
        if self.others is None:
            self.others = deque(maxlen=OTHERS)
        self.others.append(message)

    def said_meanwhile(self) -> list[Message]:
        """The latest messages beside request and answer, in order; from any thread."""
        return [] if self.others is None else list(self.others.copy())

    @property
    def wait_ns(self) -> int | None:
        """From arrival until user code was entered: parsing, binding, approval, queue."""
        return _between(self.received_ns, self.started_ns)

    @property
    def run_ns(self) -> int | None:
        """Inside user code."""
        return _between(self.started_ns, self.returned_ns)

    @property
    def send_ns(self) -> int | None:
        """From the end of user code until sent: rendering, outbox, writing. wait + run + send = total."""
        return _between(self.returned_ns, self.sent_ns)

    @property
    def total_ns(self) -> int | None:
        """As the server sees it, from the frame's arrival until the answer was sent."""
        return _between(self.received_ns, self.sent_ns)

    @property
    def ended_at(self) -> float:
        """When it ended, in seconds since 1970; as long as that is not known, when it came."""
        sent = self.sent_ns
        return self.received_at if sent is None else self.received_at + (sent - self.received_ns) / 1e9

    @property
    def failed(self) -> bool:
        """Whether it went wrong. What was cancelled did not: somebody wanted it no longer."""
        return self.outcome not in _NOT_FAILED

    @property
    def output(self) -> str:
        """What its code printed, logged, warned of and displayed, in order: beginning and end, about 8,000 characters.

        Kept for the latest 500 calls that said anything; empty for the others.
        """
        return "" if self.printed is None else self.printed.text()

    @property
    def traceback_text(self) -> str | None:
        """The traceback as Python prints it; None when nothing was raised."""
        return None if self.exception is None else "".join(self.exception.format())


@dataclass(slots=True, eq=False)
class SessionRecord:
    """One client's stay: who, how, how much, and how it ended. Written on the protocol loop's thread only."""

    session_id: str
    transport: str
    """`websocket`, `http`, `stdio` or `memory`."""
    remote: str
    """The other end as text; a label, never identity."""
    principal: str
    since: float
    """Seconds since 1970."""
    client_name: str | None = None
    """What the client calls itself; None until it says so."""
    client_version: str | None = None
    era: Era | None = None
    """None until the first request decides it."""
    protocol_version: str | None = None
    until: float | None = None
    """Seconds since 1970; None while it lasts."""
    close_code: int | None = None
    """WebSocket close code; 1006: vanished without one."""
    close_reason: str = ""
    crash: str | None = None
    """Traceback of a fault of ours that ended it."""
    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    calls: int = 0
    """Requests that ran user code or were refused to."""
    ignored: dict[str, int] = field(default_factory=dict)
    """Reason -> how many texts got no answer for it, for instance `response to an unknown id`."""
    side: Side = Side.SERVER
    """Where it is heard."""

    def ignore(self, reason: str) -> None:
        """Count one text that is not answered, under the reason people are shown."""
        self.ignored[reason] = self.ignored.get(reason, 0) + 1


def freeze_exception(error: BaseException) -> traceback.TracebackException:
    """What is needed to print a traceback later, without keeping a frame or a local variable alive.

    Source lines are looked up when it is printed. Call it on the thread that ran the code: it costs some
    80 µs and runs the exception's `__str__`, which is the user's code.
    """
    return traceback.TracebackException.from_exception(error, lookup_lines=False, compact=True)


def _between(start_ns: int | None, end_ns: int | None) -> int | None:
    return None if start_ns is None or end_ns is None else end_ns - start_ns
