"""A view's connection over a comm: for notebooks where the page reaches the kernel by Jupyter's own messages only.

A comm is not made for this, so `CommChannel` adds what it lacks:

* *An end.* Nobody says when a tab is closed. The view says `Watch` again every 20 s (`HEARTBEAT_S`); after 90 s
  without any message the channel ends. While a cell has the main thread the kernel cannot hear, so silence proves nothing.
* *Backpressure.* Whatever is sent is taken, and Jupyter Server drops the outputs of cells when a kernel sends more than
  1 MB/s, or keeps them in memory while no page is open. So there is a budget of bytes: `writable` is false until it has
  grown again, and it grows slowly while nothing is heard.
* *A close.* The message `Closed` says it.

`CommDoor` stands before it for as long as the widget lives, while servers stop and start: it checks what comes in, opens a
channel for an `Open`, and opens one again, with what the view said last, when there is none (the server was started again,
or a laptop slept). A comm is one connection: of two views on it the later `Open` begins anew.

Knows no widget: it is given a function that sends. Threads: `receive`, `go_on` and `close` belong to the main thread (or a
subshell's), everything else to the protocol loop of the server that serves then; `watched` may be read by any.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel, ChannelFacts, Receiver
from mcp_workbench.views.messages import Closed, encode

logger = logging.getLogger("mcp_workbench")

Send = Callable[[Any], None]
"""Sends one message object over the comm; from any thread."""

MAX_BYTES = 1024 * 1024
"""A longer message of a view is refused."""
HEARTBEAT_S = 20.0
PATIENCE_S = 90.0
"""A channel over which nothing was heard for so long has ended. Browsers let a page in the background run once a minute only."""
BURST_BYTES = 512 * 1024
"""What may be sent at once."""
BYTES_PER_S = 256 * 1024
"""A quarter of what Jupyter Server lets through (`iopub_data_rate_limit`), cells' own outputs included."""
SILENT_BYTES_PER_S = 1024
"""While a cell runs and nothing is heard, so that it may run for hours in front of nobody."""
DEBT_S = 30.0
"""What one message takes of the budget is grown again after so long at the most."""
HELD = 64
"""Messages that wait while the receiver takes none; with one more the channel ends."""
PRINCIPAL = Principal("view")
STOPPED = Closed(code=1001, reason="the server is stopped: wb.start() starts it again")


@dataclass(frozen=True, slots=True)
class Place:
    """Where views are taken in: a server that runs."""

    loop: asyncio.AbstractEventLoop
    """The protocol loop."""
    post: Callable[..., bool]
    """As `Engine.post`."""
    accept: Callable[[Channel, Principal], Receiver | None]
    """Takes a connection, as an endpoint of the gate; None: not now."""


@dataclass(slots=True)
class Budget:
    """What may be sent over one comm, whichever connection over it sends: opening again brings nothing new."""

    left: float = BURST_BYTES
    counted: float | None = None
    """When, by the loop's clock; None: not yet."""


