"""How the end of one half of a relayed connection is told to the other half. Pure."""

from __future__ import annotations

from mcp_workbench.gateway.sentences import GONE
from mcp_workbench.transports.websocket import cut_reason, sendable_code
from mcp_workbench.wording import plain

GOING_AWAY = 1001
VANISHED = 1006
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
UNSUPPORTED_DATA = 1003


def told_to_client(code: int, reason: str) -> tuple[int, str]:
    """Code and reason for the client when the kernel's half has ended so.

    A kernel that restarts says 1001 when it is given the time and vanishes when it is not; both are 1012 to the client,
    whose address stays good.
    """
    if code in (GOING_AWAY, VANISHED):
        return SERVICE_RESTART, GONE
    return sendable_code(code), cut_reason(plain(reason))


def told_to_kernel(code: int | None, reason: str | None) -> tuple[int, str]:
    """The other way; None: the client vanished, or closed without saying why."""
    if code is None:
        return GOING_AWAY, "the client has gone"
    return sendable_code(code), cut_reason(plain(reason or ""))
