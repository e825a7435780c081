"""One call as a span: whose child it is, when it began and ended, what it is called.

The parent is the one that the request names, `params._meta.traceparent` and `tracestate`, as W3C writes them (conventions for
MCP, "Context propagation"); a request whose parent was not sampled is not told of. Spans are made when the calls have long
ended, of their records, so no tracer is asked and nothing of it stands on a call's path. Ids are drawn from the system's
randomness: `random` is the notebook's, whose author may have seeded it. Trace contexts are checked here: OpenTelemetry's own
reader logs what it cannot read, letter by letter, into whichever cell runs, and agents choose the letters.

What a call carried is told only where that is asked for (opt-in, as the conventions have it), and without its secrets.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from typing import Any, Protocol

import msgspec
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from mcp_workbench.exploring.exports.otlp_attributes import Attributes, error_type, is_received, span_attributes, span_name
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CALL_TOOL, JOB, CallRecord, Outcome, SessionRecord


class Redacts(Protocol):
    """Withholds what is secret."""

    def message(self, raw: bytes, session: str = "") -> bytes:
        """JSON with nothing secret in it; raises ValueError where it cannot be looked into."""


MAX_PAYLOAD = 8192
"""Characters told of arguments, and of a result."""
MAX_JOBS = 1000
"""Calls that went on as jobs whose spans are remembered, as the parents of what becomes of them."""

# https://www.w3.org/TR/trace-context/#traceparent-header and #tracestate-header; each in linear time.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9_\-*/]{0,240}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}", re.ASCII)
_VALUE = re.compile(r"[ -+\--<>-~]{0,255}[!-+\--<>-~]", re.ASCII)
_LONGEST_CONTEXT = 512
"""Characters of either; what is longer is passed over."""
_MOST_STATES = 32


class _Params(msgspec.Struct):
    meta: dict[str, Any] = msgspec.field(name="_meta", default_factory=dict)


class _Request(msgspec.Struct):
    id: str | int | None = None
    params: _Params | None = None


_one = msgspec.json.Decoder(_Request).decode
_batch = msgspec.json.Decoder(list[_Request]).decode


class Spans:
    """Makes the spans of one export. One thread.

    Args:
        resource: Who tells of them.
        scope: By what.
        redact: Withholds what is secret of arguments and results; None: those are not told. Of names it is withheld before.
    """

    def __init__(self, resource: Resource, scope: InstrumentationScope, redact: Redacts | None = None) -> None:
        self._resource, self._scope, self._redact = resource, scope, redact
        self._jobs: OrderedDict[tuple[str, str | int, int], SpanContext] = OrderedDict()

    def of(self, call: CallRecord, session: SessionRecord | None, named: CallRecord | None = None) -> ReadableSpan | None:
        """The span of a call that ended; None: its parent was not sampled, so neither is it.

        Args:
            call: Which.
            session: Who spoke.
            named: The same call by the names that may be told; None: nothing in them is secret.
        """
        named = call if named is None else named
        address = call.session_id, call.request_id, call.received_ns
        parent = self._jobs.pop(address, None) if call.method == JOB else None
        if parent is None and call.request is not None:
            parent = parent_of(call.request.raw, call.request_id)
        if parent is not None and not parent.trace_flags.sampled:
            return None
        context = _context_under(parent)
        if call.job is not None:
            self._remember(address, context)
        begin = int(call.received_at * 1e9)
        return ReadableSpan(
            name=span_name(named),
            context=context,
            parent=parent,
            resource=self._resource,
            attributes=span_attributes(named, session) | self._payloads(call),
            kind=_kind(call),
            status=self._status(call),
            start_time=begin,
            end_time=begin + _lasted_ns(call),
            instrumentation_scope=self._scope,
        )

    def _remember(self, address: tuple[str, str | int, int], context: SpanContext) -> None:
        self._jobs[address] = context
        if len(self._jobs) > MAX_JOBS:
            self._jobs.popitem(last=False)

    def _status(self, call: CallRecord) -> Status:
        """ERROR where `error.type` is set. The error's message may repeat what the call carried, so it counts as a payload."""
        if error_type(call) is None:
            return Status(StatusCode.UNSET)
        told = call.error if self._redact is not None and call.outcome is Outcome.RPC_ERROR else None
        return Status(StatusCode.ERROR, None if told is None else self._redacted_text(told, call.session_id))

    def _payloads(self, call: CallRecord) -> Attributes:
        """`gen_ai.tool.call.arguments` and `.result`, as JSON, where they were asked for and their texts are still here."""
        if self._redact is None or call.method != CALL_TOOL:
            return {}
        asked, answered = self._read(call.request, call), self._read(call.answer, call)
        params, result = asked.get("params"), answered.get("result")
        told: Attributes = {}
        if isinstance(params, dict) and "arguments" in params:
            told["gen_ai.tool.call.arguments"] = _json(params["arguments"])
        if result is not None and call.outcome is Outcome.OK:
            told["gen_ai.tool.call.result"] = _json(result)
        return told

    def _read(self, message: Message | None, call: CallRecord) -> dict[str, Any]:
        """The entry of a redacted message that belongs to a call; empty where it is gone or cannot be looked into."""
        if message is None or self._redact is None or not message.raw:
            return {}
        try:
            value = msgspec.json.decode(self._redact.message(message.raw, call.session_id))
        except (ValueError, RecursionError):
            return {}
        entries = value if isinstance(value, list) else [value]
        return next((entry for entry in entries if isinstance(entry, dict) and entry.get("id") == call.request_id), {})

    def _redacted_text(self, text: str, session_id: str) -> str | None:
        if self._redact is None:
            return None
        try:
            value = msgspec.json.decode(self._redact.message(msgspec.json.encode(text), session_id))
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, str) else None


