"""One host's conversation, whoever answers it: a kernel, unchanged text by text, or the stand-in while none is there.

Texts in, texts out, by the calls of a `Driver`; no clock, no await. What it sees to: every request of the host is
answered exactly once, whatever becomes of kernels; requests of different kernels are told apart; lists that changed
meanwhile are announced once. While a kernel joins (`resuming`), what the host says is held back in order: the driver
bounds that by not reading.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import msgspec
from msgspec import UNSET

from mcp_workbench.discovery import Entry
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import ErrorCode, RequestId, encode, encode_error
from mcp_workbench.protocol.admission import legacy_only
from mcp_workbench.protocol.methods import BATCH_VERSION
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.relay import answers, sentences
from mcp_workbench.relay.announcing import Announcing
from mcp_workbench.relay.answers import USE_NAME
from mcp_workbench.relay.choosing import Choice
from mcp_workbench.relay.envelope import Envelope, entries, is_utf8, look, member, usable_id, with_member
from mcp_workbench.relay.explaining import Explaining
from mcp_workbench.relay.memory import LISTINGS, REMEMBERED, Memory
from mcp_workbench.relay.own_tools import STATUS_NAME
from mcp_workbench.relay.questions import Questions
from mcp_workbench.relay.resuming import Resuming
from mcp_workbench.relay.sentences import Loss, Situation
from mcp_workbench.relay.standin import NO_KERNEL, SILENT, Standin

logger = logging.getLogger("mcp_workbench.bridge")

INITIALIZED = "notifications/initialized"
CANCELLED = "notifications/cancelled"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
CHANGED = {f"notifications/{listing}/list_changed": listing for listing in Listing}
WATCHES = {"resources/subscribe": True, "resources/unsubscribe": False}
MAX_WAIT_S = 50.0
"""Hosts give a call up at 60 s."""


class Driver(Protocol):
    """What a relay can ask for."""

    def send_to_host(self, text: bytes) -> None:
        """Send one text."""

    def use(self, request_id: RequestId, name: str) -> None:
        """The agent chose a notebook; due: `Relay.answer_use`."""

    def wake_after(self, request_id: RequestId, seconds: float) -> None:
        """A status call waits for news; due: `Relay.wake`."""

    def give_up(self, sentence: str) -> None:
        """This kernel cannot go on with the conversation: leave it."""


class Asked(msgspec.Struct, gc=False):
    """A request that a kernel has and has not answered."""

    method: str
    text: bytes
    batch: int = 0
    """Number of the array it came in; 0: it came alone."""
    is_status: bool = False


class Relay:
    """Between one host and one kernel after the other.

    Args:
        driver: Sends, and looks for kernels.
        own: How ids of the bridge's own requests begin; nobody else's do.
        now: Seconds since 1970.
        channel: Whether the host is to be brought a channel's news: then a revision is spoken with it that has such.
    """

    def __init__(self, driver: Driver, *, own: str, now: Callable[[], float], channel: bool = False) -> None:
        self.memory = Memory()
        self._channel = channel
        self.entry: Entry | None = None
        """The kernel that is connected, or was last."""
        self._driver = driver
        self._own = own
        self._now = now
        self._ids = 0
        self._situation = Situation()
        self._loss: Loss | None = None
        self._standin: Standin | None = self._new_standin()
        self._resuming: Resuming | None = None
        self._send_to_kernel: Callable[[bytes], None] | None = None
        self._open: dict[RequestId, Asked] = {}
        self._uses: set[RequestId] = set()
        self._waiting: dict[RequestId, bytes] = {}
        """Status calls that wait for a kernel."""
        self._questions = Questions(own)
        self._held: list[bytes] | None = None
        self._batches = 0
        self._explaining = Explaining(self.memory, now)
        self._announcing = Announcing(self.memory, driver.send_to_host)
        self._lists_use = False

    @property
    def holding(self) -> bool:
        """Whether a kernel is joining, so that nothing of the host's goes on."""
        return self._held is not None

    @property
    def idle(self) -> bool:
        """Whether no request of the host waits for an answer."""
        return not self._open and not self._uses and not self._held

    # --- what the driver knows ----------------------------------------------------------------------------

    def know(self, choice: Choice, problem: str | None = None, ignored: tuple[str, ...] = ()) -> None:
        """What is known about notebooks has changed, or may have.

        Args:
            choice: What runs.
            problem: Why the chosen one cannot be connected, as a sentence.
            ignored: Discovery files that were not used, as phrases.
        """
        before = self._situation
        # One that is about to be connected is news when it is, or cannot be.
        news = (choice.entry is None and choice.candidates != before.choice.candidates) or (problem not in (None, before.problem))
        self._situation = Situation(choice, problem, self._loss, ignored)
        if choice.several and not self._lists_use:
            # It stays listed: a list that comes and goes with every kernel costs the host more than one tool does.
            self._lists_use = True
            if "tools/list" in self.memory.told:
                self._announcing.tell(Listing.TOOLS)
        if news:
            self._answer_waiting()

    def wake(self, request_id: RequestId) -> None:
        """A status call has waited long enough."""
        if not self.holding and request_id in self._waiting:  # a kernel that joins will answer it
            self._stand_in(self._waiting.pop(request_id))

    def join(self, entry: Entry, send: Callable[[bytes], None]) -> None:
        """A kernel is connected.

        Args:
            entry: Which.
            send: Sends it a text.
        """
        self.entry = entry
        self._explaining.note_kernel(entry)
        self._standin, self._loss, self._send_to_kernel, self._held = None, None, send, []
        self._resuming = Resuming(self.memory, send, self._new_id, self._tell_updated)
        self._resuming.begin()
        self._go_on_when_settled()

    def leave(self, reason: str) -> None:
        """The kernel is gone; every open request is answered now.

        Args:
            reason: As a phrase.
        """
        if self.entry is None or self._send_to_kernel is None:
            return
        loss = self._loss = Loss(self.entry, self._now(), reason)
        # Whether it still runs is not known before the next look.
        self._situation = Situation(replace(self._situation.choice, entry=None), None, loss)
        self._send_to_kernel, self._resuming, self._standin = None, None, self._new_standin()
        for question in self._questions.abandon():
            self._driver.send_to_host(answers.cancelled(question, "the kernel that asked is gone"))
        lost, self._open = self._open, {}
        held, self._held = self._held or [], None
        self._answer_lost(lost, loss)
        self._answer_waiting()
        for text in held:
            self.receive_from_host(text)

    def answer_use(self, request_id: RequestId, text: str, *, is_error: bool) -> None:
        """What became of a choice; nothing is said when it was cancelled."""
        if request_id in self._uses:
            self._uses.discard(request_id)
            self._driver.send_to_host(answers.tool_answer(self.memory.era, request_id, text, is_error=is_error))

    def fail_use(self, request_id: RequestId) -> None:
        """A fault of ours came between a choice and its answer."""
        if request_id in self._uses:
            self._uses.discard(request_id)
            self._driver.send_to_host(_fault(request_id))

    # --- from the host ------------------------------------------------------------------------------------

    def receive_from_host(self, text: bytes) -> None:
        """Take one text; never raises."""
        try:
            self._read(text)
        except Exception:
            # The boundary towards the host: its channel would end with what is raised, and every request with it.
            logger.exception("a fault of the bridge itself while it read the host; it goes on")
            batch = entries(text)
            if batch is not None:
                self._send_array(self._faults(batch))
            else:
                for answer in self._faults([text]):
                    self._driver.send_to_host(answer)

    def _faults(self, texts: list[bytes]) -> list[bytes]:
        """What the requests among these messages are answered after a fault of ours: nobody else answers them any more."""
        requests = [seen.id for seen in map(look, texts) if seen is not None and seen.method is not None and seen.id is not None]
        for request_id in requests:
            self._uses.discard(request_id)
            self._waiting.pop(request_id, None)
            self._open.pop(request_id, None)
        return [_fault(request_id) for request_id in requests]

    def _read(self, text: bytes) -> None:
        if not is_utf8(text):
            # A WebSocket has UTF-8 only: the kernel would have to close it (RFC 6455 section 8.1), and all that is open there with it.
            self._driver.send_to_host(encode_error(None, ErrorCode.PARSE_ERROR, sentences.NOT_UTF8))
            return
        seen = look(text)
        if seen is not None and seen.method is None and seen.id is not None:
            self._receive_response_of_host(seen, text)
        elif self._held is not None:
            self._held.append(text)
        elif seen is None or seen.method is None:
            self._receive_odd(text)
        elif seen.id is None:
            self._receive_notification_of_host(seen.method, text)
        else:
            self._receive_request(seen.id, seen.method, text)

    def _receive_request(self, request_id: RequestId, method: str, text: bytes) -> None:
        if self._channel and method == "server/discover":
            self._driver.send_to_host(encode_error(request_id, ErrorCode.METHOD_NOT_FOUND, legacy_only(method)))
            return
        if method == "tools/call" and b"notebook_" in text and self._is_own_call(request_id, text):
            return
        if self._send_to_kernel is None:
            self._stand_in(text)
        else:
            self._note_wanted(method, text)
            self._open[request_id] = Asked(method, text)
            self._send_to_kernel(text)

    def _note_wanted(self, method: str, text: bytes) -> None:
        if method in WATCHES and self._resuming is not None:
            self._resuming.note_wanted(str(member(text, "params").get("uri")), wanted=WATCHES[method])

    def _is_own_call(self, request_id: RequestId, text: bytes) -> bool:
        """Whether a call is for the bridge alone; the kernel's status is watched for its answer."""
        params = member(text, "params")
        name, arguments = params.get("name"), params.get("arguments")
        if name == USE_NAME:
            wanted = arguments.get("name") if isinstance(arguments, dict) else None
            self._uses.add(request_id)
            if self.memory.era is None:
                self.memory.note_era(text)
            self._driver.use(request_id, wanted if isinstance(wanted, str) else "")
            return True
        if name == STATUS_NAME and self._send_to_kernel is not None:
            self._open[request_id] = Asked("tools/call", text, is_status=True)
            self._send_to_kernel(text)
            return True
        wait_s = arguments.get("wait_s") if name == STATUS_NAME and isinstance(arguments, dict) else None
        if isinstance(wait_s, int | float) and wait_s > 0:
            self._waiting[request_id] = text
            self._driver.wake_after(request_id, min(wait_s, MAX_WAIT_S))
            return True
        return False

    def _answer_waiting(self) -> None:
        """What status calls waited for has come: whoever serves now answers them."""
        waiting, self._waiting = self._waiting, {}
        for request_id, text in waiting.items():
            if self._send_to_kernel is None:
                self._stand_in(text)
            else:
                self._open[request_id] = Asked("tools/call", text, is_status=True)
                self._send_to_kernel(text)

    def _receive_notification_of_host(self, method: str, text: bytes) -> None:
        if method == CANCELLED and not self._takes_cancel(usable_id(member(text, "params").get("requestId"))):
            return  # of a request that is answered already, for instance because its kernel is gone
        if self._send_to_kernel is None:
            self._stand_in(text)
        else:
            self._send_to_kernel(text)
        if method == INITIALIZED:
            self.memory.initialized = True
            self._announcing.tell_due()

    def _takes_cancel(self, request_id: RequestId | None) -> bool:
        """Whether whoever serves the host now has this request."""
        if request_id is None:
            return False
        self._uses.discard(request_id)
        self._waiting.pop(request_id, None)
        if self.memory.listens.pop(request_id, None) is not None:
            if self._resuming is not None:
                self._resuming.forget(request_id)
            return True
        return self._open.pop(request_id, None) is not None

    def _receive_response_of_host(self, seen: Envelope, text: bytes) -> None:
        asked = self._questions.answered(seen.id)
        if asked is not None and self._send_to_kernel is not None:
            self._send_to_kernel(text if asked == seen.id else with_member(text, "id", asked))

    def _receive_odd(self, text: bytes) -> None:
        """An array, or what is no message at all."""
        batch = entries(text) if self.memory.opening.get("protocolVersion") == BATCH_VERSION else None
        if self._send_to_kernel is not None:
            self._batches += 1
            for entry in batch or ():
                seen = look(entry)
                if seen is not None and seen.method is not None and seen.id is not None:
                    self._note_wanted(seen.method, entry)
                    self._open[seen.id] = Asked(seen.method, entry, self._batches)
            self._send_to_kernel(text)
        elif not batch:
            self._stand_in(text)
        else:
            self._send_array([answer for entry in batch for answer in self._standin_answers(entry)])

    def _stand_in(self, text: bytes) -> None:
        for answer in self._standin_answers(text):
            self._driver.send_to_host(answer)

    def _standin_answers(self, text: bytes) -> list[bytes]:
        """What the stand-in says to one message; never raises."""
        try:
            return self._said_by_standin(text)
        except Exception:
            # Many requests are answered in a row, when a kernel is lost or news comes: one must not cost the others.
            logger.exception("a fault of the bridge itself while it answered for a notebook; it goes on")
            return self._faults([text])

    def _said_by_standin(self, text: bytes) -> list[bytes]:
        seen = look(text)
        if self._standin is None:
            return []
        told = list(self._standin.receive(text))
        if seen is not None and seen.method in LISTINGS and seen.id is not None:
            told = [self._listed(seen.method, answer) for answer in told]
        return told

    def _send_array(self, texts: list[bytes]) -> None:
        if texts:
            self._driver.send_to_host(b"[" + b",".join(texts) + b"]")

    # --- from the kernel ----------------------------------------------------------------------------------

    def receive_from_kernel(self, text: bytes) -> None:
        """Take one text of the kernel that is connected."""
        seen = look(text)
        if seen is None:
            batch = entries(text)
            if batch:
                text = self._answered_batch(batch, text)
            self._driver.send_to_host(text)
        elif seen.method is None:
            self._receive_response(seen, text)
        elif seen.id is not None:
            host_id = self._questions.asked(seen.id)
            self._driver.send_to_host(text if host_id == seen.id else with_member(text, "id", host_id))
        else:
            self._receive_notification(seen.method, text)

    def _receive_response(self, seen: Envelope, text: bytes) -> None:
        asked = None if seen.id is None else self._open.pop(seen.id, None)
        if asked is not None:
            if self._is_looked_at(asked) or seen.error is not UNSET:
                text = self._answered(asked, seen, text)
            self._driver.send_to_host(text)
        elif self._resuming is not None and isinstance(seen.id, str) and seen.id.startswith(self._own):
            self._resuming.receive_response(seen.id, text, failed=seen.error is not UNSET)
            self._go_on_when_settled()
        elif self._resuming is not None and seen.id is not None and seen.id in self.memory.listens:
            # A server that stops ends its listens; for the host they go on, with the next kernel.
            self._resuming.receive_end_of_listen(seen.id)
            self._go_on_when_settled()
        else:
            self._driver.send_to_host(text)

    def _is_looked_at(self, asked: Asked) -> bool:
        """Whether an answer is more than passed on."""
        if self.memory.era is None or asked.is_status or asked.method in REMEMBERED:
            return True
        return asked.method == "tools/call" and self._explaining.after_restart

    def _answered_batch(self, batch: list[bytes], text: bytes) -> bytes:
        fitted = []
        for entry in batch:
            seen = look(entry)
            asked = None if seen is None or seen.method is not None or seen.id is None else self._open.pop(seen.id, None)
            fitted.append(entry if asked is None or seen is None else self._answered(asked, seen, entry))
        return text if fitted == batch else b"[" + b",".join(fitted) + b"]"

    def _answered(self, asked: Asked, seen: Envelope, text: bytes) -> bytes:
        """Note what an answer means; returns it as the host is to read it."""
        if seen.error is not UNSET:
            sentence = self._explaining.unknown_tool(asked.text, text) if asked.method == "tools/call" else None
            if sentence is None or seen.id is None:
                return text
            if self.memory.era is None:
                self.memory.note_era(asked.text)
            return answers.tool_answer(self.memory.era, seen.id, sentence, is_error=True)
        if self.memory.era is None:
            self.memory.note_era(asked.text)
        if asked.method in REMEMBERED:
            self.memory.note(asked.method, asked.text, text)
        if asked.method in LISTINGS:
            return self._listed(asked.method, text)
        if asked.method == "initialize" and self._channel:
            return answers.with_channel(text)
        if asked.is_status:
            return self._explaining.status(text, self._situation.choice, with_others=self._lists_use)
        if asked.method == "tools/call" and self._explaining.after_restart:
            return self._explaining.with_restart(asked.text, text)
        return text

    def _listed(self, method: str, text: bytes) -> bytes:
        """The host is told a list."""
        self._announcing.note_listed(LISTINGS[method])
        if self._send_to_kernel is not None:
            self._explaining.note_listed(method)
        return answers.with_tools(text, self._added(self.memory.items(method))) if method == "tools/list" else text

    def _added(self, tools: list[Any]) -> list[dict[str, Any]]:
        return answers.added_tools(answers.names(tools), with_use=self._lists_use)

    def _is_as_shown(self, method: str, items: list[Any]) -> bool:
        """Whether a kernel's list is what the host was shown last; the order of tools does not matter."""
        shown = self.memory.items(method)
        if method != "tools/list":
            return items == shown
        return sorted(map(encode, items + self._added(items))) == sorted(map(encode, shown + self._added(shown)))

    def _receive_notification(self, method: str, text: bytes) -> None:
        if method == ACKNOWLEDGED:
            self._receive_acknowledgement(answers.subscription_id(text), text)
        elif method == CANCELLED:
            self._receive_cancel_of_kernel(usable_id(member(text, "params").get("requestId")), text)
        elif method in CHANGED:
            self._receive_list_changed(CHANGED[method], text)
        else:
            self._driver.send_to_host(text)

    def _receive_acknowledgement(self, listen_id: RequestId | None, text: bytes) -> None:
        asked = None if listen_id is None else self._open.pop(listen_id, None)
        if asked is not None and listen_id is not None:
            self.memory.hold(listen_id, asked.text)
            self._driver.send_to_host(text)
        elif self._resuming is not None and listen_id is not None:
            self._resuming.receive_acknowledgement(listen_id, text)
            self._go_on_when_settled()

    def _receive_cancel_of_kernel(self, request_id: RequestId | None, text: bytes) -> None:
        if request_id is None:
            return
        host_id = self._questions.withdrawn(request_id)
        if host_id is not None:
            self._driver.send_to_host(text if host_id == request_id else answers.cancelled(host_id, "withdrawn"))
        elif request_id in self.memory.listens and self._resuming is not None:
            self._resuming.receive_end_of_listen(request_id)
            self._go_on_when_settled()
        else:
            self._driver.send_to_host(text)

    def _receive_list_changed(self, listing: Listing, text: bytes) -> None:
        listen_id = answers.subscription_id(text) if self.memory.era is Era.MODERN else None
        if self._resuming is None or listen_id is None or not self._resuming.owns(listen_id):
            self._announcing.note_told(listing)
            self._driver.send_to_host(text)
        if listing is Listing.RESOURCES and self._resuming is not None:
            self._resuming.retry()

    # --- a kernel joins -----------------------------------------------------------------------------------

    def _go_on_when_settled(self) -> None:
        resuming = self._resuming
        if resuming is None or self._held is None:
            return
        if resuming.failure is not None:
            self._driver.give_up(resuming.failure)
        elif resuming.settled:
            for method, items in resuming.lists.items():
                if not self._is_as_shown(method, items):
                    self._announcing.tell(LISTINGS[method])
            self._answer_waiting()
            held, self._held = self._held, None
            for text in held:
                self.receive_from_host(text)

    def _tell_updated(self, uri: str, listen_id: RequestId | None) -> None:
        self._driver.send_to_host(answers.updated(uri, listen_id))

    # --- a kernel is gone ---------------------------------------------------------------------------------

    def _answer_lost(self, lost: dict[RequestId, Asked], loss: Loss) -> None:
        arrays: dict[int, list[bytes]] = {}
        for request_id, asked in lost.items():
            again = asked.is_status or asked.method in SILENT
            told = self._standin_answers(asked.text) if again else [self._lost(request_id, asked, loss)]
            if asked.batch:
                arrays.setdefault(asked.batch, []).extend(told)
            else:
                for text in told:
                    self._driver.send_to_host(text)
        for texts in arrays.values():
            self._send_array(texts)

    def _lost(self, request_id: RequestId, asked: Asked, loss: Loss) -> bytes:
        if asked.method != "tools/call":
            return encode_error(request_id, ErrorCode.INTERNAL_ERROR, sentences.lost_request(asked.method, loss), NO_KERNEL)
        if self.memory.era is None:
            self.memory.note_era(asked.text)
        tool = str(member(asked.text, "params").get("name"))
        sentence = sentences.lost_call(tool, loss, read_only=self.memory.is_read_only(tool))
        return answers.tool_answer(self.memory.era, request_id, sentence, is_error=True)

    def _new_standin(self) -> Standin:
        description = answers.CHANNEL_DESCRIPTION if self._channel else answers.DESCRIPTION
        return Standin(self.memory, lambda: self._situation, self._now, description)

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._own}{self._ids}"


def _fault(request_id: RequestId) -> bytes:
    return encode_error(request_id, ErrorCode.INTERNAL_ERROR, sentences.FAULT)
