"""Whether a client is still there, and whether it reads; by what moved on its connection since the last look. Reads no clock."""

from __future__ import annotations

from mcp_workbench.limits import Limits
from mcp_workbench.transports.channel import Channel


class Life:
    """When this client was last heard of, and when it last read. Any byte counts, in either direction.

    A byte that leaves is a sign of life only where bytes had been stuck: an idle operating system takes what
    we send, our own ping included, whether or not anybody is left at the other end.
    """

    __slots__ = ("_alive_at", "_drained", "_drained_at", "_pinged_at", "_received", "_stuck")

    def __init__(self, now: float) -> None:
        self._received = self._drained = self._stuck = 0
        self._alive_at = self._drained_at = now
        self._pinged_at: float | None = None

    def look(self, channel: Channel, queued_bytes: int, now: float, limits: Limits) -> str:
        """`ping`, `dead`, `slow` or `` (nothing to do)."""
        unsent = channel.unsent_bytes
        drained = channel.bytes_sent - unsent
        moved = drained != self._drained
        if moved or not (unsent or queued_bytes):
            self._drained, self._drained_at = drained, now
        if (moved and self._stuck) or channel.bytes_received != self._received:
            self._received, self._alive_at, self._pinged_at = channel.bytes_received, now, None
        self._stuck = unsent
        if now - self._drained_at >= limits.slow_consumer_s:
            return "slow"
        if self._pinged_at is not None:
            return "dead" if now - self._pinged_at >= limits.dead_after_s else ""
        if now - self._alive_at >= limits.ping_after_s:
            self._pinged_at = now
            return "ping"
        return ""
