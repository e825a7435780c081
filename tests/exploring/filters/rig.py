"""Records made of plain JSON, for the cases that every implementation of the language shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mcp_workbench.events import Era
from mcp_workbench.exploring.filters import Filter, parse
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome, Side

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
CLIENTS: dict[str, str | None] = {row["session"]: row["client"] for row in [*CASES["calls"], *CASES["messages"]]}
RECEIVED_NS = 5_000_000_000


def client_of(session_id: str) -> str | None:
    return CLIENTS.get(session_id)


def filter_of(text: str) -> Filter:
    """With the clock, the zone and the clients of the cases."""
    return parse(text, clock=lambda: CASES["now"], zone=ZoneInfo(CASES["zone"]), client_of=client_of)


def message_of(row: dict[str, Any]) -> Message:
    raw = row["text"].encode()
    return Message(row["session"], Direction(row["direction"]), 1, row["at"], row["size"], raw, row["seq"])


def call_of(row: dict[str, Any]) -> CallRecord:
    call = CallRecord(
        row["call"],
        row["session"],
        row["principal"],
        Era(row["era"]),
        row["method"],
        row["target"],
        row["id"],
        RECEIVED_NS,
        row["at"],
        row["bytesIn"],
    )
    call.seq, call.bytes_out, call.outcome = row["seq"], row["bytesOut"], Outcome(row["outcome"])
    call.code, call.error, call.tool_version, call.job = row["code"], row["error"], row["version"], row["job"]
    call.side, call.direction, call.notes = Side(row["side"]), Direction(row["direction"]), tuple(row["notes"])
    call.request, call.answer = _said(row, row["request"]), _said(row, row["answer"])
    _set_times(call, row)
    return call


def _said(row: dict[str, Any], text: str | None) -> Message | None:
    if text is None:
        return None
    return Message(row["session"], Direction.IN, 1, row["at"], len(text.encode()), text.encode())


def _set_times(call: CallRecord, row: dict[str, Any]) -> None:
    if row["waitNs"] is not None:
        call.started_ns = RECEIVED_NS + row["waitNs"]
        if row["runNs"] is not None:
            call.returned_ns = call.started_ns + row["runNs"]
    if row["totalNs"] is not None:
        call.sent_ns = RECEIVED_NS + row["totalNs"]
