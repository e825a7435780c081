"""How numbers, moments and other people's texts are put in a view."""

from __future__ import annotations

import time

from mcp_workbench.serving.job import elapsed as elapsed
from mcp_workbench.wording import counted as counted
from mcp_workbench.wording import duration as duration
from mcp_workbench.wording import plain

PANELS = ("all", "connect", "sessions", "calls", "latency", "dataframes", "kernel")
"""What `wb.show(panel)` takes."""
LEFT_OUT = "names of clients and texts are left out of the saved notebook: wb.show(keep_data=True) keeps them"
_CUT = "…"


def shown(text: str, most: int) -> str:
    """Somebody else's text on one line: control characters as escapes, at most so many characters."""
    line = plain(text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + _CUT


def moment(seconds: float) -> str:
    """The time of day, `12:03:11`, of seconds since 1970."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def date(seconds: float) -> str:
    """Day and time, `2026-05-11 12:03:11`, of seconds since 1970."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def outcome(name: str) -> str:
    """An outcome as a word: `tool_error` reads `error`."""
    return {"tool_error": "error", "rpc_error": "error", "rejected": "refused"}.get(name, name)
