"""`GetText`: what one message says, and which others belong to it.

Which those are is what the record of its call says, written down by who answered it; worked out in a thread, for all records
are looked through.
"""

from __future__ import annotations

from mcp_workbench.limits import KIB, MIB
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.message_rows import MessageRows
from mcp_workbench.views.messages import GetText, MessageText, Text

BEGINNING = 64 * KIB
WHOLE = 4 * MIB
"""Bytes that a view is sent of one message."""


def get_text(ask: Ask[GetText]) -> None:
    """Answer with the text, as far as it is kept, and with the other messages of its call."""
    seq, messages = ask.request.seq, ask.sources.offer.telemetry.messages
    found = messages.between(seq - 1, seq) if seq > 0 else []
    if not found:
        kept = f"the oldest that is kept is {messages.oldest}" if messages.oldest else "none is kept"
        ask.refuse(f"Message {seq} is not kept: {kept}.")
        return
    [message] = found
    ask.work_out(lambda: _answer(ask, message))


def _answer(ask: Ask[GetText], message: Message) -> MessageText:
    call, rows, most = _call_of(message, ask.sources), MessageRows(ask.sources), WHOLE if ask.request.whole else BEGINNING
    raw = message.raw
    others = [] if call is None else [other for other in messages_of(call) if other is not message and other.seq]
    return MessageText(
        re=ask.request.id,
        row=rows.row(message),
        text=Text(text=raw[:most].decode("utf-8", "replace"), size=message.size) if raw or not message.size else None,
        call=0 if call is None else call.seq,
        others=tuple(rows.row(other) for other in sorted(others, key=lambda other: other.seq)),
    )


def messages_of(call: CallRecord) -> list[Message]:
    """Its request, what was said for it meanwhile, its answer."""
    return [message for message in (call.request, *call.said_meanwhile(), call.answer) if message is not None]


def _call_of(message: Message, sources: Sources) -> CallRecord | None:
    """The call that it belongs to, as far as that has ended and is kept."""
    calls = (call for call in reversed(sources.offer.telemetry.calls(None)) if call.session_id == message.session_id)
    return next((call for call in calls if any(each is message for each in messages_of(call))), None)
