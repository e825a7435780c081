"""What was remembered -> lines of the file. Times become those of the recording's clock, secrets marks.

On the recorder's thread only. Below: `format` says what the lines are, `redaction` what may be in them.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec

from mcp_workbench.exploring.recording.format import CallLine, Clock, End, Lost, MessageLine, RecordedTool, Session, encode_line
from mcp_workbench.exploring.recording.redaction import Redactor, Unreadable
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord, SessionRecord, Side

logger = logging.getLogger("mcp_workbench")

Crossed = tuple[Message, bytes]
"""A message, and its text as it was when it crossed."""

_any_json = msgspec.json.Decoder(msgspec.Raw)
_TARGETS = 1000
_TEXTS = ("session", "error", "trace", "printed", "behind", "file", "cell", "principal", "method")
"""Fields of a call's line in which something secret may stand."""


class Lines:
    """Makes lines.

    Args:
        clock: What times count from.
        redactor: Withholds what is secret; None: everything is written as it crossed.
        session: Finds a session that lasts, or has ended.
    """

    def __init__(self, clock: Clock, redactor: Redactor | None, session: Callable[[str], SessionRecord | None]) -> None:
        self._began = clock.at_ns
        self._redactor = redactor
        self._find = session
        self._sides: dict[str, Side] = {}
        self._targets: dict[str, bool] = {}
        self._heads: dict[str, bytes] = {}
        """Session -> what is the same in the lines of all of its messages."""
        self._at_fault = False

    def of(self, items: Sequence[Crossed | CallRecord]) -> list[bytes]:
        """The lines of messages and calls, in their order, and before the first of a session its own."""
        texts = [item[1] if isinstance(item, tuple) else self._encoded(item) for item in items]
        clean = self._clean(items, texts)
        learned = 0 if self._redactor is None else self._redactor.learned
        lines: list[bytes] = []
        for number, item in enumerate(items):
            session_id = item[0].session_id if isinstance(item, tuple) else item.session_id
            if session_id not in self._heads:
                lines.append(self.session(session_id))
            lines.append(self._line(item, texts[number], clean=clean[number]))
            if self._redactor is not None and self._redactor.learned != learned:
                learned = self._redactor.learned
                self._targets.clear()
                clean[number + 1 :] = self._clean(items[number + 1 :], texts[number + 1 :])
        return lines

    def _encoded(self, call: CallRecord) -> bytes:
        try:
            return encode_line(self._call(call))
        except (OverflowError, ValueError, TypeError) as error:  # what others say may be no number or text of ours
            return _unwritten(call, error)

    def _line(self, item: Crossed | CallRecord, text: bytes, *, clean: bool) -> bytes:
        try:
            if isinstance(item, tuple):
                return self._message(item[0], text, clean=clean)
            return text if clean or self._redactor is None else self._clean_call(text, self._redactor)
        except Exception as error:  # a named boundary: whatever is wrong with one of them, the others are recorded
            if not self._at_fault:  # who sends one may send many
                logger.exception("a line of a recording could not be made")
            self._at_fault = True
            return self._withheld(item[0], error) if isinstance(item, tuple) else _unwritten(item, error)

    def _clean(self, items: Sequence[Crossed | CallRecord], texts: Sequence[bytes]) -> list[bool]:
        """Which of them need not be looked into; a call's line has nothing that is not in its request, unless more is known of it."""
        redactor = self._redactor
        if redactor is None:
            return [True] * len(texts)
        looked = [
            number
            for number, item in enumerate(items)
            if isinstance(item, tuple)
            or item.error
            or item.notes
            or item.printed
            or item.queued_behind
            or isinstance(item.request_id, str)
            or item.method.startswith("tasks/")
            or not self._is_plain(item.target)
            or not self._is_plain(item.method)
        ]
        clean = [True] * len(texts)
        for number, is_clean in zip(looked, redactor.clean([texts[number] for number in looked]), strict=True):
            clean[number] = is_clean and not _names_task(items[number])
        return clean

    def _is_plain(self, target: str) -> bool:
        """Names of tools come again and again."""
        known = self._targets.get(target)
        if known is None:
            if len(self._targets) >= _TARGETS:
                self._targets.clear()
            known = self._targets[target] = self._redactor is None or self._redactor.clean([target.encode("utf-8", "replace")]) == [True]
        return known

    def session(self, session_id: str) -> bytes:
        """The line that says whose messages follow."""
        record = self._find(session_id)
        side = Side.SERVER if record is None else record.side
        self._sides[session_id] = side
        head = msgspec.json.encode({"session": session_id, "side": side})
        self._heads[session_id] = head[1:-1]
        if record is None:
            return encode_line(Session(session_id, side, "", "", "", 0.0))
        line = Session(session_id, side, record.transport, record.remote, record.principal, record.since, **_introduction(record))
        return self._withhold(line)

    def end(self, record: SessionRecord) -> bytes:
        """The line that says how a session ended."""
        self._heads.pop(record.session_id, None)
        self._sides.pop(record.session_id, None)
        if self._redactor is not None:
            self._redactor.forget(record.session_id)
        return self._withhold(
            End(
                record.session_id,
                record.until,
                record.close_code,
                record.close_reason,
                record.crash,
                ignored=dict(record.ignored),
                **_introduction(record),
            )
        )

    def sessions(self) -> list[bytes]:
        """The lines of those that last, once more: a new file begins."""
        return [self.session(session_id) for session_id in tuple(self._heads)]

    def forget_sessions(self) -> None:
        """Lines were lost: sessions are to be introduced again."""
        self._heads.clear()

    def tools(self, tools: Iterable[ToolDefinition]) -> tuple[RecordedTool, ...]:
        """What is offered."""
        return tuple(map(self._tool, tools))

    def _tool(self, tool: ToolDefinition) -> RecordedTool:
        listed = msgspec.json.encode(tool.listed)
        if self._redactor is not None:
            listed = self._redactor.message(listed)
        return RecordedTool(name=tool.name, version=tool.edition, digest=tool.digest, listed=msgspec.Raw(listed))

    def text(self, text: str) -> str:
        """A text of ours, with nothing secret in it."""
        return text if self._redactor is None else self._redactor.text(text)

    def _message(self, message: Message, raw: bytes, *, clean: bool) -> bytes:
        is_json = _is_json(raw)
        if is_json and clean:
            return b'{"k":"message","seq":%d,"at":%.6f,"at_ns":%d,%b,"dir":"%b","size":%d%b,"m":%b}\n' % (
                message.seq,
                message.at,
                message.at_ns - self._began,
                self._heads[message.session_id],
                message.direction.encode(),
                message.size,
                b"" if raw.startswith(b"{") or raw.lstrip()[:1] != b"[" else b',"batch":true',
                raw.replace(b"\n", b" ").replace(b"\r", b" "),  # between its parts: within a text of JSON they are escaped
            )
        line = self._told_of(message)
        line.batch = raw.lstrip()[:1] == b"["
        if self._redactor is None:
            _put_as_it_is(line, raw)
        elif not is_json:
            line.withheld = "no JSON"
        else:
            try:
                line.m = msgspec.Raw(self._redactor.message(raw, message.session_id))
            except Unreadable as error:
                line.withheld = str(error)
        return encode_line(line)

    def _told_of(self, message: Message) -> MessageLine:
        """All but what it says."""
        return MessageLine(
            message.seq,
            message.at,
            message.at_ns - self._began,
            message.session_id,
            self._sides.get(message.session_id, Side.SERVER),
            message.direction,
            message.size,
        )

    def _withheld(self, message: Message, error: Exception) -> bytes:
        line = self._told_of(message)
        line.withheld = f"could not be looked into ({type(error).__name__})"
        return encode_line(line)

    def _call(self, call: CallRecord) -> CallLine:
        began, at = self._began, call.defined_at
        return CallLine(
            call.session_id,
            0 if call.request is None else call.request.seq,
            0 if call.answer is None else call.answer.seq,
            call.request_id,
            call.method,
            call.target,
            call.outcome,
            call.received_ns - began,
            call.received_at,
            call.bytes_in,
            call.bytes_out,
            call.side,
            call.direction,
            None if call.started_ns is None else call.started_ns - began,
            None if call.returned_ns is None else call.returned_ns - began,
            None if call.rendered_ns is None else call.rendered_ns - began,
            None if call.sent_ns is None else call.sent_ns - began,
            call.call_id,
            call.principal,
            call.era,
            () if call.others is None else tuple(message.seq for message in call.said_meanwhile()),
            call.code,
            _writable(call.error),
            _writable(call.traceback_text),
            call.is_authors,
            call.tool_version,
            None if at is None else at.file,
            0 if at is None else at.line,
            None if at is None else at.cell,
            call.notes,
            call.output or None,
            call.queued_behind,
            call.job,
        )

    def _clean_call(self, encoded: bytes, redactor: Redactor) -> bytes:
        line = msgspec.json.decode(encoded, type=CallLine)
        line.target = redactor.target(line.method, line.target)
        for name in _TEXTS:
            if isinstance(value := getattr(line, name), str):
                setattr(line, name, redactor.text(value))
        if isinstance(line.id, str):
            line.id = redactor.text(line.id)
        line.notes = tuple(map(redactor.text, line.notes))
        return encode_line(line)

    def _withhold(self, line: Session | End) -> bytes:
        encoded = encode_line(line)
        if self._redactor is None or self._redactor.clean([encoded]) == [True]:
            return encoded
        return self._redactor.message(encoded) + b"\n"


def _unwritten(call: CallRecord, error: Exception) -> bytes:
    """In place of the line of a call; its messages stand before."""
    return encode_line(Lost(call.received_at, 0, 1, 0, f"the line of a call could not be made ({type(error).__name__})"))


def _names_task(item: Crossed | CallRecord) -> bool:
    return isinstance(item, CallRecord) and bool(item.target) and item.method.startswith("tasks/")


def _introduction(record: SessionRecord) -> dict[str, str | None]:
    return {
        "client": record.client_name,
        "client_version": record.client_version,
        "era": record.era,
        "protocol": record.protocol_version,
    }


def _writable(text: str | None) -> str | None:
    """What a user's exception says may be no text that UTF-8 can carry."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()


def _is_json(raw: bytes) -> bool:
    try:
        _any_json.decode(raw)
        if not raw.isascii():
            raw.decode()  # within its texts it was not looked at
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _put_as_it_is(line: MessageLine, raw: bytes) -> None:
    if _is_json(raw):
        line.m = msgspec.Raw(raw.replace(b"\n", b" ").replace(b"\r", b" "))
        return
    try:
        line.text = raw.decode()
    except UnicodeDecodeError:
        line.base64 = base64.b64encode(raw).decode()
