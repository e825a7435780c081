"""Which method exists in which revision, in which direction, with which params.

One table instead of version checks spread over the code. Whether a method's capability is advertised is
looked up here too: a method of an absent capability is answered as unknown (-32601).
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN, V2024_11_05, V2025_03_26, V2025_06_18, V2026_07_28


@dataclass(frozen=True, slots=True)
class Method:
    """One request method."""

    params: type[wire.Wire] | type[dict[str, wire.Json]]
    """Shape its params must have; `dict`: only the receiving handler looks into them."""
    capability: str | None = None
    """Field of `ServerCapabilities` that must be advertised."""
    first: str = V2024_11_05
    """First revision that has it."""
    last: str = LATEST_MODERN
    """Last revision that has it."""

    def exists_in(self, version: str) -> bool:
        """Whether this revision has the method."""
        return self.first <= version <= self.last


CLIENT_REQUESTS: dict[str, Method] = {
    "initialize": Method(wire.InitializeParams, last=LATEST_LEGACY),
    "ping": Method(wire.NoParams, last=LATEST_LEGACY),
    "server/discover": Method(wire.NoParams, first=V2026_07_28),
    "tools/list": Method(wire.ListParams, "tools"),
    "tools/call": Method(wire.CallToolParams, "tools"),
    "resources/list": Method(wire.ListParams, "resources"),
    "resources/templates/list": Method(wire.ListParams, "resources"),
    "resources/read": Method(wire.UriParams, "resources"),
    "resources/subscribe": Method(wire.UriParams, "resources", last=LATEST_LEGACY),
    "resources/unsubscribe": Method(wire.UriParams, "resources", last=LATEST_LEGACY),
    "subscriptions/listen": Method(wire.ListenParams, first=V2026_07_28),
    # The extension io.modelcontextprotocol/tasks (SEP-2663).
    "tasks/get": Method(wire.TaskParams, "extensions", first=V2026_07_28),
    "tasks/update": Method(wire.UpdateTaskParams, "extensions", first=V2026_07_28),
    "tasks/cancel": Method(wire.TaskParams, "extensions", first=V2026_07_28),
    "prompts/list": Method(wire.ListParams, "prompts"),
    "prompts/get": Method(wire.GetPromptParams, "prompts"),
    # The capability `completions` came with 2025-03-26; before, the method simply was there.
    "completion/complete": Method(wire.CompleteParams, "completions"),
    "logging/setLevel": Method(wire.SetLevelParams, "logging", last=LATEST_LEGACY),
}

SERVER_REQUESTS: dict[str, Method] = {
    "ping": Method(wire.NoParams, last=LATEST_LEGACY),
    "sampling/createMessage": Method(dict, last=LATEST_LEGACY),
    "roots/list": Method(dict, last=LATEST_LEGACY),
    "elicitation/create": Method(dict, first=V2025_06_18, last=LATEST_LEGACY),
}

CLIENT_NOTIFICATIONS: dict[str, Method] = {
    "notifications/initialized": Method(wire.NoParams, last=LATEST_LEGACY),
    "notifications/cancelled": Method(wire.CancelledParams),
    "notifications/progress": Method(wire.ProgressParams, last=LATEST_LEGACY),
    "notifications/roots/list_changed": Method(wire.NoParams, last=LATEST_LEGACY),
}

SERVER_NOTIFICATIONS: dict[str, Method] = {
    "notifications/cancelled": Method(wire.CancelledParams),
    "notifications/progress": Method(wire.ProgressParams),
    "notifications/message": Method(wire.LogParams),
    "notifications/resources/updated": Method(wire.ResourceUpdatedParams),
    "notifications/resources/list_changed": Method(wire.NoParams),
    "notifications/tools/list_changed": Method(wire.NoParams),
    "notifications/prompts/list_changed": Method(wire.NoParams),
    "notifications/subscriptions/acknowledged": Method(wire.ListenParams, first=V2026_07_28),
    "notifications/tasks": Method(wire.Task, first=V2026_07_28),
    "notifications/elicitation/complete": Method(dict, first=LATEST_LEGACY, last=LATEST_LEGACY),
}

BATCH_VERSION = V2025_03_26
"""The one revision that has JSON-RPC batches."""
