"""What a server of ours can do. A bridge says the same while no kernel is there: what is promised then must hold when one is."""

from __future__ import annotations

from mcp_workbench.protocol import wire

CAPABILITIES = wire.ServerCapabilities(
    tools=wire.ListChanged(list_changed=True),
    resources=wire.ResourcesCapability(subscribe=True, list_changed=True),
    prompts=wire.ListChanged(list_changed=True),
    logging={},
    completions={},
    extensions={wire.TASKS: {}},
)
