"""What a relay remembers of a conversation, so that it can begin anew with another kernel and the host need not notice.

Everything here was said by the host and accepted, or was told to it: who it is, what it subscribed to, which lists it
was shown. Written when an answer passes, read when a kernel is gone or a new one joins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import RequestId, encode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.relay.envelope import member

ITEMS = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}
"""List method -> the member of its result that holds the list."""
LISTINGS = {
    "tools/list": Listing.TOOLS,
    "resources/list": Listing.RESOURCES,
    "resources/templates/list": Listing.RESOURCES,
    "prompts/list": Listing.PROMPTS,
}
REMEMBERED = frozenset(("initialize", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", *ITEMS))
"""Requests whose success is noted here."""
ENVELOPE = (wire.META_VERSION, wire.META_CAPABILITIES, wire.META_CLIENT_INFO)
MAX_PAGES = 1000


@dataclass(frozen=True, slots=True)
class HeldListen:
    """A `subscriptions/listen` of the host that is open for it, whoever serves it now."""

    text: bytes
    """As the host wrote it; sent again unchanged, under its own id."""
    wants: wire.ListenFilter

    @property
    def uris(self) -> tuple[str, ...]:
        """The resources it is about."""
        return () if self.wants.resource_subscriptions is UNSET else tuple(self.wants.resource_subscriptions)

    def wants_listing(self, listing: Listing) -> bool:
        """Whether it asked for changes of this list."""
        flags = {
            Listing.TOOLS: self.wants.tools_list_changed,
            Listing.RESOURCES: self.wants.resources_list_changed,
            Listing.PROMPTS: self.wants.prompts_list_changed,
        }
        return flags[listing] is True


class Memory:
    """Of one host, from its first request to its end."""

    def __init__(self) -> None:
        self.era: Era | None = None
        """None until a request has been accepted."""
        self.opening: dict[str, Any] = {}
        """Legacy: params of `initialize`, with the version that was agreed on."""
        self.initialized = False
        """Legacy: the host has sent `notifications/initialized`, and may be told things."""
        self.envelope: dict[str, Any] = {}
        """Modern: what the host puts into every request's `_meta`."""
        self.level: dict[str, Any] | None = None
        """Legacy: params of the last `logging/setLevel`."""
        self.uris: dict[str, None] = {}
        """Legacy: subscribed resources."""
        self.listens: dict[RequestId, HeldListen] = {}
        """Modern: open listens."""
        self._pages: dict[str, dict[str | None, dict[str, Any]]] = {}

    # --- noting -------------------------------------------------------------------------------------------

    def note(self, method: str, request: bytes, response: bytes) -> None:
        """One of `REMEMBERED` has succeeded."""
        params, result = member(request, "params"), member(response, "result")
        if method in ITEMS:
            self._note_page(method, params.get("cursor"), result)
        elif method == "initialize":
            self.era = Era.LEGACY
            self.opening = params | {"protocolVersion": result.get("protocolVersion")}
        elif method == "logging/setLevel":
            self.level = params
        elif method == "resources/subscribe":
            self.uris[str(params.get("uri"))] = None
        else:
            self.uris.pop(str(params.get("uri")), None)

    def note_era(self, request: bytes) -> None:
        """A request was accepted before the era was known: an enveloped one makes it modern."""
        meta = member(request, "params").get("_meta")
        if isinstance(meta, dict) and wire.META_VERSION in meta:
            self.era = Era.MODERN
            self.envelope = {key: meta[key] for key in ENVELOPE if key in meta}

    def hold(self, listen_id: RequestId, request: bytes) -> None:
        """A listen was acknowledged."""
        try:
            wants = msgspec.convert(member(request, "params").get("notifications"), wire.ListenFilter)
        except msgspec.ValidationError:
            return
        self.listens[listen_id] = HeldListen(request, wants)

    def _note_page(self, method: str, cursor: object, result: dict[str, Any]) -> None:
        pages = self._pages.setdefault(method, {})
        if not isinstance(cursor, str):
            pages.clear()
        if len(pages) < MAX_PAGES:
            pages[cursor if isinstance(cursor, str) else None] = result

    # --- what was told ----------------------------------------------------------------------------------------

    @property
    def told(self) -> tuple[str, ...]:
        """The list methods the host has asked."""
        return tuple(self._pages)

    def page(self, method: str, cursor: str | None) -> bytes | None:
        """A page as it was told; None: it never was."""
        result = self._pages.get(method, {}).get(cursor)
        return None if result is None else encode(result)

    def items(self, method: str) -> list[Any]:
        """The whole list as it was told, over all its pages."""
        return [item for page in self._pages.get(method, {}).values() for item in items_of(method, page)]

    def tool_names(self) -> set[str]:
        """Names of the tools that were told."""
        return set(self._tools())

    def is_read_only(self, tool: str) -> bool:
        """Whether a tool was listed as one that only looks."""
        annotations = self._tools().get(tool, {}).get("annotations")
        return isinstance(annotations, dict) and annotations.get("readOnlyHint") is True

    def _tools(self) -> dict[str, dict[str, Any]]:
        listed = self.items("tools/list")
        return {tool["name"]: tool for tool in listed if isinstance(tool, dict) and isinstance(tool.get("name"), str)}


def items_of(method: str, result: dict[str, Any]) -> list[Any]:
    """The list in a list method's result."""
    found = result.get(ITEMS[method])
    return found if isinstance(found, list) else []