class CommChannel:
    """One end of a connection, as `transports.channel.Channel`; made and used on the protocol loop.

    Args:
        send: Sends over the comm.
        loop: The protocol loop; its clock is the channel's.
        busy: Whether a cell keeps the kernel from hearing the view; from any thread.
        budget: Of the comm.
    """

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop, busy: Callable[[], bool], budget: Budget) -> None:
        self.loop = loop
        self._send = send
        self._busy = busy
        self._receiver: Receiver | None = None
        self._closed: tuple[int, str] | None = None
        """How it has ended."""
        self._paused = False
        self._held: deque[bytes] = deque()
        self._received = self._sent = 0
        self._budget = budget
        self._heard = self._could_hear = loop.time()
        self._again: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None

    # --- as any channel ---------------------------------------------------------------------------------------

    @property
    def facts(self) -> ChannelFacts:
        """Read-only facts."""
        return ChannelFacts("comm", "notebook")

    @property
    def writable(self) -> bool:
        """Whether there is budget left."""
        return not self.closed and self._grown() > 0

    @property
    def unsent_bytes(self) -> int:
        """0: a comm takes everything at once."""
        return 0

    @property
    def bytes_received(self) -> int:
        """Bytes of the messages that arrived."""
        return self._received

    @property
    def bytes_sent(self) -> int:
        """Bytes of the messages sent."""
        return self._sent

    def open(self, receiver: Receiver) -> None:
        """Start delivering to `receiver`."""
        self._receiver = receiver
        if self._closed is not None:  # while the receiver was made
            self.loop.call_soon(receiver.receive_close, *self._closed)
            return
        self._watch = self.loop.call_later(HEARTBEAT_S, self._look_for_life)
        self._deliver_held()

    def send(self, text: bytes) -> None:
        """Send one message; ignored once the channel is closed."""
        if self.closed:
            return
        self._sent += len(text)
        self._budget.left = max(self._grown() - len(text), -DEBT_S * self._rate())
        self._wait_for_budget()
        try:
            self._send(msgspec.json.decode(text))
        except Exception:  # a named boundary: a comm whose kernel is ending
            logger.exception("a message could not be sent to the view in the notebook; its connection ends")
            self.drop()

    def pause_receiving(self) -> None:
        """Hold what arrives; past `HELD` messages the channel ends, for a comm cannot be told to wait."""
        self._paused = True

    def resume_receiving(self) -> None:
        """Deliver what was held, and what comes."""
        self._paused = False
        self._deliver_held()

    def ping(self) -> None:
        """Nothing: the view gives its signs of life by itself."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say so, and end."""
        self.send(encode(Closed(code=code, reason=reason)))
        self._end(code, reason)

    def abort(self) -> None:
        """End at once; a comm has room for the word all the same, by which the view knows that it may open again."""
        self.close(1006, "the kernel has given this connection up")

    # --- what the door gives it -------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed is not None

    def drop(self) -> None:
        """End without a word."""
        self._end(1006, "")

    @property
    def heard_lately(self) -> bool:
        """Whether somebody gave a sign of life within the patience."""
        return not self.closed and self.loop.time() - self._heard < PATIENCE_S

    def receive(self, text: bytes) -> None:
        """A message of the view."""
        if self.closed:
            return
        self._received += len(text)
        self._grown()
        self._heard = self.loop.time()
        if self._again is not None:  # it grows faster from now on
            self._again.cancel()
            self._again = None
            self._wait_for_budget()
        self._held.append(text)
        if len(self._held) > HELD:
            self.close(1008, f"more than {HELD} messages came while none was taken")
        else:
            self._deliver_held()

    def _deliver_held(self) -> None:
        while self._held and not self._paused and not self.closed and self._receiver is not None:
            self._receiver.receive_text(self._held.popleft())

    # --- what a comm lacks ------------------------------------------------------------------------------------

    def _rate(self) -> int:
        return BYTES_PER_S if self.heard_lately else SILENT_BYTES_PER_S

    def _grown(self) -> float:
        """The budget of now."""
        budget, now = self._budget, self.loop.time()
        passed = 0.0 if budget.counted is None else now - budget.counted
        budget.left = min(float(BURST_BYTES), budget.left + passed * self._rate())
        budget.counted = now
        return budget.left

    def _wait_for_budget(self) -> None:
        if self._budget.left <= 0 and self._again is None:
            self._again = self.loop.call_later(-self._budget.left / self._rate() + 0.05, self._writable_again)

    def _writable_again(self) -> None:
        self._again = None
        if self._grown() <= 0:  # it has grown more slowly than was thought, for nothing is heard any more
            self._wait_for_budget()
        elif self._receiver is not None:
            self._receiver.receive_writable()

    def _look_for_life(self) -> None:
        now = self.loop.time()
        if self._busy():
            self._could_hear = now
        if now - max(self._heard, self._could_hear) >= PATIENCE_S:
            self.close(1006, f"nothing was heard of the view for {PATIENCE_S:g} s")
        else:
            self._watch = self.loop.call_later(HEARTBEAT_S, self._look_for_life)

    def _end(self, code: int, reason: str) -> None:
        if self._closed is not None:
            return
        self._closed = code, reason
        self._held.clear()
        for timer in (self._again, self._watch):
            if timer is not None:
                timer.cancel()
        if self._receiver is not None:
            # Not from within the receiver's own call: it may be in the middle of something.
            self.loop.call_soon(self._receiver.receive_close, code, reason)


