"""Lines of a recording -> calls.

Who answered a call knows of it what no message tells, and has written it into a line of its own (`CallLine`), which comes
soon after the answer. So what `Pairing` makes of the messages waits a little for such a line, and stands for itself where none
comes: in imported recordings, and at the end of one that was cut off. What is held meanwhile is bounded.
"""

from __future__ import annotations

import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from mcp_workbench.events import DefinedAt, Era
from mcp_workbench.exploring.recording.format import AnyLine, CallLine, End, MessageLine, Session
from mcp_workbench.limits import MIB
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.pairing import Pairing, code_of
from mcp_workbench.telemetry.printed import Printed
from mcp_workbench.telemetry.records import OTHERS, CallRecord, SessionRecord, Side

HELD = 2000
"""Messages, and as many calls, that are held at once."""
HELD_BYTES = 16 * MIB
"""Bytes of the texts of each."""

PATIENCE = 256
"""Messages that may cross between an answer and the line that tells of its call."""

_Key = tuple[str, int, Direction, str | int]
"""Session, `seq` of the request, its direction, its id: one text may hold several."""


class Paired:
    """Takes lines, gives calls."""

    def __init__(self) -> None:
        self._sessions: dict[str, SessionRecord] = {}
        self._pairings: dict[str, Pairing] = {}
        self._ended: list[CallRecord] = []
        self._untold: _Held[_Key, CallRecord] = _Held(_size_of)
        """Calls that wait for their lines."""
        self._told: OrderedDict[_Key, None] = OrderedDict()
        """Calls whose lines came before the messages had told of their end."""
        self._early: deque[CallLine] = deque()
        """Lines that came before the answer they name: what is overheard is paired before it is numbered."""
        self._latest = 0
        self._messages: _Held[int, Message] = _Held(lambda message: message.size)

    def sessions(self) -> list[SessionRecord]:
        """All that were spoken of."""
        return list(self._sessions.values())

    def take(self, line: AnyLine, message: Message | None) -> Iterator[CallRecord]:
        """One line, and the message it tells of, if it does.

        Yields:
            Calls that are complete with it.
        """
        if isinstance(line, MessageLine) and message is not None:
            for _ in self._messages.put(message.seq, message):
                pass
            self._pairing(line.session, line.side).add(message)
            yield from self._hold_ended()
            self._latest = message.seq
            while self._early and self._early[0].answer <= message.seq:
                yield self._told_of(self._early.popleft())
            yield from self._lone(message.seq)
        elif isinstance(line, CallLine):
            if line.answer > self._latest and len(self._early) < HELD:
                self._early.append(line)
            else:
                yield self._told_of(line)
        elif isinstance(line, Session):
            self._introduce(line)
        elif isinstance(line, End):
            self._end(line)
            yield from self._hold_ended()

    def rest(self) -> Iterator[CallRecord]:
        """The recording is over: what was held, then what had not ended."""
        yield from map(self._told_of, self._early)
        yield from self._untold.all()
        for pairing in self._pairings.values():
            yield from (call for call in pairing.waiting() if _key(call) not in self._told)

    def _pairing(self, session_id: str, side: Side) -> Pairing:
        pairing = self._pairings.get(session_id)
        if pairing is None:
            session = self._sessions.setdefault(session_id, SessionRecord(session_id, "", "", "", 0.0, side=side))
            pairing = self._pairings[session_id] = Pairing(session, side, self._ended.append)
        return pairing

    def _introduce(self, line: Session) -> None:
        record = self._sessions.get(line.id)
        if record is None or not record.transport:
            known = SessionRecord(line.id, line.transport, line.remote, line.principal, line.since, side=line.side)
            if record is None:
                self._sessions[line.id] = record = known
            else:
                record.transport, record.remote, record.principal, record.since = line.transport, line.remote, line.principal, line.since
        _complete(record, line)

    def _end(self, line: End) -> None:
        record = self._sessions.get(line.id)
        pairing = self._pairings.pop(line.id, None)
        if pairing is not None:
            open_calls = pairing.waiting()
            pairing.close(max((call.received_ns for call in open_calls), default=0))
        if record is not None:
            _complete(record, line)
            record.until, record.close_code, record.close_reason, record.crash = line.until, line.code, line.reason, line.crash
            record.ignored = dict(line.ignored) or record.ignored

    def _hold_ended(self) -> Iterator[CallRecord]:
        ended, self._ended[:] = list(self._ended), []
        for call in ended:
            key = _key(call)
            if key in self._told:
                del self._told[key]
            else:
                yield from self._untold.put(key, call)

    def _lone(self, seq: int) -> Iterator[CallRecord]:
        """Calls whose lines should have come by now: what was recorded has no such lines."""
        while (call := self._untold.oldest()) is not None and call.answer is not None and call.answer.seq + PATIENCE < seq:
            self._untold.pop(_key(call))
            yield call

    def _told_of(self, line: CallLine) -> CallRecord:
        key = line.session, line.request, line.dir, line.id
        paired = self._untold.pop(key)
        if paired is None and line.request:
            self._told[key] = None
            if len(self._told) > HELD:
                self._told.popitem(last=False)
        call = record_of(line)
        call.request, call.answer = self._messages.get(line.request), self._messages.get(line.answer)
        if paired is not None:
            call.request = call.request or paired.request
            call.answer = call.answer or (paired.answer if paired.answer is not None and paired.answer.seq == line.answer else None)
        elif call.request is None and line.request:
            call.request = self._waiting_request(key)
        for message in filter(None, map(self._messages.get, line.others[-OTHERS:])):
            call.note(message)
        return call

    def _waiting_request(self, key: _Key) -> Message | None:
        """Of a call that took so long that its request is not held any more but by the pairing."""
        pairing = self._pairings.get(key[0])
        return next((call.request for call in pairing.waiting() if _key(call) == key), None) if pairing is not None else None


