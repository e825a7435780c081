"""`%mcp error`: a failed call as its author wants to see it: who called, with what, where it broke, what it had printed.

What is remembered of failed calls is text only (`telemetry.failures`): no frame and no DataFrame is kept alive for this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from mcp_workbench.primitives.wording import nearest
from mcp_workbench.status_report import mistakes_hint
from mcp_workbench.telemetry.records import CallRecord, SessionRecord
from mcp_workbench.telemetry.telemetry import JOB
from mcp_workbench.views.authors_code import author_traceback
from mcp_workbench.views.words import duration, moment, shown
from mcp_workbench.workbench import Workbench

_TOOL_METHODS = frozenset(("tools/call", JOB))
_JOB_NOTE = re.compile(r"job j\d+")
_MAX_VALUE = 2_000
_MAX_TRACEBACK = 20_000
_MAX_PRINTED = 2_000
_OTHERS = 5


class NoSuchCall(LookupError):
    """There is no such failed call; the text is one sentence."""


def find_failed(workbench: Workbench, call_id: str | None) -> CallRecord:
    """A failed call that is remembered.

    Args:
        workbench: Whose.
        call_id: As `%mcp error` names it, that of a caller's mistake too; None: the last one that failed in the author's code.

    Raises:
        NoSuchCall: None has failed, or none of that id is remembered.
    """
    failures, mistakes = workbench.telemetry.failures(), workbench.telemetry.mistakes()
    if not failures and not mistakes:
        raise NoSuchCall("no call has failed")
    if call_id is None:
        if not failures:
            raise NoSuchCall(f"no call has failed in your code. {mistakes_hint(workbench.telemetry.mistaken, mistakes[0].call_id)}")
        return failures[0]
    found = next((call for call in (*failures, *mistakes) if call.call_id == call_id), None)
    if found is None:
        known = [call.call_id for call in (*failures, *mistakes)]
        close = nearest(call_id, known, 1)
        hint = f", nearest is {close[0]}" if close else ""
        raise NoSuchCall(f"no failed call {call_id[:20]!r} is remembered{hint}; there are {', '.join(known[:20])}")
    return found


def ran_tool(call: CallRecord) -> bool:
    """Whether it was the call of a tool, also one that had become a job."""
    return call.method in _TOOL_METHODS


def read_by(call: CallRecord) -> tuple[str, ...]:
    """What a call read, for instance `flights v3`; that it became a job is no reading."""
    return tuple(note for note in call.notes if not _JOB_NOTE.fullmatch(note))


def error_lines(workbench: Workbench, call_id: str | None) -> Iterator[str]:
    """What there is to know of a failed call, line by line; raises as `find_failed`."""
    call = find_failed(workbench, call_id)
    yield _head(workbench, call)
    yield from _arguments(call)
    # The traceback ends with what the client was told, and where there is none that sentence is all there is.
    yield from _bounded(author_traceback(call).rstrip("\n") or call.error or "", _MAX_TRACEBACK).split("\n")
    yield from _printed(call)
    yield from _what_next(workbench, call)


def _head(workbench: Workbench, call: CallRecord) -> str:
    what = call.target if ran_tool(call) else f"{call.method} {call.target}"
    version = f" {call.tool_version.partition('@')[0]}" if call.tool_version else ""
    defined = f", defined in {call.defined_at}" if call.defined_at else ""
    when = f"at {moment(call.received_at)}, called by {_caller(workbench, call)}"
    took = "" if call.total_ns is None else f", after {duration(call.total_ns)}"
    return f"{call.call_id}  {shown(what, 200)}{version}{defined}: {_how(call)} {when}{took}"


def _how(call: CallRecord) -> str:
    return {"timeout": "timed out", "rejected": "was refused"}.get(call.outcome, "failed")


def session_record(workbench: Workbench, call: CallRecord) -> SessionRecord | None:
    """The session that a call came in; None when it has been forgotten."""
    records = [*(session.record for session in workbench.sessions), *workbench.telemetry.sessions(None)]
    return next((record for record in records if record.session_id == call.session_id), None)


def _caller(workbench: Workbench, call: CallRecord) -> str:
    session = session_record(workbench, call)
    client = "an unknown client" if session is None or session.client_name is None else session.client_name
    version = session.client_version if session is not None else None
    return f"{shown(' '.join(filter(None, (client, version))), 80)} as {shown(call.principal, 40)}"


def _arguments(call: CallRecord) -> Iterator[str]:
    if not ran_tool(call):
        return
    if call.arguments is None:
        yield "Its arguments were not kept: they are longer than 64 KiB, or the call was never taken on."
        return
    arguments: dict[str, object] = msgspec.json.decode(call.arguments)
    yield "Arguments:" if arguments else "Arguments: none"
    for name, value in arguments.items():
        yield f"  {shown(name, 60)} = {_bounded(repr(value), _MAX_VALUE)}"
    if notes := read_by(call):
        yield f"  read: {', '.join(notes)}"


def _printed(call: CallRecord) -> Iterator[str]:
    if call.output:
        yield "It had printed:"
        yield from (f"  {line}" for line in _bounded(call.output.rstrip("\n"), _MAX_PRINTED).split("\n"))


def _what_next(workbench: Workbench, call: CallRecord) -> Iterator[str]:
    yield ""
    if call.is_authors and (call.method == "resources/read" or (ran_tool(call) and call.arguments is not None)):
        yield f"%mcp debug {call.call_id} runs it again, here, and opens the debugger where it fails."
    for title, calls in (("Failed too", workbench.telemetry.failures()), ("Mistakes of callers", workbench.telemetry.mistakes())):
        others = [other for other in calls if other is not call]
        if others:
            named = ", ".join(f"{other.call_id} {shown(other.target, 30)} {moment(other.received_at)}" for other in others[:_OTHERS])
            yield f"{title}: {named}{', …' if len(others) > _OTHERS else ''} (%mcp error {others[0].call_id})"


def _bounded(text: str, most: int) -> str:
    """Beginning and end of a text, and how much is left out between them."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} characters left out … {text[-half:]}"
