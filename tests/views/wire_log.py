"""A memory of messages and calls that tests write into, as a server would."""

from __future__ import annotations

import json
from typing import Any

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, Telemetry
from mcp_workbench.telemetry.messages import Messages


class WireLog:
    """What crossed, numbered as it is said."""

    def __init__(self, **bounds: int) -> None:
        self.telemetry = Telemetry(messages=Messages(**bounds))
        self._clock = 100.0

    def text(self, direction: Direction, raw: bytes, session: str = "s1") -> Message:
        """A text crosses."""
        self._clock += 0.001
        message = Message(session, direction, int(self._clock * 1e9), self._clock, len(raw), raw)
        self.telemetry.messages.add(message)
        return message

    def said(self, direction: Direction, session: str = "s1", **members: Any) -> Message:
        """A message crosses."""
        return self.text(direction, json.dumps({"jsonrpc": "2.0", **members}).encode(), session)

    def call(self, tool: str = "add", request_id: int = 1, outcome: Outcome = Outcome.OK, **arguments: Any) -> CallRecord:
        """A whole call: request, answer, record."""
        request = self.said(Direction.IN, id=request_id, method="tools/call", params={"name": tool, "arguments": arguments})
        answer = self.said(Direction.OUT, id=request_id, result={"content": [], "isError": outcome is Outcome.TOOL_ERROR})
        call = CallRecord("c1", "s1", "default", Era.LEGACY, "tools/call", tool, request_id, 0, request.at, request.size)
        call.started_ns, call.returned_ns, call.sent_ns = 1_000, 3_000, 4_000
        call.outcome, call.request, call.answer, call.bytes_out = outcome, request, answer, answer.size
        self.telemetry.record(call)
        return call
