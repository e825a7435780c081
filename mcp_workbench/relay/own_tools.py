"""The workbench's own tools as a kernel lists them: what a host is shown before there is one, and finds there for good.

A host that reads the list only once has them from the start. They stand in a file, `own_tools.json`, because kernels make them
from functions, with all that kernels load. A test compares it with what a server lists, and can write it anew:
`python -m tests.relay.test_own_tools`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from mcp_workbench.protocol import wire

STATUS_NAME = "notebook_status"
CALL_NAME = "notebook_call"
NAMES = frozenset((STATUS_NAME, CALL_NAME, "df_changes", "df_describe", "df_read", "job_cancel", "job_wait"))
"""All of them; `notebook_use` is the bridge's alone."""
FILE = Path(__file__).with_name("own_tools.json")


@cache
def listed() -> list[dict[str, Any]]:
    """As on the wire, by name."""
    found: list[dict[str, Any]] = msgspec.json.decode(FILE.read_bytes())
    return found


def tools() -> list[wire.Tool]:
    """The same as structures."""
    return msgspec.convert(listed(), list[wire.Tool])
