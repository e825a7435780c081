"""Calls made by hand, as a server would have written them down."""

from __future__ import annotations

import itertools
from typing import Any

from mcp_workbench.events import Era
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.jsonrpc import encode, encode_error, encode_request, encode_result
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, Side
from mcp_workbench.telemetry.pairing import outcome_of, target_of

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
_numbers = itertools.count(1)


def made(
    method: str,
    params: dict[str, Any],
    result: Any = None,
    *,
    error: tuple[int, str] | None = None,
    took_ns: int = 1_000_000,
    side: Side = Side.SERVER,
) -> Call:
    """One exchange."""
    number = next(_numbers)
    text = encode_request(number, method, params)
    record = CallRecord("c1", "s1", "default", Era.LEGACY, method, target_of(method, params), number, 0, 1.0, len(text))
    record.seq, record.side = number, side
    record.direction = Direction.OUT if side is Side.CLIENT else Direction.IN
    record.request = Message("s1", record.direction, 0, 1.0, len(text), text, 2 * number)
    answer = encode_error(number, *error) if error is not None else encode_result(number, encode(result))
    record.answer = Message("s1", Direction.OUT, took_ns, 1.0, len(answer), answer, 2 * number + 1)
    record.outcome = Outcome.RPC_ERROR if error is not None else outcome_of(result)
    record.sent_ns, record.bytes_out = took_ns, len(answer)
    return Call(record, Annotations())


def tool(name: str, result: Any, **arguments: Any) -> Call:
    """A call of a tool that gave structured content."""
    return made("tools/call", {"name": name, "arguments": arguments}, {"structuredContent": result})
