"""`GetDetail`: all that is known of one call.

Worked out in a thread: a traceback reads the lines of source files, and its exception's text is other people's.
"""

from __future__ import annotations

from mcp_workbench.exploring.reading import Kind, read
from mcp_workbench.jsonrpc import encode
from mcp_workbench.limits import KIB
from mcp_workbench.serving.job import Job
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import JOB, CallRecord
from mcp_workbench.views.actions.resend import offered
from mcp_workbench.views.as_cell import as_cell
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.authors_code import author_traceback
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Detail, GetDetail, Text

MAX_TEXT = 256 * KIB
"""Bytes of one text that are shown."""


def get_detail(ask: Ask[GetDetail]) -> None:
    """Answer with the whole of a record, and what was said as far as it is kept."""
    seq, telemetry = ask.request.seq, ask.sources.offer.telemetry
    calls = telemetry.calls_between(seq - 1, seq) if seq > 0 else []
    if not calls:
        ask.refuse(f"No record of call {seq} is kept; the oldest is {telemetry.oldest}." if telemetry.oldest else "No call has ended yet.")
    else:
        call = calls[0]
        job = job_of(call, ask.sources)
        ask.work_out(lambda: _detail(ask, call, job))


def job_of(call: CallRecord, sources: Sources) -> Job | None:
    """The job whose end a record tells of; None: it is no job's, or that is kept no longer."""
    return sources.offer.jobs.find(None, _job_number(call)) if call.method == JOB else None


def _detail(ask: Ask[GetDetail], call: CallRecord, job: Job | None) -> Detail:
    answer = _text_of(call.answer)
    resend, arguments = offered(call, ask.sources)
    return Detail(
        re=ask.request.id,
        row=CallRows(ask.sources).row(call),
        request=_text_of(call.request),
        answer=_result_of(job) if answer is None else answer,
        meanwhile=tuple(text for message in _meanwhile(call, ask.sources) if (text := _text_of(message)) is not None),
        output=call.output,
        traceback=_traceback(call),
        defined_at=str(call.defined_at or ""),
        tool_version=call.tool_version or "",
        notes=call.notes,
        queued_behind=call.queued_behind or "",
        as_cell=as_cell(call, ask.sources.offer),
        annotations=ask.sources.offer.annotations.of(call),
        resend=resend,
        arguments=arguments,
        request_seq=0 if call.request is None else call.request.seq,
    )


def _traceback(call: CallRecord) -> str:
    """As the author wants to read it; of what was a caller's mistake there is none, for it would be the workbench's own way there."""
    return author_traceback(call) or (call.traceback_text if call.is_authors else "") or ""


def _meanwhile(call: CallRecord, sources: Sources) -> list[Message]:
    """What was said, what the client was asked, and after each question the reply, which stands in the question's own record."""
    said = call.said_meanwhile()
    if not any(read(message).kind is Kind.REQUEST for message in said):
        return said
    replies = {id(asked.request): asked.answer for asked in sources.offer.telemetry.calls(None) if asked.request is not call.request}
    known = set(map(id, said))
    found = [(message, replies.get(id(message))) for message in said]
    return [one for pair in found for one in pair if one is not None and (one is pair[0] or id(one) not in known)]


def _text_of(message: Message | None) -> Text | None:
    """The text, or its beginning; None: there was none, or it is kept no longer."""
    return None if message is None or not (raw := message.raw) else _text(raw)


def _text(text: bytes) -> Text:
    return Text(text=text[:MAX_TEXT].decode("utf-8", "replace"), size=len(text))


def _job_number(call: CallRecord) -> int:
    """The job whose end this record tells of, as its first note says: `job j3`."""
    return int(call.notes[0].removeprefix("job j")) if call.notes else 0


def _result_of(job: Job | None) -> Text | None:
    """What a job came to: its request had been answered before."""
    if job is None or job.result is None:
        return None
    return _text(encode(job.result))
