"""One call as people hold it: what was asked and answered, how long each part took, and what crossed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from traceback import TracebackException
from typing import Any

import msgspec

from mcp_workbench.errors import in_one_line
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.message_list import MessageList
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.reading import WITH_ARGUMENTS, arguments_of
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, FAINT, LINE, MONO, box, faint, framed, name, span, strong, text, title
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.pairing import entries_of
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import ended, moment, plain, shown, visible

_SHOWN_CHARS = 2000
_SHOWN_MESSAGES = 12
_LOOKED_INTO = 10_000
"""Bytes of a request whose arguments are shown in one line."""
_PRE = f"{MONO};white-space:pre-wrap;overflow-wrap:anywhere;max-height:16em;overflow:auto;border-left:2px solid {LINE};padding-left:8px"


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a call."""

    at_ms: float
    """After the request arrived."""
    what: str
    """`request`, `started`, `returned`, `answer`, or the method of a message."""
    text: str = field(default="", repr=False)
    """The message's text, as far as it is kept; it shows itself nowhere, for it may hold secrets."""


class Call:
    """One exchange. Read-only; everything is read off its record when it is asked for.

    Args:
        record: What was written down.
        annotations: Where notes beside it stand.
        redactor: Makes what withholds secrets from outputs.
    """

    def __init__(self, record: CallRecord, annotations: Annotations, redactor: Callable[[], Redactor] = Redactor) -> None:
        self.record = record
        self._annotations = annotations
        self.redactor = redactor

    # --- who and what -----------------------------------------------------------------------------------

    @property
    def method(self) -> str:
        """JSON-RPC method, for instance `tools/call`."""
        return self.record.method

    @property
    def target(self) -> str:
        """Tool, prompt, or resource; empty for methods without one."""
        return self.record.target

    @property
    def session(self) -> str:
        """`s1` of this server, `out1` of this notebook as a client, `tap1` of a tap."""
        return self.record.session_id

    @property
    def outcome(self) -> str:
        """`ok`, `tool_error`, `rpc_error`, `timeout`, `cancelled`, `rejected`, `dropped` or `input_required`."""
        return str(self.record.outcome)

    @property
    def failed(self) -> bool:
        """Whether it went wrong."""
        return self.record.failed

    @property
    def error(self) -> str | None:
        """One sentence: what went wrong."""
        return self.record.error

    @property
    def at(self) -> datetime:
        """When the request had come, by the clock of this machine's place."""
        return datetime.fromtimestamp(self.record.received_at).astimezone()

    @property
    def annotations(self) -> tuple[str, ...]:
        """What people wrote beside it."""
        return self._annotations.of(self.record)

    # --- how long -----------------------------------------------------------------------------------------

    @property
    def total_ms(self) -> float | None:
        """From the request's arrival until the answer was sent; None: it was never answered."""
        return _ms(self.record.total_ns)

    @property
    def wait_ms(self) -> float | None:
        """Until user code was entered; None: it was not, or is not known, as of calls to other servers."""
        return _ms(self.record.wait_ns)

    @property
    def run_ms(self) -> float | None:
        """Inside user code."""
        return _ms(self.record.run_ns)

    @property
    def send_ms(self) -> float | None:
        """From the end of user code until sent."""
        return _ms(self.record.send_ns)

    # --- what was said --------------------------------------------------------------------------------------

    @property
    def request(self) -> Any:
        """The request as plain JSON values; None: its text was pushed out by newer ones."""
        return _entry(self.record.request, self.record, asks=True)

    @property
    def response(self) -> Any:
        """The answer as plain JSON values; None: there was none, or it is kept no longer."""
        return _entry(self.record.answer, self.record, asks=False)

    @property
    def params(self) -> dict[str, Any]:
        """Of the request; empty where there are none, or they are kept no longer."""
        request = self.request
        params = request.get("params") if isinstance(request, dict) else None
        return params if isinstance(params, dict) else {}

    @property
    def arguments(self) -> dict[str, Any] | None:
        """What a tool or prompt was called with; None: it is neither, or that is kept no longer."""
        if self.method not in ("tools/call", "prompts/get", "job"):
            return None
        if self.request is None:
            return None if self.record.arguments is None else msgspec.json.decode(self.record.arguments)
        arguments = self.params.get("arguments", {})
        return arguments if isinstance(arguments, dict) else None

    @property
    def result(self) -> Any:
        """Of the answer; None: it has none."""
        response = self.response
        return response.get("result") if isinstance(response, dict) else None

    @property
    def messages(self) -> MessageList:
        """Everything that crossed for it, in order."""
        said = (self.record.request, *self.record.said_meanwhile(), self.record.answer)
        in_order = sorted((message for message in said if message is not None), key=lambda message: message.at_ns)
        return MessageList(in_order, origin=Origin(redactor=self.redactor))

    @property
    def notifications(self) -> list[Any]:
        """What crossed between request and answer, as plain JSON values."""
        return [entry for message in self.record.said_meanwhile() for entry in entries_of(message.raw)]

    @property
    def exception(self) -> TracebackException | None:
        """What the author's code raised, frozen: it keeps no frame and no variable alive."""
        return self.record.exception

    @property
    def traceback(self) -> str | None:
        """What the author's code raised, as Python prints it; None: nothing, or what was wrong were the arguments."""
        return self.record.traceback_text if self.record.is_authors else None

    @property
    def output(self) -> str:
        """What the author's code printed."""
        return self.record.output

    @property
    def traceparent(self) -> str | None:
        """The trace it belongs to (W3C Trace Context), as its client said."""
        meta = self.params.get("_meta")
        found = meta.get("traceparent") if isinstance(meta, dict) else None
        return found if isinstance(found, str) else None

    @property
    def timeline(self) -> list[Step]:
        """What happened when, from the request on."""
        record, origin = self.record, self.record.received_ns
        moments = [(origin, "request", _raw(record.request))]
        moments += [(ns, what, "") for ns, what in ((record.started_ns, "started"), (record.returned_ns, "returned")) if ns is not None]
        moments += [(message.at_ns, _name_of(message), _raw(message)) for message in record.said_meanwhile()]
        if record.sent_ns is not None:
            moments.append((record.sent_ns, "answer" if record.answer is not None else self.outcome, _raw(record.answer)))
        return [Step((ns - origin) / 1e6, what, said) for ns, what, said in sorted(moments, key=lambda each: each[0])]

    # --- for people -----------------------------------------------------------------------------------------

    def fit(self, withholding: Withholding) -> Call:
        """The same without secrets, for an output."""
        return Call(withholding.call(self.record), self._annotations)

    def __repr__(self) -> str:
        return described(Withholding(self.redactor()).call(self.record))

    def _repr_html_(self) -> str:
        withholding = Withholding(self.redactor())
        fit = self.fit(withholding)
        error, traceback = fit.error, self.traceback
        parts = [box(f"color:{BAD}", text(shown(error, 400)))] if error else []
        parts += [box("", strong("note: "), text(shown(withholding.text(note), 400))) for note in self.annotations]
        said = (
            ("arguments", fit.arguments),
            ("answer", _plain_result(fit.result) or fit.response),
            ("traceback", traceback and withholding.text(traceback)),
        )
        return framed(_head(fit.record), *parts, self._steps(withholding), *(_block(label, value) for label, value in said if value))

    def _steps(self, withholding: Withholding) -> str:
        steps = self.timeline
        lines = [
            span("text-align:right;white-space:nowrap", text(f"{step.at_ms:,.2f} ms")) + span("", text(plain(withholding.text(step.what))))
            for step in steps[:_SHOWN_MESSAGES]
        ]
        more = faint(f"and {len(steps) - _SHOWN_MESSAGES} more moments") if len(steps) > _SHOWN_MESSAGES else ""
        return box(f"display:grid;grid-template-columns:auto 1fr;gap:0 10px;{FAINT}", *lines) + more


