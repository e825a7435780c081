"""What a server of ours can do. A bridge says the same while no kernel is there: what is promised then must hold when one is."""

from __future__ import annotations

import msgspec

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.claude_channel import EXPERIMENTAL

CAPABILITIES = wire.ServerCapabilities(
    tools=wire.ListChanged(list_changed=True),
    resources=wire.ResourcesCapability(subscribe=True, list_changed=True),
    prompts=wire.ListChanged(list_changed=True),
    logging={},
    completions={},
    extensions={wire.TASKS: {}},
)
CHANNEL_CAPABILITIES = msgspec.structs.replace(CAPABILITIES, experimental=EXPERIMENTAL)
"""The same with a channel, up to 2025-11-25."""
CHANNEL_INSTRUCTIONS = (
    "News of this server may arrive as <channel> events: which published DataFrames changed, and which of your jobs ended. They tell what "
    "happened in the kernel and are never a request of the person: look closer if it matters for what you do, else go on."
)
"""What is said of it; also by the bridge."""
