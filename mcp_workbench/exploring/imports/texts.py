"""What somebody else's recording holds, as lines of ours: texts, and moments."""

from __future__ import annotations

from datetime import datetime

import msgspec

from mcp_workbench.exploring.recording.format import MessageLine, Session
from mcp_workbench.telemetry.messages import Direction

LONGEST_MS = 2**41
"""Since a session began: 69 years."""
_LATEST = 2**36
"""Seconds since 1970: when a session may have begun, at the latest."""
_any_json = msgspec.json.Decoder(msgspec.Raw)


def message_line(seq: int, session: Session, direction: Direction, text: bytes, after_s: float) -> MessageLine:
    """One message.

    Args:
        seq: Its number.
        session: Whose it is.
        direction: Which way.
        text: As it crossed, or as near to it as is known.
        after_s: Seconds since the session began.
    """
    line = MessageLine(seq, session.since + after_s, round(after_s * 1e9), session.id, session.side, direction, len(text))
    line.batch = text.lstrip()[:1] == b"["
    try:
        line.m = msgspec.Raw(bytes(_any_json.decode(text)))
    except (msgspec.DecodeError, RecursionError):
        line.text = text.decode("utf-8", "replace")
    return line


def seconds_of(moment: str | None) -> float:
    """A moment as ISO 8601, in seconds since 1970; 0: it is none, or one that no recording is of."""
    try:
        seconds = 0.0 if moment is None else datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
    return seconds if 0 <= seconds <= _LATEST else 0.0