@in_one_line(TypeError)
def one_call(call: Call) -> Call:
    """The call that somebody was given.

    Raises:
        TypeError: It is something else, for instance a list of calls.
    """
    if not isinstance(call, Call):
        raise TypeError(f"expected one call, as wb.traffic.calls()[-1], got {type(call).__name__}")
    return call


def described(record: CallRecord) -> str:
    """A call in one line."""
    asked, how = written_arguments(record), ended(str(record.outcome), record.total_ns)
    what = f"{shown(_what(record), 80)}({shown(asked, 60)})" if asked else shown(_what(record), 80)
    return f"<Call {record.seq} {what} {how}, {record.session_id} at {moment(record.received_at)}>"


def _head(record: CallRecord) -> str:
    how = span(f"color:{BAD};font-weight:600" if record.failed else "", text(ended(str(record.outcome), record.total_ns)))
    facts = (record.session_id, str(record.side), str(record.era), f"as {shown(record.principal, 40)}", moment(record.received_at))
    return box("display:flex;flex-wrap:wrap;gap:0 10px", name(shown(_what(record), 100)), how, *map(faint, facts))


def _what(record: CallRecord) -> str:
    return f"{record.method} {record.target}".strip()


def written_arguments(record: CallRecord) -> str:
    """What a tool or prompt was called with, as `n=5, region='EMEA'`; empty where it is nothing, long, or not kept."""
    if record.method not in WITH_ARGUMENTS or record.bytes_in > _LOOKED_INTO:
        return ""
    try:
        arguments = msgspec.json.decode(arguments_of(record) or "null")
    except (msgspec.DecodeError, RecursionError):
        return ""
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items()) if isinstance(arguments, dict) else ""


def _block(label: str, value: Any) -> str:
    words = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    cut = words if len(words) <= _SHOWN_CHARS else f"{words[:_SHOWN_CHARS]}\n… {len(words) - _SHOWN_CHARS:,} characters more"
    return box("margin-top:4px", title(label), box(_PRE, text(visible(cut))))


def _plain_result(result: Any) -> Any:
    """Without what says nothing to people: the envelope of 2026-07-28."""
    return {key: value for key, value in result.items() if key not in ("_meta", "resultType")} if isinstance(result, dict) else result


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


def _raw(message: Message | None) -> str:
    return "" if message is None else message.raw.decode("utf-8", "replace")


def _entry(message: Message | None, record: CallRecord, *, asks: bool) -> Any:
    """The message of a call, which in a batch is one among several."""
    if message is None or not message.raw:
        return None
    entries = [entry for entry in entries_of(message.raw) if isinstance(entry, dict)]
    return next((entry for entry in entries if entry.get("id") == record.request_id and ("method" in entry) is asks), None)


def _name_of(message: Message) -> str:
    methods = [entry["method"] for entry in entries_of(message.raw) if isinstance(entry, dict) and isinstance(entry.get("method"), str)]
    way = "→" if message.direction is Direction.IN else "←"
    return f"{way} {', '.join(methods) or 'message'}"