def parent_of(raw: bytes, request_id: str | int) -> SpanContext | None:
    """The span that a request says it belongs to; None: it names none, or none that is valid.

    Args:
        raw: The text with the request; a batch as a whole; empty where it is kept no longer.
        request_id: Which of a batch.
    """
    if b"traceparent" not in raw:
        return None
    try:
        requests = _batch(raw) if raw.lstrip()[:1] == b"[" else [_one(raw)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    meta = next((one.params.meta for one in requests if one.id == request_id and one.params is not None), {})
    return _context(meta.get("traceparent"), meta.get("tracestate"))


def _context(parent: object, state: object) -> SpanContext | None:
    """What W3C's two headers say; None: no valid parent."""
    found = _TRACEPARENT.fullmatch(parent) if isinstance(parent, str) and len(parent) <= _LONGEST_CONTEXT else None
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5] is not None):
        return None
    flags = TraceFlags(int(found[4], 16))
    context = SpanContext(int(found[2], 16), int(found[3], 16), is_remote=True, trace_flags=flags, trace_state=_state(state))
    return context if context.is_valid else None


def _state(text: object) -> TraceState | None:
    """What vendors say beside; None: nothing, or something that is none of it."""
    if not isinstance(text, str) or len(text) > _LONGEST_CONTEXT:
        return None
    members = [member.partition("=") for each in text.split(",") if (member := each.strip(" \t"))]
    fit = all(_KEY.fullmatch(key) and _VALUE.fullmatch(value) for key, _, value in members)
    if not fit or not 0 < len({key for key, _, _ in members}) == len(members) <= _MOST_STATES:
        return None
    return TraceState([(key, value) for key, _, value in members])


def _context_under(parent: SpanContext | None) -> SpanContext:
    trace_id = parent.trace_id if parent is not None else secrets.randbits(128) or 1
    state = None if parent is None else parent.trace_state
    return SpanContext(trace_id, secrets.randbits(64) or 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=state)


def _kind(call: CallRecord) -> SpanKind:
    if call.method == JOB:
        return SpanKind.INTERNAL
    return SpanKind.SERVER if is_received(call) else SpanKind.CLIENT


def _lasted_ns(call: CallRecord) -> int:
    """Until the last that is known of it: a call that was dropped has no answer."""
    known = call.sent_ns or call.rendered_ns or call.returned_ns or call.started_ns or call.received_ns
    return max(0, known - call.received_ns)


def _json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= MAX_PAYLOAD else f"{text[:MAX_PAYLOAD]}… ({len(text):,} characters)"
