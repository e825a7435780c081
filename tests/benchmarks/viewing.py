"""The views under measurement, in a process of their own: they watch what they are told to, and count what they are sent.

Each line that is read is an `Order`. When the views have been told what there was, a `Settled` is printed; `seconds` later what they
have received since, as a `Seen`. They take no part in drawing; `browser.py` measures that.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from mcp_workbench import discovery
from mcp_workbench.transports.websocket_client import open_websocket
from mcp_workbench.version import __version__
from mcp_workbench.views.messages import VIEW_PROTOCOL, Message, Open, Watch, encode
from mcp_workbench.views.page import VIEW_SUBPROTOCOL


class Order(msgspec.Struct, kw_only=True):
    """What to watch."""

    watch: Watch
    views: int
    """How many; 0: only the time passes."""
    settle_s: float
    seconds: float


class Settled(msgspec.Struct):
    """From here on counts."""

    bytes: int
    """Received until now, by one view."""


class Seen(msgspec.Struct):
    """What one view has received."""

    bytes: int
    messages: int


class View:
    """The receiver of one connection."""

    def __init__(self) -> None:
        self.bytes = self.messages = 0

    def receive_text(self, text: bytes) -> None:
        """Count a message."""
        self.bytes += len(text)
        self.messages += 1

    def receive_writable(self) -> None:
        """Nothing waits here."""

    def receive_close(self, code: int, reason: str) -> None:
        """It ends with the order."""


async def carry_out(order: Order) -> None:
    """Watch as ordered."""
    (entry,) = discovery.find_views()
    channels = [await open_websocket(entry.url, token=entry.token, subprotocol=VIEW_SUBPROTOCOL) for _ in range(order.views)]
    views = [View() for _ in channels]
    messages: tuple[Message, ...] = (Open(view_protocol=VIEW_PROTOCOL, version=__version__), order.watch)
    for channel, view in zip(channels, views, strict=True):
        channel.open(view)
        for message in messages:
            channel.send(encode(message))
    await asyncio.sleep(order.settle_s)
    one = views[0] if views else View()
    before = Seen(one.bytes, one.messages)
    say(Settled(one.bytes))
    await asyncio.sleep(order.seconds)
    say(Seen(one.bytes - before.bytes, one.messages - before.messages))
    for channel in channels:
        channel.close()


def say(answer: msgspec.Struct) -> None:
    """Print one line."""
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Carry out orders until stdin ends."""
    for line in sys.stdin.buffer:
        asyncio.run(carry_out(msgspec.json.decode(line, type=Order)))


if __name__ == "__main__":
    main()
