"""A client's channel that is overheard: what it sends and what it is sent are written down as they pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_workbench.events import NOTEBOOK
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import Side
from mcp_workbench.transports.channel import Channel, ChannelFacts, Receiver

if TYPE_CHECKING:
    from mcp_workbench.exploring.overhearing import Overheard, Overhearing


class OverheardChannel:
    """A channel around a channel, and its receiver.

    Args:
        channel: Not opened yet.
        overhearing: Who hears it.
    """

    def __init__(self, channel: Channel, overhearing: Overhearing) -> None:
        facts = channel.facts
        self._channel = channel
        self._overheard: Overheard = overhearing.begin(Side.CLIENT, NOTEBOOK, facts.transport, facts.remote)
        self._receiver: Receiver | None = None
        self.pause_receiving, self.resume_receiving = channel.pause_receiving, channel.resume_receiving
        self.ping, self.close, self.abort = channel.ping, channel.close, channel.abort

    @property
    def facts(self) -> ChannelFacts:
        """Those of the channel."""
        return self._channel.facts

    @property
    def writable(self) -> bool:
        """As the channel says."""
        return self._channel.writable

    @property
    def unsent_bytes(self) -> int:
        """As the channel says."""
        return self._channel.unsent_bytes

    @property
    def bytes_received(self) -> int:
        """As the channel says."""
        return self._channel.bytes_received

    @property
    def bytes_sent(self) -> int:
        """As the channel says."""
        return self._channel.bytes_sent

    def open(self, receiver: Receiver) -> None:
        """Start delivering to `receiver`, past our ears."""
        self._receiver = receiver
        self._channel.open(self)

    def send(self, text: bytes) -> None:
        """Write it down and hand it over."""
        self._overheard.note(Direction.OUT, text)
        self._channel.send(text)

    # --- as the receiver of what the channel delivers -----------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        """Write it down and pass it on."""
        self._overheard.note(Direction.IN, text)
        if self._receiver is not None:
            self._receiver.receive_text(text)

    def receive_writable(self) -> None:
        """Pass it on."""
        if self._receiver is not None:
            self._receiver.receive_writable()

    def receive_close(self, code: int, reason: str) -> None:
        """The conversation is over."""
        self._overheard.end(code, reason)
        if self._receiver is not None:
            self._receiver.receive_close(code, reason)
