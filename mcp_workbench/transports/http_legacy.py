"""Streamable HTTP up to 2025-11-25: one session over many requests, as one channel.

The session is named by a header, and that name is good only together with the credential of whoever opened it. What is
sent goes to the stream of the request it belongs to, else to the stream that the client has opened with GET, and is kept
for a while for a client that lost a stream. An answer that comes with nothing before it is plain JSON; where something
is told first, or 15 s pass, it becomes a stream of events. Loop thread only.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from mcp_workbench.events import Principal
from mcp_workbench.jsonrpc import Batch, Decoded, ErrorCode, Malformed, Notification, Request, RequestId, encode_error
from mcp_workbench.secret import Secret
from mcp_workbench.transports.channel import ChannelFacts, Receiver
from mcp_workbench.transports.http_incoming import JSON, Incoming, event
from mcp_workbench.transports.http_stream import Stream
from mcp_workbench.transports.replay import Replay

PRIMED_SINCE = "2025-11-25"
"""Revision since which a stream begins with an event that has an id and no text, so that it can be resumed from the start."""
LOST_STREAMS = 64
"""Answered requests of a session whose streams may still be resumed; the oldest go first."""
STANDING = 0
"""Number of the stream that a client opens with GET."""
OPENING = 1
"""Number of the stream of `initialize`."""
SESSION_HEADER = "Mcp-Session-Id"


class LegacyChannel:
    """The channel of one session.

    Args:
        session_id: What the client names it by.
        principal: Whose it is.
        remote: A label for the other end.
        version: The revision that is spoken.
        idle_after_s: Silence after which it ends, unless a stream is open.
        stream_s: Longest that one connection is held for an answer; then the client comes back for it (2025-11-25).
        replay_bytes: Of texts kept for resumption.
        on_closed: Told once when it has ended.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        session_id: Secret,
        principal: Principal,
        remote: str,
        version: str,
        *,
        idle_after_s: float,
        stream_s: float,
        replay_bytes: int,
        on_closed: Callable[[LegacyChannel], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session_id = session_id
        self.principal = principal
        self.facts = ChannelFacts("http", remote)
        self.bytes_received = 0
        self.refused = False
        """Its `initialize` was answered with an error: there is no session."""
        self._sent = 0
        self._idle_after_s = idle_after_s
        self._on_closed = on_closed
        self._clock = clock
        self._asked_at = clock()
        self._replay = Replay(replay_bytes)
        self._primed = version >= PRIMED_SINCE
        self._lease_s = stream_s if self._primed else None
        self._receiver: Receiver | None = None
        self._streams: dict[int, Stream] = {}
        """Those that may still be told something, or be resumed."""
        self._read: dict[Stream, Incoming] = {}
        """Those that are read now."""
        self._over: deque[Stream] = deque()
        """Those that may be resumed only, oldest first."""
        self._of_request: dict[RequestId, Stream] = {}
        self._delivering: Stream | None = None
        self._count = STANDING
        self._paused = False
        self._closed = False
        self._streams[STANDING] = self._standing = Stream(STANDING, self._replay, primed=self._primed)

    def __repr__(self) -> str:
        return f"<LegacyChannel to {self.facts.remote}, {len(self._streams)} streams>"

    # --- what the receiver calls ------------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        """Whether every stream that is read takes more."""
        return not self._closed and all(incoming.writable for incoming in self._read.values())

    @property
    def unsent_bytes(self) -> int:
        """Bytes that streams have still to take."""
        return sum(incoming.unsent_bytes for incoming in self._read.values())

    @property
    def bytes_sent(self) -> int:
        """Bytes of texts ever handed over."""
        return self._sent

    def idle_since(self) -> float | None:
        """Since when, by its clock, nobody has asked anything and no stream is read; None: one is."""
        return None if self._read else self._asked_at

    def open(self, receiver: Receiver) -> None:
        """Deliver to `receiver` from now on."""
        self._receiver = receiver

    def send(self, text: bytes) -> None:
        """Say a text that belongs to no request."""
        self.send_for(text, None, None)

    def send_for(self, text: bytes, owner: RequestId | None, settles: int | None) -> None:
        """Say a text on the stream of the request it belongs to, else on that of the GET."""
        if self._closed:
            return
        self._sent += len(text)
        stream = self._stream_for(owner, settles)
        opening = stream.number == OPENING and settles is not None
        self.refused = self.refused or (opening and settles != 0)
        stream.say(text, last=settles is not None, headers=((SESSION_HEADER, self.session_id.reveal()),) if opening and not settles else ())
        if stream.over:
            self._ended(stream)

    def _stream_for(self, owner: RequestId | None, settles: int | None) -> Stream:
        stream = None if owner is None else self._of_request.get(owner)
        if stream is None and settles is not None:
            stream = self._delivering  # an error whose request has no readable id answers what is being read
        return self._standing if stream is None else stream

    def _ended(self, stream: Stream) -> None:
        """Nothing more will be said on it: it is kept only for who may have lost it."""
        for request_id in stream.ids:
            del self._of_request[request_id]
        stream.ids.clear()
        self._read.pop(stream, None)
        stream.read_by(None)
        if not stream.began:
            del self._streams[stream.number]
            return
        self._over.append(stream)
        if len(self._over) > LOST_STREAMS:
            oldest = self._over.popleft()
            del self._streams[oldest.number]
            self._replay.forget(oldest.number)

    def pause_receiving(self) -> None:
        """Refuse requests until `resume_receiving`."""
        self._paused = True

    def resume_receiving(self) -> None:
        """Take requests again."""
        self._paused = False

    def ping(self) -> None:
        """See whether anybody is still there; a session that is idle for long ends here."""
        if self._clock() - self._asked_at < self._idle_after_s or self._read:
            self.bytes_received += 1
        else:
            self.close(1000, f"idle for {self._idle_after_s:g} s")

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End every stream; what has no answer gets none."""
        if self._closed:
            return
        self._closed = True
        for stream, incoming in self._read.items():
            stream.read_by(None)
            incoming.on_gone = incoming.on_writable = incoming.on_beat = _nothing
            if incoming.streaming and incoming.writable:
                incoming.end()
            elif incoming.streaming:
                incoming.abort()  # a reader that has stopped would keep the connection for long
            else:
                # Not 404: that says that a request was not looked at, and this one has begun.
                incoming.explain(503 if code in (1001, 1013) else 410, f"This session has ended: {reason or 'it was closed'}.")
        self._on_closed(self)
        asyncio.get_running_loop().call_soon(self._report_close, code, reason)

    def abort(self) -> None:
        """The same."""
        self.close(1006, "")

    def _report_close(self, code: int, reason: str) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.receive_close(code, reason)

    # --- what HTTP brings -------------------------------------------------------------------------------

    def receive_post(self, incoming: Incoming, message: Decoded) -> None:
        """A POST: deliver what it says, and answer it with what it gets."""
        self._heard(incoming)
        ids = [entry.id for entry in _entries(message) if isinstance(entry, Request)]
        if (refusal := self._refuse(message, ids)) is not None:
            incoming.respond(*refusal)
            return
        wants_answer = bool(ids) or any(isinstance(entry, Malformed) and entry.answerable for entry in _entries(message))
        stream = self._begin_post(incoming, ids) if wants_answer else None
        self._delivering = stream
        self._deliver(incoming.body)
        self._delivering = None
        self._end_cancelled(message)
        if stream is None:
            incoming.respond(202)

    def _refuse(self, message: Decoded, ids: list[RequestId]) -> tuple[int, bytes, tuple[tuple[str, str], ...]] | None:
        if self._paused:
            return 503, b"This session has answers that it does not read: read them first.\n", (("Retry-After", "1"),)
        if len(set(ids)) < len(ids) or any(each in self._of_request for each in ids):
            sentence = "Invalid request: a request with this id is still in flight"
            taken = message.id if isinstance(message, Request) else None
            return 400, encode_error(taken, ErrorCode.INVALID_REQUEST, sentence), JSON
        return None

    def _begin_post(self, incoming: Incoming, ids: list[RequestId]) -> Stream:
        self._count += 1
        stream = Stream(self._count, self._replay, primed=self._primed, lease_s=self._lease_s)
        stream.ids.update(ids)
        stream.wanted.update(ids)
        self._streams[stream.number] = stream
        self._of_request.update(dict.fromkeys(ids, stream))
        self._attach(stream, incoming)
        return stream

    def _deliver(self, text: bytes) -> None:
        if self._receiver is not None:
            self._receiver.receive_text(text)

    def _end_cancelled(self, message: Decoded) -> None:
        """A request that is taken back gets no answer, so its stream ends without one."""
        for entry in _entries(message):
            if isinstance(entry, Notification) and entry.method == "notifications/cancelled":
                request_id = (entry.params or {}).get("requestId")
                if isinstance(request_id, bool) or not isinstance(request_id, str | int):
                    continue  # no id; and True would find the request 1
                stream = self._of_request.get(request_id)
                if stream is not None:
                    stream.wanted.discard(request_id)
                    if not stream.wanted:
                        stream.finish()
                        self._ended(stream)

    def receive_get(self, incoming: Incoming, last_event_id: str | None) -> None:
        """A GET: tell it what belongs to no request; or, with the id of an event, what came behind that."""
        self._heard(incoming)
        if last_event_id is None:
            if self._standing.incoming is not None:
                incoming.explain(409, "This session has such a stream already: one is enough.")
                return
            self._resume(self._standing, incoming, [])
            return
        number = self._replay.find(last_event_id)
        stream = None if number is None else self._streams.get(number)
        if stream is None:
            incoming.explain(400, "This Last-Event-ID is not of this session, or too old.")
            return
        self._resume(stream, incoming, self._replay.after(last_event_id))

    def _resume(self, stream: Stream, incoming: Incoming, missed: list[tuple[str, bytes]]) -> None:
        before = self._read.pop(stream, None)
        if before is not None:
            before.on_gone = before.on_writable = before.on_beat = _nothing
            before.abort()
        self._attach(stream, incoming)
        stream.begin()
        for event_id, text in missed:
            incoming.tell(event(text, event_id))
        if stream.over:
            incoming.end()
            self._read.pop(stream)
            stream.read_by(None)

    def _attach(self, stream: Stream, incoming: Incoming) -> None:
        self._read[stream] = incoming
        stream.read_by(incoming)
        incoming.on_gone = lambda: self._detach(stream, incoming)
        incoming.on_writable = self._drained
        incoming.on_beat = stream.beat

    def _detach(self, stream: Stream, incoming: Incoming) -> None:
        """Its reader is gone. That is no cancel: up to 2025-11-25 a client may come back."""
        if stream.incoming is incoming:
            stream.read_by(None)
            del self._read[stream]
            self._drained()

    def _drained(self) -> None:
        if self.writable and self._receiver is not None:
            self._receiver.receive_writable()

    def _heard(self, incoming: Incoming) -> None:
        self._asked_at = self._clock()
        self.bytes_received += len(incoming.body) + 1


def _entries(message: Decoded) -> tuple[Decoded, ...]:
    return message.entries if isinstance(message, Batch) else (message,)


def _nothing() -> None:
    """Its session has ended."""
