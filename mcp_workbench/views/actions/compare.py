"""`Compare`: what differs between two calls, by the rules of `wb.traffic.diff`, so that both say the same.

Which lines of it stand beside each other is the view's affair. Worked out in a thread: results may be long.
"""

from __future__ import annotations

from typing import Any

import msgspec

from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import Volatile, answer_of, answered, params_of
from mcp_workbench.exploring.comparing.differences import differences
from mcp_workbench.jsonrpc import encode
from mcp_workbench.serving.job import Job
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.actions.detail import MAX_TEXT, job_of
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.messages import Compare, Compared, Sides

_ALL = Volatile()


def compare(ask: Ask[Compare]) -> None:
    """Answer with what was asked and answered of both, and in how many places that differs."""
    request, telemetry, sources = ask.request, ask.sources.offer.telemetry, ask.sources
    pair: list[tuple[CallRecord, Job | None]] = []
    for seq in (request.seq, request.other):
        calls = telemetry.calls_between(seq - 1, seq) if seq > 0 else []
        if not calls:
            ask.refuse(f"No record of call {seq} is kept: there is nothing to compare with.")
            return
        pair.append((calls[0], job_of(calls[0], sources)))

    def worked_out() -> Compared:
        calls = [Call(record, sources.offer.annotations) for record, _ in pair]
        asked = [None if call.request is None else params_of(call, _ALL) for call in calls]
        results = [_answer(call, job) for call, (_, job) in zip(calls, pair, strict=True)]
        return Compared(re=request.id, arguments=_sides(*asked), result=_sides(*results))

    ask.work_out(worked_out)


def _answer(call: Call, job: Job | None) -> Any:
    """A job's call was answered before it had come to anything."""
    if job is None or job.result is None:
        return answer_of(call, _ALL)
    return answered(msgspec.json.decode(encode(job.result)), _ALL)


def _sides(left: Any, right: Any) -> Sides:
    return Sides(left=_text(left), right=_text(right), differences=len(differences(left, right)))


def _text(value: Any) -> str:
    text = b"" if value is None else encode(value)
    return text.decode() if len(text) <= MAX_TEXT else ""
