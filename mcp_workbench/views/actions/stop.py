"""`Stop`: the notebook's author ends a call or a job."""

from __future__ import annotations

import re

from mcp_workbench.serving.function_work import STOPPED
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.messages import Stop

_JOB = re.compile(r"j([1-9][0-9]{0,17})", re.ASCII)
_CALL = re.compile(r"(s[1-9][0-9]{0,17})\.([1-9][0-9]{0,17})", re.ASCII)
_SUSPENDED = re.compile(r"c[1-9][0-9]{0,17}", re.ASCII)
ENDED = "It had ended already."


def stop(ask: Ask[Stop]) -> None:
    """End what `OpenCall.key` or a job's id names; its client is answered that it was stopped."""
    key = ask.request.key
    if (job := _JOB.fullmatch(key)) is not None:
        _stop_job(ask, int(job[1]))
    elif (call := _CALL.fullmatch(key)) is not None:
        _stop_call(ask, call[1], int(call[2]))
    elif _SUSPENDED.fullmatch(key) is not None:
        _stop_suspended(ask, key)
    else:
        ask.refuse("This names no call and no job: s1.7 is the seventh call of session s1, j3 a job, c12 a call that waits for an answer.")


def _stop_job(ask: Ask[Stop], number: int) -> None:
    jobs = ask.sources.offer.jobs
    job = jobs.find(None, number)
    if job is None or job.over:
        ask.refuse(ENDED)
    else:
        ask.done(jobs.cancel(job, STOPPED))


def _stop_suspended(ask: Ask[Stop], call_id: str) -> None:
    rounds = ask.sources.running.suspended.find(call_id)
    if rounds is None:
        ask.refuse(ENDED)
    else:
        rounds.work.stop()
        ask.done("The call was stopped; its client is told when it comes back.")


def _stop_call(ask: Ask[Stop], session_id: str, number: int) -> None:
    session = ask.sources.running.sessions.find(session_id)
    record = None if session is None else session.stop(number)
    if record is None:
        ask.refuse(ENDED)
    else:
        ask.done(record.error or "The call was stopped.")
