"""The two ends of a conversation, and what a server says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from msgspec import UNSET

from mcp_workbench.protocol import wire


class Side(StrEnum):
    """Which end of the connection this is."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """What a server says of itself in `initialize` and `server/discover`."""

    info: wire.Implementation
    capabilities: wire.ServerCapabilities
    instructions: str | None = None
    modern: bool = True
    """Whether revisions from 2026-07-28 are spoken too."""

    def offers(self, capability: str | None) -> bool:
        """Whether this field of the capabilities is declared; None: nothing needs to be."""
        return capability is None or getattr(self.capabilities, capability) is not UNSET
