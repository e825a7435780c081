"""Where traffic to explore comes from: the memory of a workbench, or a recording. What is asked of either stands here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mcp_workbench.exploring.overhearing import Overhearing
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord, SessionRecord
from mcp_workbench.telemetry.telemetry import Telemetry


class Source(Protocol):
    """Calls, messages and sessions, oldest first."""

    def calls(self) -> list[CallRecord]:
        """The calls that have ended, as far as they are kept."""

    def messages(self) -> list[Message]:
        """The messages, as far as they are kept."""

    def sessions(self) -> list[SessionRecord]:
        """Who spoke; those that ended, and those that last."""


class Memory:
    """What a workbench remembers.

    Args:
        telemetry: Its memory; asked for each time, for a server that starts may get a larger one.
        overhearing: What is heard beside the server ends up there.
        live: The sessions of the server that last now.
    """

    def __init__(self, telemetry: Callable[[], Telemetry], overhearing: Overhearing, live: Callable[[], list[SessionRecord]]) -> None:
        self._telemetry, self._overhearing, self._live = telemetry, overhearing, live

    def calls(self) -> list[CallRecord]:
        """The calls that have ended, as far as they are kept."""
        return self._settled().calls(None)

    def messages(self) -> list[Message]:
        """The messages, as far as they are kept."""
        return self._settled().messages.latest()

    def sessions(self) -> list[SessionRecord]:
        """Who spoke; those that ended, and those that last."""
        return [*self._settled().sessions(None), *self._live(), *self._overhearing.sessions()]

    def _settled(self) -> Telemetry:
        self._overhearing.settle()
        return self._telemetry()
