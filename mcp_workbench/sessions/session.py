"""The driver of one client: it joins a channel, a Peer, an outbox and the works in progress.

Everything runs on the loop thread, pushed by the channel: a text that arrives is parsed, dispatched and,
where no user code is needed, answered before the next one is looked at. Reading stops only while this
client itself does not read (its outbox is past the bound); responses, cancels and pings never wait behind
calls. Knows no tools and no DataFrames: requests go to a `RequestHandler`.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from mcp_workbench.errors import ConnectionClosed, RemoteProtocolError
from mcp_workbench.events import Principal
from mcp_workbench.jsonrpc import ErrorCode, RequestId
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange, Fate
from mcp_workbench.protocol.happenings import (
    Happening,
    Pending,
    RequestAnswered,
    RequestCancelled,
    RequestReceived,
    ResponseReceived,
    SessionBegan,
    TextIgnored,
    TextToSend,
)
from mcp_workbench.protocol.peer import Peer, ResultTooLarge
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.sessions.life import Life
from mcp_workbench.sessions.outbox import Outbox
from mcp_workbench.sessions.places import Places
from mcp_workbench.sessions.questions import Questions
from mcp_workbench.sessions.seams import RequestHandler, SessionHome, Waiter
from mcp_workbench.sessions.self_answered import record_of
from mcp_workbench.sessions.work import Answer, Work
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import CallRecord, Outcome, SessionRecord, freeze_exception
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.streams import Streams

logger = logging.getLogger("mcp_workbench")

CLOSE_GOING_AWAY = 1001
CLOSE_INTERNAL_ERROR = 1011
CLOSE_TRY_LATER = 1013


class _Job:
    """A request with Work: where it is and what is written down about it."""

    __slots__ = ("exchange", "number", "record", "session", "size", "work")

    def __init__(self, session: Session, exchange: Exchange, work: Work, record: CallRecord) -> None:
        self.session = session
        self.exchange = exchange
        self.work = work
        self.record = record
        self.number = 0
        self.size = exchange.text_bytes

    def done(self, answer: Answer | None) -> None:
        """What the work calls when it has ended."""
        self.session.finish(self, answer)


class OpenWork(NamedTuple):
    """One call that runs or waits."""

    number: int
    """What `Session.stop` takes: counted from 1 in the order in which this session's calls came."""
    record: CallRecord
    waits: str
    """What it waits for: `its turn` or `news`; empty: nothing the session knows of."""


