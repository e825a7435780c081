"""The seam between what moves texts and what understands them.

A channel moves whole JSON-RPC texts (UTF-8 bytes) between two ends. It is push-style: the loop's own
callbacks hand each text to the receiver at once, with no task and no queue in between, because a thread
hop or a task switch per message is the dearest thing on the path. Everything here happens on the
protocol loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


def _never() -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What can be read off a connection."""

    transport: str
    """`websocket`, `http`, `stdio` or `memory`."""
    remote: str
    """The other end as text, for instance `127.0.0.1:51234`; a label, never identity."""
    subprotocol: str | None = None
    said: Callable[[], str] = str
    """What the other end has said beside the protocol, for people: a command's stderr."""
    explain: Callable[[], str] = str
    """The same as the end of a sentence about what went wrong; empty when there is nothing to say."""
    refused: Callable[[], int | None] = _never
    """The HTTP status with which the other end has refused everything, once it has."""


class Receiver(Protocol):
    """Who takes what a channel delivers. Its methods must not raise."""

    def receive_text(self, text: bytes) -> None:
        """One whole text arrived."""

    def receive_writable(self) -> None:
        """`writable` has become true again after it was false."""

    def receive_close(self, code: int, reason: str) -> None:
        """The channel is gone; called exactly once, last. 1006 = vanished without saying so."""


class Channel(Protocol):
    """One end of a connection."""

    @property
    def facts(self) -> ChannelFacts:
        """Read-only facts."""

    @property
    def writable(self) -> bool:
        """Whether the next text would be taken at once, without being piled up here."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes handed to `send` which the operating system has not taken yet."""

    @property
    def bytes_received(self) -> int:
        """Bytes that ever arrived, control frames included: any growth is a sign of life."""

    @property
    def bytes_sent(self) -> int:
        """Bytes ever handed to `send`, framing included; minus `unsent_bytes` it is what has drained."""

    def open(self, receiver: Receiver) -> None:
        """Start delivering to `receiver`."""

    def send(self, text: bytes) -> None:
        """Hand over one text; never blocks and never raises; ignored once the channel is closed."""

    def pause_receiving(self) -> None:
        """Deliver no further text until `resume_receiving`; the other side meets TCP backpressure."""

    def resume_receiving(self) -> None:
        """Undo `pause_receiving`; texts that arrived meanwhile come first."""

    def ping(self) -> None:
        """Ask the other side for a sign of life, where the transport has such a thing."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close politely: what was sent before is flushed; a silent other side is cut off after a bounded time."""

    def abort(self) -> None:
        """Drop the connection at once."""
