"""Claude Code's channels: news that a server brings before the model without being asked.

An experimental capability says that a server has some, and a notification carries each; Claude Code shows it to its model as
`<channel source="NAME" key="value">content</channel>`. Only up to 2025-11-25: later revisions have no notifications that nobody
asked for, and Claude Code takes none there. Keys that are no identifiers it drops, and values are texts. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mcp_workbench.errors import LocalProtocolError
from mcp_workbench.jsonrpc import encode_notification
from mcp_workbench.protocol.wire import Json

CAPABILITY = "claude/channel"
METHOD = "notifications/claude/channel"
EXPERIMENTAL: dict[str, Json] = {CAPABILITY: {}}
"""What a server with a channel declares."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def channel_text(content: str, meta: Mapping[str, str]) -> bytes:
    """The notification.

    Args:
        content: What the model reads.
        meta: Attributes of what it reads; names are identifiers, values texts.

    Raises:
        LocalProtocolError: Claude Code would not take it as it is.
    """
    for key, value in meta.items():
        if _KEY.fullmatch(key) is None or not isinstance(value, str):
            raise LocalProtocolError(f"meta of a channel has identifiers as names and texts as values, got {key[:40]!r}")
    return encode_notification(METHOD, {"content": content, "meta": dict(meta)})
