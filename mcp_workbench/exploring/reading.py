"""What one message says, and what a call was asked and answered: read off their texts by whoever wants to know.

Nothing is remembered here: a `Reading` lasts as long as whoever holds it. Texts that were pushed out of memory say nothing,
texts that are no messages of JSON-RPC say that they are `malformed`; neither raises. The neighbours are `columns`, which asks
here for every row, and `jsonrpc`, which decides what a message is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from mcp_workbench.jsonrpc import Batch, Decoded, ErrorResponse, Malformed, Notification, Request, RequestId, ResultResponse, decode
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.pairing import outcome_of, sentence_of, target_of
from mcp_workbench.telemetry.records import CallRecord, Outcome

UPDATED = "notifications/resources/updated"
WITH_ARGUMENTS = ("tools/call", "prompts/get")
"""Methods whose params hold what a function is called with; of the others, the params are that."""


class Kind(StrEnum):
    """What a text is."""

    REQUEST = "request"
    RESPONSE = "response"
    """An answer with a result, also one that says `isError`."""
    ERROR = "error"
    """An answer with a JSON-RPC error."""
    NOTIFICATION = "notification"
    BATCH = "batch"
    """Several messages in one text (2025-03-26); what they say is not looked into."""
    MALFORMED = "malformed"
    """No message of JSON-RPC."""


_KINDS: dict[type, Kind] = {
    Request: Kind.REQUEST,
    ResultResponse: Kind.RESPONSE,
    ErrorResponse: Kind.ERROR,
    Notification: Kind.NOTIFICATION,
    Batch: Kind.BATCH,
    Malformed: Kind.MALFORMED,
}


class Reading:
    """One message, its text read when it is first asked for anything it says.

    Args:
        message: Which.
    """

    __slots__ = ("_decoded", "_is_read", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._is_read = False
        self._decoded: Decoded | None = None

    @property
    def decoded(self) -> Decoded | None:
        """As JSON-RPC has it; None: its text was pushed out of memory."""
        if not self._is_read:
            self._decoded = decode(self.message.raw) if self.message.kept else None
            self._is_read = True
        return self._decoded

    @property
    def kind(self) -> Kind | None:
        """None: its text was pushed out of memory."""
        decoded = self.decoded
        return None if decoded is None else _KINDS[type(decoded)]

    @property
    def id(self) -> RequestId | None:
        """Of a request, or of the request that is answered; of what is malformed, where one could be read."""
        return getattr(self.decoded, "id", None)

    @property
    def method(self) -> str:
        """Of a request or notification; an answer does not say what it answers."""
        decoded = self.decoded
        return decoded.method if isinstance(decoded, Request | Notification) else ""

    @property
    def target(self) -> str:
        """Tool, prompt, resource or task that is named; empty where none is."""
        decoded = self.decoded
        if not isinstance(decoded, Request | Notification):
            return ""
        return target_of("resources/updated" if decoded.method == UPDATED else decoded.method, decoded.params or {})

    @property
    def params(self) -> dict[str, Any] | None:
        """Of a request or notification that has any."""
        decoded = self.decoded
        return decoded.params if isinstance(decoded, Request | Notification) else None

    @property
    def arguments(self) -> object:
        """What a function is called with; of methods that call none, the params. None: there are none."""
        params = self.params
        return params.get("arguments") if params is not None and self.method in WITH_ARGUMENTS else params

    @property
    def result(self) -> dict[str, Any] | None:
        """Of an answer."""
        decoded = self.decoded
        return decoded.result if isinstance(decoded, ResultResponse) else None

    @property
    def code(self) -> int | None:
        """Of an error."""
        decoded = self.decoded
        return decoded.code if isinstance(decoded, ErrorResponse) else None

    @property
    def error(self) -> str | None:
        """An error's sentence, also of a tool that says `isError`."""
        decoded = self.decoded
        if isinstance(decoded, ResultResponse):
            return sentence_of(decoded.result) if outcome_of(decoded.result) is Outcome.TOOL_ERROR else None
        return decoded.message if isinstance(decoded, ErrorResponse) else None

    @property
    def outcome(self) -> Outcome | None:
        """What an answer says of its request; None: it is no answer."""
        decoded = self.decoded
        if isinstance(decoded, ResultResponse):
            return outcome_of(decoded.result)
        return Outcome.RPC_ERROR if isinstance(decoded, ErrorResponse) else None


def read(message: Message) -> Reading:
    """What it says."""
    return Reading(message)


def text_of(message: Message | None) -> str | None:
    """Its text; bytes that are not UTF-8 as U+FFFD. None: there is none, or it was pushed out of memory."""
    return None if message is None or not message.kept else message.raw.decode("utf-8", "replace")


def arguments_of(call: CallRecord) -> str | None:
    """JSON text of what a call was called with, as in its request; where that was pushed out, as kept of one that failed."""
    said = _said(call.request, call.request_id, asks=True)
    if said is None:
        return None if call.arguments is None else call.arguments.decode("utf-8", "replace")
    if said.method not in WITH_ARGUMENTS:
        return _text(said.params)
    try:
        return _text(_params.decode(said.params).arguments)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def result_of(call: CallRecord) -> str | None:
    """JSON text of a call's result; None: it has none, or its answer was pushed out of memory."""
    said = _said(call.answer, call.request_id, asks=False)
    return None if said is None else _text(said.result)


class _Said(msgspec.Struct, gc=False):
    """The members of a message that are cut out, not looked into."""

    id: Any = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()


class _Params(msgspec.Struct, gc=False):
    arguments: msgspec.Raw = msgspec.Raw()


_one, _several, _params = msgspec.json.Decoder(_Said), msgspec.json.Decoder(list[_Said]), msgspec.json.Decoder(_Params)


def _said(message: Message | None, request_id: RequestId, *, asks: bool) -> _Said | None:
    """The message itself, or the request, else the answer, of a batch that has this id."""
    if message is None or not message.kept:
        return None
    raw = message.raw
    try:
        if raw[:1] == b"{" or raw.lstrip()[:1] != b"[":
            return _one.decode(raw)
        return next((said for said in _several.decode(raw) if said.id == request_id and (said.method != "") is asks), None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(raw: msgspec.Raw) -> str | None:
    return bytes(raw).decode("utf-8", "replace") if raw else None
