"""From messages alone to calls: which answer belongs to which request, and what was said for it meanwhile.

For traffic of which only the texts are heard: this notebook as a client, a tap, a recording. What our own server answers is
written down by who answers it, with times nobody can hear (`sessions`). Pure: messages in, records out, in the order of the
messages; whoever calls says what a conversation is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import MAX_ID, Batch, ErrorResponse, Malformed, Notification, Request, RequestId, ResultResponse, decode
from mcp_workbench.protocol import wire
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import CallRecord, Outcome, SessionRecord, Side

MAX_OPEN = 4096
"""Requests of one conversation that wait for their answers; past it the oldest counts as dropped."""

_INITIALIZE, _DISCOVER, _CANCELLED, _PROGRESS = "initialize", "server/discover", "notifications/cancelled", "notifications/progress"
_OPPOSITE = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}

_METHOD, _TARGET, _SENTENCE = 300, 1000, 1000
"""Characters that are kept: the texts themselves may go, tens of thousands of records stay."""

_Address = tuple[Direction, RequestId]
"""Which way a request went, and its id: each side counts its own."""


class Pairing:
    """Pairs the messages of one conversation.

    Args:
        session: Whose they are; filled in from what is said.
        side: Where it is heard.
        ended: Called with each call that has ended, its outcome set.
    """

    def __init__(self, session: SessionRecord, side: Side, ended: Callable[[CallRecord], None]) -> None:
        self.session, self._side, self._ended = session, side, ended
        self._open: OrderedDict[_Address, CallRecord] = OrderedDict()
        self._by_token: dict[_Address, CallRecord] = {}
        self._tokens: dict[CallRecord, _Address] = {}
        """The same the other way round."""

    def waiting(self) -> list[CallRecord]:
        """The calls that wait for their answers, oldest first."""
        return list(self._open.copy().values())

    def add(self, message: Message) -> None:
        """One message crossed. Its text must still be there; what is no message of JSON-RPC counts as ignored."""
        session = self.session
        if message.direction is Direction.IN:
            session.messages_in += 1
            session.bytes_in += message.size
        else:
            session.messages_out += 1
            session.bytes_out += message.size
        decoded = decode(message.raw)
        for entry in decoded.entries if isinstance(decoded, Batch) else (decoded,):
            self._take(message, entry)

    def close(self, at_ns: int) -> None:
        """The conversation is over: what waits is dropped."""
        for call in self.waiting():
            self._end(call, Outcome.DROPPED, at_ns)

    def _take(self, message: Message, entry: object) -> None:
        if isinstance(entry, Request):
            self._begin(message, entry)
        elif isinstance(entry, ResultResponse | ErrorResponse):
            self._answer(message, entry)
        elif isinstance(entry, Notification):
            self._notice(message, entry)
        elif isinstance(entry, Malformed):
            self.session.ignore("not a message of JSON-RPC")

    def _begin(self, message: Message, request: Request) -> None:
        params = request.params or {}
        self._note_facts(request.method, params)
        session = self.session
        call = CallRecord(
            "",
            session.session_id,
            session.principal,
            session.era or Era.LEGACY,
            request.method[:_METHOD],
            target_of(request.method, params)[:_TARGET],
            request.id,
            message.at_ns,
            message.at,
            message.size,
        )
        call.side, call.direction, call.request = self._side, message.direction, message
        self._wait(call, (message.direction, request.id), params)

    def _wait(self, call: CallRecord, address: _Address, params: dict[str, Any]) -> None:
        waiting = self._open
        if (same := waiting.get(address)) is not None:  # the id is used again: its first answer will never be told apart
            self._end(same, Outcome.DROPPED, call.received_ns)
        elif len(waiting) >= MAX_OPEN:
            self._end(next(iter(waiting.values())), Outcome.DROPPED, call.received_ns)
        waiting[address] = call
        if call.method.startswith("tools/"):
            self.session.calls += 1
        token = _object(params.get("_meta")).get("progressToken")
        if isinstance(token, int) or (isinstance(token, str) and len(token) <= MAX_ID):
            self._by_token[address[0], token] = call
            self._tokens[call] = address[0], token

    def _note_facts(self, method: str, params: dict[str, Any]) -> None:
        """What a client says of itself: at the beginning (legacy), or in every request (modern)."""
        session, meta = self.session, _object(params.get("_meta"))
        modern = wire.META_VERSION in meta
        if not modern and method != _INITIALIZE:
            return
        version = meta.get(wire.META_VERSION) if modern else params.get("protocolVersion")
        info = _object(meta.get(wire.META_CLIENT_INFO) if modern else params.get("clientInfo"))
        session.era = Era.MODERN if modern else Era.LEGACY
        if isinstance(version, str):
            session.protocol_version = version[:40]
        if isinstance(info.get("name"), str):
            session.client_name, session.client_version = info["name"][:100], str(info.get("version", ""))[:40]

    def _answer(self, message: Message, response: ResultResponse | ErrorResponse) -> None:
        call = None if response.id is None else self._open.get((_OPPOSITE[message.direction], response.id))
        if call is None:
            self.session.ignore("response to an unknown id")
            return
        call.answer, call.bytes_out = message, message.size
        if isinstance(response, ErrorResponse):
            call.code, call.error = code_of(response.code), response.message[:_SENTENCE]
            self._end(call, Outcome.RPC_ERROR, message.at_ns)
            return
        if call.method == _INITIALIZE and isinstance(version := response.result.get("protocolVersion"), str):
            self.session.protocol_version = version[:40]
        outcome = outcome_of(response.result)
        if outcome is Outcome.TOOL_ERROR:
            call.error = sentence_of(response.result)
        self._end(call, outcome, message.at_ns)

    def _notice(self, message: Message, notification: Notification) -> None:
        params = notification.params or {}
        if notification.method == _CANCELLED:
            call = self._call_of(message.direction, params.get("requestId"))
            if call is not None:
                call.note(message)
                self._end(call, Outcome.CANCELLED, message.at_ns)
            return
        if (call := self._belongs_to(message.direction, notification.method, params)) is not None:
            call.note(message)

    def _belongs_to(self, direction: Direction, method: str, params: dict[str, Any]) -> CallRecord | None:
        """The request a notification was sent for: by progress token, by listen, or the only one that waits for an answer."""
        asked = _OPPOSITE[direction]
        if method == _PROGRESS:
            token = params.get("progressToken")
            return self._by_token.get((asked, token)) if isinstance(token, str | int) else None
        return self._call_of(asked, _object(params.get("_meta")).get(wire.META_SUBSCRIPTION))

    def _call_of(self, direction: Direction, request_id: object) -> CallRecord | None:
        return self._open.get((direction, request_id)) if isinstance(request_id, str | int) else None

    def _end(self, call: CallRecord, outcome: Outcome, at_ns: int) -> None:
        self._open.pop((call.direction, call.request_id), None)
        if (token := self._tokens.pop(call, None)) is not None and self._by_token.get(token) is call:
            del self._by_token[token]
        call.outcome, call.sent_ns = outcome, at_ns
        self._ended(call)


def target_of(method: str, params: dict[str, Any]) -> str:
    """Tool, prompt, resource or task a request names; empty for requests that name none."""
    member = "name" if method.startswith(("tools/", "prompts/")) else "uri" if method.startswith("resources/") else "taskId"
    name = params.get(member)
    return name if isinstance(name, str) else ""


def code_of(code: int | None) -> int | None:
    """An error's code; None: it is no 64-bit number, and nothing that counts and writes calls could hold it."""
    return code if code is not None and -(2**63) <= code < 2**63 else None


def outcome_of(result: dict[str, Any]) -> Outcome:
    """How a request ended that was answered with a result."""
    if result.get("resultType") == "input_required":
        return Outcome.INPUT_REQUIRED
    return Outcome.TOOL_ERROR if result.get("isError") is True else Outcome.OK


def sentence_of(result: dict[str, Any]) -> str | None:
    """What a result that says `isError` says: its first text; None: it has none."""
    content = result.get("content")
    texts = (block.get("text") for block in content if isinstance(block, dict)) if isinstance(content, list) else ()
    return next((text[:_SENTENCE] for text in texts if isinstance(text, str) and text), None)


def entries_of(raw: bytes) -> Iterator[Any]:
    """The messages in one text, as plain JSON values; nothing where it is no JSON."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    yield from value if isinstance(value, list) else (value,)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