class Session:
    """One client's stay. Loop thread only; `record` may be read from any thread.

    Args:
        session_id: `s1`, `s2` …
        channel: The connection.
        principal: Whose credential opened it.
        peer: The server side of the conversation.
        handler: Answers requests.
        home: The registry it belongs to.
        limits: Bounds.
        streams: The same channel, where requests have streams of their own.
        record: What is written down about it, where that is shared; None: a record of its own.
        places: How much it takes on, where that is shared; None: an allowance of its own.
    """

    def __init__(
        self,
        session_id: str,
        channel: Channel,
        principal: Principal,
        peer: Peer,
        handler: RequestHandler,
        home: SessionHome,
        limits: Limits,
        *,
        streams: Streams | None = None,
        record: SessionRecord | None = None,
        places: Places | None = None,
    ) -> None:
        self.id = session_id
        self.channel = channel
        self.principal = principal
        self.peer = peer
        self.outbox = Outbox(channel, limits.outbox_bytes, home.telemetry.messages, streams)
        self.closed = False
        self._ending = False
        """`close` was called: nothing more is taken in or started, although the channel has still to report its end."""
        self._handler = handler
        self._home = home
        self._limits = limits
        self._running: dict[Exchange, _Job] = {}
        self._parked: dict[Exchange, _Job] = {}
        """Works that may wait for long; they take no place from those that run."""
        self._backlog: dict[Exchange, _Job] = {}
        self._backlog_bytes = 0
        self._places = places or Places(limits)
        self._refusal: str | None = None
        self._arrived = Message(session_id, Direction.IN, 0, 0.0, 0, b"")
        """The latest that came: what is looked at now belongs to it."""
        self._questions = Questions(session_id, principal.name, self.finish_record)
        facts = channel.facts
        self.record = record or SessionRecord(session_id, facts.transport, facts.remote, principal.name, time.time())
        self.life = Life(time.monotonic())

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.record.client_name or '?'}>"

    # --- readings -----------------------------------------------------------------------------------

    @property
    def running(self) -> int:
        """Calls that run now, or are parked."""
        return len(self._running) + len(self._parked)

    @property
    def waiting(self) -> int:
        """Calls that wait for one that runs to end."""
        return len(self._backlog)

    @property
    def ending(self) -> bool:
        """Whether it is closed, or about to be: its works are cancelled when the channel has reported its end."""
        return self._ending

    def open_calls(self) -> list[OpenWork]:
        """What runs or waits, oldest first. From any thread."""
        if not (self._running or self._parked or self._backlog):
            return []
        running = [OpenWork(job.number, job.record, "") for job in tuple(self._running.values())]
        parked = [OpenWork(job.number, job.record, "" if job.record.call_id else "news") for job in tuple(self._parked.values())]
        waiting = [OpenWork(job.number, job.record, "its turn") for job in tuple(self._backlog.values())]
        return sorted([*running, *parked, *waiting], key=lambda call: call.number)

    def statistics(self) -> dict[str, int]:
        """Reading of every queue of this session."""
        return {
            "running": len(self._running),
            "parked": len(self._parked),
            "backlog": len(self._backlog),
            "backlog_bytes": self._backlog_bytes,
            "outbox": len(self.outbox),
            "outbox_bytes": self.outbox.queued_bytes,
            "unsent_bytes": self.channel.unsent_bytes,
            "dropped_notifications": self.outbox.dropped,
            "subscriptions": len(self.peer.subscriptions),
        }

    # --- what the channel delivers --------------------------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        """One text arrived."""
        if self._ending:
            return
        arrived = self._arrived = Message(self.id, Direction.IN, time.perf_counter_ns(), time.time(), len(text), text)
        self._home.telemetry.messages.add(arrived)
        self.record.messages_in += 1
        self.record.bytes_in += len(text)
        try:
            for happening in self.peer.receive_text(text):
                self._react(happening)
        except Exception:  # noqa: BLE001  # a named boundary
            # The last line of defence: a fault of ours ends this one session and is kept as its record.
            self._crash()

    def receive_writable(self) -> None:
        """The client reads again."""
        try:
            self.outbox.flush()
            if not self.outbox.full and not self.closed:
                self.channel.resume_receiving()
                self._places.start_waiting()
        except Exception:  # noqa: BLE001  # a named boundary
            self._crash()

    def receive_close(self, code: int, reason: str) -> None:
        """The connection is gone."""
        if self.closed:
            return
        self.closed = self._ending = True
        self.note_end(code, reason)
        for job in self._empty_backlog():
            self.finish_record(job.record, Outcome.DROPPED)
        self._cancel_running(f"the connection was closed ({code})")
        self._questions.drop()
        for pending in self.peer.close():
            pending.waiter.receive_error(ConnectionClosed(code, reason))
        self.outbox.clear()
        try:
            self._handler.session_closed(self)
        except Exception:
            logger.exception("the end of session %s could not be told", self.id)
        self._home.forget(self)

    def note_end(self, code: int, reason: str) -> None:
        """Write down that it is over."""
        self.record.until = time.time()
        self.record.close_code, self.record.close_reason = code, reason

    def _react(self, happening: Happening) -> None:
        if isinstance(happening, RequestReceived):
            self._handle(happening.exchange)
        elif isinstance(happening, TextToSend):
            message = self.send(happening.text, happening.id, happening.code or 0)
            if happening.answered is not None:
                self._note_answered(happening.answered, message)
        elif isinstance(happening, RequestAnswered):
            self._note_answered(happening, None)
        elif isinstance(happening, RequestCancelled):
            self._cancel(happening.exchange, happening.reason)
        elif isinstance(happening, ResponseReceived):
            self._questions.answered(happening, self._arrived)
            _settle(happening)
        elif isinstance(happening, SessionBegan):
            self._note_client(happening)
        elif isinstance(happening, TextIgnored):
            self.record.ignore(happening.reason)

    def _note_answered(self, answered: RequestAnswered, message: Message | None) -> None:
        self._home.telemetry.record(record_of(answered, self.principal.name, self._arrived, message))

    def _note_client(self, began: SessionBegan) -> None:
        client = began.client
        self.record.era, self.record.protocol_version = client.era, client.version
        if client.info is not None:
            self.record.client_name, self.record.client_version = client.info.name[:100], client.info.version[:40]

    def _crash(self) -> None:
        self.record.crash = traceback.format_exc()
        logger.error("session %s ended by a fault of the workbench itself; see its record", self.id)
        self.close(CLOSE_INTERNAL_ERROR, "internal error; the server's session record holds the details")

    # --- requests ---------------------------------------------------------------------------------------

    def _handle(self, exchange: Exchange) -> None:
        arrived = self._arrived
        record = CallRecord(
            "",
            self.id,
            self.principal.name,
            exchange.client.era,
            exchange.method,
            "",
            exchange.id,
            arrived.at_ns,
            arrived.at,
            exchange.text_bytes,
        )
        record.request = arrived
        try:
            outcome = self._handler.handle(self, exchange, record)
        except RemoteProtocolError as error:
            outcome = None
            self._answer(exchange, error, record)
        except Exception as error:
            logger.exception("answering %s failed", exchange.method)
            outcome = None
            self._answer(exchange, _internal_error(error, record), record)
        if isinstance(outcome, Work):
            self._take_on(_Job(self, exchange, outcome, record))
        elif outcome is not None:
            self._answer(exchange, outcome, record)

    def _take_on(self, job: _Job) -> None:
        self.record.calls += 1
        job.number = self.record.calls
        places = self._places
        if self._refusal is not None:
            self._answer(job.exchange, job.work.refuse(self._refusal), job.record, Outcome.REJECTED)
        elif job.work.parks:
            self._park(job)
        elif not self._backlog and places.free and not self.outbox.full:
            self._start(job)
        elif places.may_wait(job.size):
            self._backlog[job.exchange] = job
            self._backlog_bytes += job.size
            places.wait(self, job.size)
        else:
            sentence = (
                f"Busy: {places.running} calls of {places.whose} are running and {places.waiting} are waiting, "
                "which is all it may have. Wait for answers before sending more."
            )
            self._answer(job.exchange, job.work.refuse(sentence), job.record, Outcome.REJECTED)

    def _park(self, job: _Job) -> None:
        if self._places.may_park:
            self._start(job, parked=True)
            return
        places = self._places
        sentence = f"Busy: {places.parked} calls of {places.whose} wait already, which is all that may. Wait for answers first."
        self._answer(job.exchange, job.work.refuse(sentence), job.record, Outcome.REJECTED)

    def _start(self, job: _Job, *, parked: bool = False) -> None:
        if parked:
            self._parked[job.exchange] = job
            self._places.parked += 1
        else:
            self._running[job.exchange] = job
            self._places.running += 1
        try:
            job.work.start(job.done)
        except Exception as error:
            logger.exception("starting %s failed", job.exchange.method)
            self.finish(job, _internal_error(error, job.record))

    def finish(self, job: _Job, answer: Answer | None) -> None:
        """A work has ended: answer, and start what waits."""
        places = self._places
        if self._running.pop(job.exchange, None) is not None:
            places.running -= 1
        elif self._parked.pop(job.exchange, None) is not None:
            places.parked -= 1
        else:
            return
        try:
            if answer is None or self.closed or job.exchange.fate is Fate.CANCELLED:
                self.finish_record(job.record, Outcome.DROPPED if self.closed and answer is not None else Outcome.CANCELLED)
            else:
                self._answer(job.exchange, answer, job.record)
            if places.waiting:
                places.start_waiting()
        except Exception:  # noqa: BLE001  # a named boundary: whoever ran the work cannot help
            self._crash()
        self._home.call_ended()

    def start_next(self) -> bool:
        """A place has come free: start the call that has waited longest; False when none can be started now."""
        if not self._backlog or self.outbox.full or self._ending:
            return False
        job = next(iter(self._backlog.values()))
        self._leave_backlog(job)
        self._start(job)
        return True

    def _leave_backlog(self, job: _Job) -> bool:
        """Take a call out of those that wait; says whether it was there."""
        if self._backlog.pop(job.exchange, None) is None:
            return False
        self._backlog_bytes -= job.size
        self._places.left(job.size)
        if not self._backlog:
            self._places.forget(self)
        return True

    def _empty_backlog(self) -> Iterator[_Job]:
        while self._backlog:
            job = next(iter(self._backlog.values()))
            self._leave_backlog(job)
            yield job

    def _cancel(self, exchange: Exchange, reason: str) -> None:
        self.outbox.forget(exchange.id)
        waiting = self._backlog.get(exchange)
        if waiting is not None:
            self._leave_backlog(waiting)
            self.finish_record(waiting.record, Outcome.CANCELLED)
        elif (job := self._running.get(exchange) or self._parked.get(exchange)) is not None:
            job.record.note(self._arrived)
            _cancel_work(job, reason or "the client cancelled the request")
        else:
            self._home.sync_index(self, exchange)

    def stop(self, number: int) -> CallRecord | None:
        """End a call, wherever it is, for the notebook's author; its client is answered that it was stopped.

        Args:
            number: As `open_calls` gives it.

        Returns:
            The call's record; None: there is no such call, or it has ended.
        """
        job = next(
            (job for job in (*self._running.values(), *self._parked.values(), *self._backlog.values()) if job.number == number), None
        )
        if job is None or self._ending:
            return None
        if self._leave_backlog(job):
            if (answer := job.work.stop()) is not None:
                self._answer(job.exchange, answer, job.record)
        elif (answer := job.work.stop()) is not None:
            self.finish(job, answer)
        return job.record

    def _cancel_running(self, reason: str) -> None:
        for job in [*self._running.values(), *self._parked.values()]:
            _cancel_work(job, reason)

    def _answer(self, exchange: Exchange, answer: Answer, record: CallRecord, outcome: Outcome | None = None) -> None:
        try:
            text = self._text_of(exchange, answer)
        except ResultTooLarge as large:
            answer = self._handler.too_large(exchange, large.size, large.limit)
            text = self._text_of(exchange, answer)
        except Exception as error:  # noqa: BLE001  # a named boundary
            # A wire object of the author's own making got past rendering; whatever is wrong in it, the client is answered.
            record.exception = freeze_exception(error)
            answer = self._handler.unwritable(exchange)
            text = self._text_of(exchange, answer)
        record.rendered_ns = time.perf_counter_ns()
        if text is not None:
            record.answer = self.send(text, exchange.id, answer.code if isinstance(answer, RemoteProtocolError) else 0)
            record.bytes_out = len(text)
        if isinstance(answer, RemoteProtocolError):
            record.code, record.error = answer.code, answer.message
        self.finish_record(record, outcome or _outcome_of(answer, record))

    def _text_of(self, exchange: Exchange, answer: Answer) -> bytes | None:
        if isinstance(answer, RemoteProtocolError):
            return self.peer.answer_error(exchange, answer.code, answer.message, answer.data)
        return self.peer.answer(exchange, answer)

    def finish_record(self, record: CallRecord, outcome: Outcome) -> None:
        """The exchange is over: note when and how."""
        record.sent_ns = time.perf_counter_ns()
        record.outcome = outcome
        self._home.telemetry.record(record)

    # --- what the client is asked (up to 2025-11-25) --------------------------------------------------------

    def ask(self, exchange: Exchange, method: str, params: dict[str, Any], waiter: Waiter) -> Pending:
        """Make a request of the client while one of its own is in flight.

        Args:
            exchange: The client's request that needs it: where it belongs, for transports that have a way for each.
            method: Its method.
            params: Its params, camelCase.
            waiter: Hears how it ends.

        Raises:
            LocalProtocolError: This client must not be asked now: its handshake is not complete, or its revision has no such request.
        """
        pending, text = self.peer.request(method, params, waiter=waiter)
        message = self.send(text, exchange.id)
        job = self._running.get(exchange) or self._parked.get(exchange)
        self._questions.asked(pending, message, exchange.client.era, None if job is None else job.record)
        return pending

    def take_back(self, exchange: Exchange, pending: Pending, reason: str) -> None:
        """The answer to what was asked within an exchange is wanted no longer: the client is told; nothing happens when it has come."""
        text = self.peer.cancel(pending, reason)
        message = None if text is None or self.closed else self.send(text, exchange.id)
        self._questions.taken_back(pending, message)

    # --- what goes out ------------------------------------------------------------------------------------

    def send(self, text: bytes, owner: RequestId | None = None, settles: int | None = None) -> Message:
        """An answer or a text that must not be lost; see `Outbox.send`."""
        message = self._message_out(text)
        self.outbox.send(message, owner, settles)
        self._watch_outbox()
        return message

    def notify(self, text: bytes, *, owner: RequestId | None = None, key: Hashable | None = None) -> Message:
        """A notification; see `Outbox.notify`."""
        message = self._message_out(text)
        self.outbox.notify(message, owner=owner, key=key)
        self._watch_outbox()
        return message

    def _message_out(self, text: bytes) -> Message:
        size = len(text)
        self.record.messages_out += 1
        self.record.bytes_out += size
        return Message(self.id, Direction.OUT, 0, 0.0, size, text)

    def _watch_outbox(self) -> None:
        if self.outbox.full and not self.closed:
            self.channel.pause_receiving()

    def notify_updated(self, uris: list[str]) -> None:
        """Tell that what these URIs name has changed."""
        for uri in uris:
            for listen_id, text in self.peer.resource_updated(uri).items():
                self.notify(text, owner=listen_id, key=("updated", uri))

    def notify_list_changed(self, listing: Listing) -> None:
        """Tell that a list has changed, if this client is to be told."""
        for listen_id, text in self.peer.list_changed(listing).items():
            self.notify(text, owner=listen_id, key=("list", listing))

    def notify_task(self, task: wire.Task, listen_id: RequestId | None = None) -> None:
        """Tell how a task stands; see `Peer.task_changed`."""
        for each, text in self.peer.task_changed(task, listen_id).items():
            self.notify(text, owner=each, key=("task", task.task_id))

    # --- the end ----------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str) -> None:
        """End the connection; `receive_close` follows."""
        if self._ending:
            return
        self._ending = True
        if code == CLOSE_GOING_AWAY:
            self._cancel_running("the server is shutting down")
            self._end_listens()
        self.outbox.flush_all()
        self.channel.close(code, reason)

    def _end_listens(self) -> None:
        for listen in self.peer.subscriptions.listens:
            if (text := self.peer.end_listen(listen.exchange)) is not None:
                self.send(text, listen.exchange.id, 0)

    def refuse_new(self, sentence: str) -> None:
        """The server stops: what waits, and what still comes, is answered with the sentence; what runs goes on."""
        self._refusal = sentence
        for job in self._empty_backlog():
            self._answer(job.exchange, job.work.refuse(sentence), job.record, Outcome.REJECTED)

    def tick(self, now: float) -> None:
        """Keepalive and slow consumers; called about once a second.

        Args:
            now: `time.monotonic()`.
        """
        if self._ending:
            return
        verdict = self.life.look(self.channel, self.outbox.queued_bytes, now, self._limits)
        if verdict == "ping":
            self.channel.ping()
        elif verdict == "dead":
            self.close(CLOSE_INTERNAL_ERROR, f"no sign of life for {self._limits.ping_after_s + self._limits.dead_after_s:.0f} s")
        elif verdict == "slow":
            self.outbox.clear()
            self.close(CLOSE_TRY_LATER, "slow consumer: read faster, or subscribe to less")


def _settle(response: ResponseReceived) -> None:
    waiter: Waiter = response.pending.waiter
    if response.error is not None:
        waiter.receive_error(response.error)
    else:
        waiter.receive_result(response.result or {})


def _cancel_work(job: _Job, reason: str) -> None:
    try:
        job.work.cancel(reason)
    except Exception:
        logger.exception("cancelling %s failed; it goes on", job.exchange.method)


def _internal_error(error: Exception, record: CallRecord) -> RemoteProtocolError:
    """The answer when the handler itself has failed; the traceback stays with the record."""
    record.exception = freeze_exception(error)
    return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, "Internal error", {"reason": type(error).__name__})


def _outcome_of(answer: Answer, record: CallRecord) -> Outcome:
    if record.outcome is not Outcome.PENDING:
        return record.outcome
    if isinstance(answer, RemoteProtocolError):
        return Outcome.RPC_ERROR
    return Outcome.TOOL_ERROR if isinstance(answer, wire.CallToolResult) and answer.is_error else Outcome.OK