class CommDoor:
    """Takes what the front end sends to one widget, for as long as that lives.

    Args:
        send: Sends over the comm.
        place: Gives the server that runs; None: none does.
        busy: As `CommChannel` takes it.
    """

    def __init__(self, send: Send, place: Callable[[], Place | None], busy: Callable[[], bool]) -> None:
        self._send = send
        self._place = place
        self._busy = busy
        self._channel: CommChannel | None = None
        self._budget = Budget()
        self._open: bytes | None = None
        """What the view opened with."""
        self._watch: bytes | None = None
        """What it said last that it wants to see."""
        self.refused = 0
        """Messages that were none of a view."""

    @property
    def watched(self) -> bool:
        """Whether a view is connected and gives signs of life."""
        channel, place = self._channel, self._place()
        return channel is not None and place is not None and channel.loop is place.loop and channel.heard_lately

    def receive(self, content: object, buffers: object = ()) -> None:
        """A message arrived.

        Args:
            content: Whatever a page has sent; nothing is known of it.
            buffers: What came with it in binary; a view sends none.
        """
        checked = None if buffers else _checked(content)
        if checked is None:
            self.refused += 1
            logger.warning("a message to the view's widget was refused: it is no JSON object with a type, of at most %s bytes", MAX_BYTES)
            return
        place = self._place()
        if place is None or not place.post(self._arrived, place, *checked):
            self._send(msgspec.to_builtins(STOPPED))

    def go_on(self) -> None:
        """A server has started: take the view in again that was connected to the one before."""
        if (place := self._place()) is not None and self._open is not None:
            place.post(self._enter, place)

    def close(self) -> None:
        """The widget is closed."""
        self._open = self._watch = None
        channel, place = self._channel, self._place()
        if channel is not None and place is not None and channel.loop is place.loop:
            place.post(channel.drop)

    def _arrived(self, place: Place, kind: str, text: bytes) -> None:
        if kind == "open":
            self._open = text
            self._watch = None
            self._enter(place)
            return
        if kind == "watch":
            self._watch = text
        channel = self._channel
        if channel is not None and not channel.closed and channel.loop is place.loop:
            channel.receive(text)
        elif self._open is not None:
            self._enter(place)
            if kind != "watch" and self._channel is not None:
                self._channel.receive(text)

    def _enter(self, place: Place) -> None:
        """A connection from its beginning, with what the view has said."""
        if self._channel is not None and self._channel.loop is place.loop:
            self._channel.drop()
        self._channel = channel = CommChannel(self._send, place.loop, self._busy, self._budget)
        try:
            receiver = place.accept(channel, PRINCIPAL)
        except Exception:  # a named boundary: a view that cannot be taken in must not end the loop's callback without an answer
            logger.exception("the view in the notebook could not be taken in")
            channel.close(1011, "internal error: the log says more")
            return
        if receiver is None:
            channel.close(1013, "the kernel takes no view now: try again later")
            return
        channel.open(receiver)
        for said in (self._open, self._watch):
            if said is not None:
                channel.receive(said)


def _checked(content: object) -> tuple[str, bytes] | None:
    """Type and text of a message; None where it is none."""
    if not isinstance(content, dict) or not isinstance(kind := content.get("type"), str):
        return None
    try:
        text = msgspec.json.encode(content)
    except (TypeError, ValueError, RecursionError):
        return None
    return (kind, text) if len(text) <= MAX_BYTES else None