K = TypeVar("K")
V = TypeVar("V")


class _Held(Generic[K, V]):
    """The latest of something, bounded by number and bytes."""

    def __init__(self, size: Callable[[V], int]) -> None:
        self._size = size
        self._items: OrderedDict[K, V] = OrderedDict()
        self._bytes = 0

    def put(self, key: K, value: V) -> Iterator[V]:
        """Hold one; yields those that go for it."""
        if (same := self._items.pop(key, None)) is not None:
            self._bytes -= self._size(same)
            yield same
        self._items[key] = value
        self._bytes += self._size(value)
        while len(self._items) > HELD or self._bytes > HELD_BYTES:
            _, oldest = self._items.popitem(last=False)
            self._bytes -= self._size(oldest)
            yield oldest

    def oldest(self) -> V | None:
        """The one that would go first."""
        return next(iter(self._items.values()), None)

    def get(self, key: K) -> V | None:
        """One that is held still."""
        return self._items.get(key)

    def pop(self, key: K) -> V | None:
        """Let one go."""
        value = self._items.pop(key, None)
        if value is not None:
            self._bytes -= self._size(value)
        return value

    def all(self) -> list[V]:
        """What is held, oldest first."""
        return list(self._items.values())


def record_of(line: CallLine) -> CallRecord:
    """The call a line tells of, without its messages."""
    call = CallRecord(
        line.call,
        line.session,
        line.principal,
        Era(line.era) if line.era else Era.LEGACY,
        line.method,
        line.target,
        line.id,
        line.received_ns,
        line.at,
        line.bytes_in,
    )
    call.started_ns, call.returned_ns, call.rendered_ns, call.sent_ns = line.started_ns, line.returned_ns, line.rendered_ns, line.sent_ns
    call.bytes_out, call.outcome, call.error, call.is_authors = line.bytes_out, line.outcome, line.error, line.mine
    call.code = code_of(line.code)
    call.exception = None if line.trace is None else WrittenTraceback(line.trace)
    call.tool_version, call.notes, call.queued_behind, call.job = line.tool, line.notes, line.behind, line.job
    call.defined_at = None if line.file is None else DefinedAt(line.file, line.line, line.cell)
    call.side, call.direction = line.side, line.dir
    if line.printed:
        call.printed = Printed()
        call.printed.add(line.printed)
    return call


class WrittenTraceback(traceback.TracebackException):
    """A traceback of which only the text is left.

    Args:
        text: As Python printed it.
    """

    def __init__(self, text: str) -> None:
        super().__init__(Exception, Exception(), None)
        self._written = text

    def format(self, *, chain: bool = True, **_further: Any) -> Generator[str, None, None]:
        """The text."""
        yield self._written


def _key(call: CallRecord) -> _Key:
    return call.session_id, 0 if call.request is None else call.request.seq, call.direction, call.request_id


def _size_of(call: CallRecord) -> int:
    return call.bytes_in + call.bytes_out


def _complete(record: SessionRecord, line: Session | End) -> None:
    """What was known of a session when the line was written; later lines know more."""
    record.client_name = line.client or record.client_name
    record.client_version = line.client_version or record.client_version
    record.protocol_version = line.protocol or record.protocol_version
    record.era = Era(line.era) if line.era else record.era
