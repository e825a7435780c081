"""Where a list of calls comes from, as far as writing it down needs to know: whose sessions they are, what tools were offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mcp_workbench.exploring.recording.format import RecordedTool
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.pairing import entries_of
from mcp_workbench.telemetry.records import CallRecord, SessionRecord, Side

Listed = Mapping[str, Any]
"""A tool as `tools/list` shows it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Asked only when something is written or verified."""

    sessions: Callable[[], list[SessionRecord]] = field(default=list)
    tools: Callable[[], tuple[RecordedTool, ...]] = field(default=tuple)
    """What the server here offers, or offered when it was recorded."""
    calls: Callable[[], list[CallRecord]] = field(default=list)
    """All that there are: among them may be the lists of tools that others' servers gave."""
    messages: Callable[[], list[Message]] = field(default=list)
    redactor: Callable[[], Redactor] = field(default=Redactor)
    server: Callable[[], str] = field(default=str)

    def offered(self, calls: Iterable[CallRecord]) -> dict[str, Listed]:
        """The tools that were offered to whoever made these calls, by name, as far as that was heard.

        What others' servers offer is known of the sessions of these calls alone: another session may have been with another server.

        Args:
            calls: Of one server.
        """
        calls = list(calls)
        if all(call.side is Side.SERVER for call in calls):
            here = {tool.name: msgspec.json.decode(tool.listed) for tool in self.tools()}
            if here:
                return here
        sides = {call.side for call in calls}
        sessions = {call.session_id for call in calls}
        heard = [call for call in (*self.calls(), *calls) if call.method == "tools/list" and call.side in sides]
        same = [call for call in heard if call.session_id in sessions]
        of_this_server = same or [call for call in heard if call.side is Side.SERVER]
        return {name: tool for call in of_this_server for name, tool in _listed(call).items()}

    def crossed_for(self, calls: Iterable[CallRecord]) -> list[Message]:
        """Everything that crossed for some calls, in order: also how the tasks (2026-07-28) ended that they went on as."""
        calls = list(calls)
        of_calls = (message for call in calls for message in (call.request, *call.said_meanwhile(), call.answer) if message is not None)
        found = {id(message): message for message in of_calls}
        if tasks := [task.encode() for call in calls if (task := task_of(call)) is not None]:
            ends = (message for message in self.messages() if b'"taskId"' in message.raw and any(task in message.raw for task in tasks))
            found |= {id(message): message for message in ends}
        return sorted(found.values(), key=lambda message: (message.seq, message.at_ns))


def task_of(call: CallRecord) -> str | None:
    """The task that a call was answered with."""
    raw = b"" if call.answer is None else call.answer.raw
    if b'"taskId"' not in raw:
        return None
    results = (entry.get("result") for entry in entries_of(raw) if isinstance(entry, dict) and entry.get("id") == call.request_id)
    task = next((result.get("taskId") for result in results if isinstance(result, dict) and result.get("resultType") == "task"), None)
    return task if isinstance(task, str) else None


def _listed(call: CallRecord) -> dict[str, Listed]:
    """What one answer to `tools/list` says; a page of it, where there are several."""
    answers = entries_of(b"" if call.answer is None else call.answer.raw)
    results = (entry.get("result") for entry in answers if isinstance(entry, dict) and entry.get("id") == call.request_id)
    lists = (result.get("tools") for result in results if isinstance(result, dict))
    tools = (tool for listed in lists if isinstance(listed, list) for tool in listed)
    return {tool["name"]: tool for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str)}
