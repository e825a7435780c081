"""One WebSocket connection after its handshake: the channel of the server's and of the client's end.

Frames are read and written by the Sans-I/O layer of `websockets`; this module is its driver. Bytes
come in by asyncio's callback and leave as texts in the same turn of the loop, without task or queue.
What stands between is only there for fairness and for bounds: arrived bytes are parsed in small
slices, a limited number of frames is handled per turn, and reading stops while somebody does not keep
up. Keepalive, outbox and the meaning of texts are the receiver's affair. Everything here happens on
the loop's thread; the two modules beside it (websocket_server, websocket_client) do the handshakes.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from time import perf_counter

from websockets.frames import EXTERNAL_CLOSE_CODES, Frame, Opcode
from websockets.protocol import Protocol as Wire
from websockets.protocol import Side, State

from mcp_workbench.transports.channel import ChannelFacts, Receiver
from mcp_workbench.transports.departures import Departures
from mcp_workbench.transports.listening import label

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled helper
    from websockets.utils import apply_mask

logger = logging.getLogger("mcp_workbench")

# The library logs tracebacks of what the other side did wrong; in a kernel they would land in a cell.
silent = logging.getLogger("mcp_workbench.websockets")
silent.addHandler(logging.NullHandler())
silent.propagate = False
silent.setLevel(logging.CRITICAL + 1)

TURN_FRAMES = 64
TURN_S = 0.002
SLICE_BYTES = 2048
"""Parsed at a time: 2 KiB hold up to 341 frames, which is what a turn may overrun its bound by."""
LANDING_BYTES = 64 * 1024
HIGH_WATER_BYTES = 64 * 1024
MAX_FRAGMENTS = 1024
MAX_REASON_BYTES = 123
CLOSE_TIMEOUT_S = 2.0

BROKEN_RECEIVER = "the receiver of the connection to %s failed; the connection is closed"


FINAL_TEXT = 0x81
"""First byte of a text frame that is a whole message (RFC 6455 section 5.2)."""
MASKED = 0x80
EXTENDED = 126
"""Length that stands for "the next two bytes say"; 127: the next eight."""


def text_frame_head(size: int) -> bytes:
    """What stands before the payload of an unmasked, whole text message of `size` bytes."""
    if size < EXTENDED:
        return bytes((FINAL_TEXT, size))
    if size < 1 << 16:
        return bytes((FINAL_TEXT, EXTENDED)) + size.to_bytes(2, "big")
    return bytes((FINAL_TEXT, EXTENDED + 1)) + size.to_bytes(8, "big")


def masked_text_frame_head(size: int) -> bytes:
    """The same for a masked one, as clients send it; the mask follows."""
    head = text_frame_head(size)
    return bytes((FINAL_TEXT, head[1] | MASKED)) + head[2:]


def sendable_code(code: int) -> int:
    """The close code to put into a frame for `code`: 1005 and 1006 only ever describe a missing one."""
    if code in EXTERNAL_CLOSE_CODES or 3000 <= code < 5000:
        return code
    return 1000 if code == 1005 else 1011


def cut_reason(reason: str) -> str:
    """As much of a close reason as a control frame holds: 123 bytes of UTF-8."""
    return reason.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")


class WebSocketChannel(asyncio.BufferedProtocol):
    """A `Channel` over one upgraded TCP or TLS connection; takes the transport over from the handshake.

    Args:
        wire: The library's protocol in state OPEN.
        transport: The connection; its protocol is replaced by this channel.
        subprotocol: What the handshake selected.
        landing: Memory in which arriving bytes land before they are copied out, in the same callback; connections of
            one loop may share it. None makes one of 64 KiB.
        departures: Through which texts leave; the connections of a server share it. None: each leaves at once.
        on_lost: Told once when the connection is gone, before the receiver is.
    """

    __slots__ = (
        "_answers_unread",
        "_buffer_full",
        "_bytes_sent",
        "_close_timer",
        "_deaf",
        "_departures",
        "_fragments",
        "_frames",
        "_landing",
        "_loop",
        "_lost",
        "_on_lost",
        "_paused",
        "_receiver",
        "_transport",
        "_turn_due",
        "_unparsed",
        "_wire",
        "bytes_received",
        "facts",
    )

    def __init__(
        self,
        wire: Wire,
        transport: asyncio.Transport,
        *,
        subprotocol: str | None,
        landing: memoryview | None = None,
        departures: Departures | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self.facts = ChannelFacts("websocket", label(transport.get_extra_info("peername")), subprotocol)
        self.bytes_received = 0
        self._bytes_sent = 0
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._transport = transport
        self._landing = memoryview(bytearray(LANDING_BYTES)) if landing is None else landing
        self._departures = departures
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._unparsed = bytearray()
        # Frames that came with the server's handshake response.
        self._frames = deque(event for event in wire.events_received() if isinstance(event, Frame))
        self._fragments: list[bytes] = []
        self._paused = False
        self._buffer_full = False
        self._answers_unread = False
        self._deaf = False
        self._turn_due = False
        self._lost = False
        self._close_timer: asyncio.TimerHandle | None = None
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        transport.set_protocol(self)

    def __repr__(self) -> str:
        return f"<WebSocketChannel to {self.facts.remote}, {'lost' if self._lost else self._wire.state.name.lower()}>"

    # What the receiver calls

    @property
    def writable(self) -> bool:
        """Whether the next text would be taken without piling up here."""
        return not self._buffer_full and self._wire.state is State.OPEN

    @property
    def unsent_bytes(self) -> int:
        """Bytes handed to `send` which the operating system has not taken yet; without what leaves at the end of this turn."""
        return 0 if self._lost else self._transport.get_write_buffer_size()

    @property
    def bytes_sent(self) -> int:
        """Bytes ever handed to the connection after its handshake, control frames included."""
        return self._bytes_sent

    def open(self, receiver: Receiver) -> None:
        """Start delivering to `receiver`; what arrived before comes first, in the loop's next turn."""
        self._receiver = receiver
        self._flush()
        if self._lost:
            self._loop.call_soon(self._report_close)
        else:
            self._schedule_turn()

    def send(self, text: bytes) -> None:
        """Write one text frame; ignored once the channel is closing."""
        if self._wire.state is not State.OPEN or self._transport.is_closing():
            return
        # What the library would write, in a third of its time: nothing of ours is ever fragmented or compressed.
        if self._wire.side is Side.SERVER:
            data = text_frame_head(len(text)) + text
        else:
            mask = os.urandom(4)
            data = masked_text_frame_head(len(text)) + mask + apply_mask(text, mask)
        self._bytes_sent += len(data)
        if self._departures is None:
            self._transport.write(data)
        else:
            self._departures.write(self._transport, data)

    def pause_receiving(self) -> None:
        """Deliver no further text until `resume_receiving`."""
        self._paused = True
        if not self._deaf:
            self._read(on=False)

    def resume_receiving(self) -> None:
        """Deliver again, from the loop's next turn on."""
        self._paused = False
        self._schedule_turn()

    def ping(self) -> None:
        """Send a ping frame; the pong shows in `bytes_received`."""
        if self._wire.state is State.OPEN and not self._transport.is_closing():
            self._wire.send_ping(b"")
            self._flush()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame behind what was sent before; cut off after 2 s. Texts that still arrive are dropped.

        Args:
            code: Close code; one that may not be sent becomes 1000 (for 1005) or 1011.
            reason: Cut to 123 bytes of UTF-8.
        """
        self._deaf = True
        self._drop_frames()  # and not the bytes behind them, in which the answer to the close frame is to be found
        if self._wire.state is State.OPEN:
            self._wire.send_close(sendable_code(code), cut_reason(reason))
            self._flush()

    def abort(self) -> None:
        """Drop the connection; the receiver hears of it in one of the loop's next turns."""
        self._transport.abort()

    # What asyncio calls

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read into: asyncio would allocate 256 KiB for every read (the bare call: 16-20 µs, into this 2.6 µs)."""
        return self._landing

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have landed."""
        self.receive_bytes(bytes(self._landing[:nbytes]))

    def receive_bytes(self, data: bytes) -> None:
        """Parse and deliver at once, unless something is waiting already."""
        self.bytes_received += len(data)
        if self._wire.state is not State.OPEN and not self._deaf:
            # The other side has said goodbye or broken the rules: nothing behind that counts.
            return
        if len(data) <= SLICE_BYTES and not self._unparsed and not self._frames:
            if not self._held and (text := self._whole_text(data)) is not None:
                self._deliver(text)
                return
            self._parse(data)
        else:
            self._unparsed += data
        self._take_turn()

    def eof_received(self) -> None:
        """The other side ended its stream; the transport closes itself when this returns."""
        self._wire.receive_eof()
        self._flush()

    def pause_writing(self) -> None:
        """The write buffer is past its high-water mark."""
        self._buffer_full = True

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        self._buffer_full = False
        if self._answers_unread:
            self._answers_unread = False
            self._schedule_turn()
        if self.writable and self._receiver is not None:
            try:
                self._receiver.receive_writable()
            except Exception:
                logger.exception(BROKEN_RECEIVER, self.facts.remote)
                self.close(1011, "internal error")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whatever the reason; happens exactly once."""
        self._lost = True
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._wire.receive_eof()
        self._drop_frames()
        self._unparsed.clear()
        if self._on_lost is not None:
            self._on_lost()
        if self._receiver is not None:
            self._report_close()

    # From bytes to texts

    @property
    def _held(self) -> bool:
        """Whether frames have to wait; never after a close of ours, whose answer must be found."""
        return (self._paused or self._answers_unread or self._receiver is None) and not self._deaf

    def _schedule_turn(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._take_due_turn)

    def _take_due_turn(self) -> None:
        self._turn_due = False
        if not self._lost:
            self._take_turn()

    def _whole_text(self, data: bytes) -> bytes | None:
        """The text in `data`, when it is just one whole text frame: nearly everything that is received.

        Anything else is None and left to the library, whose generator takes three times as long for the same frame.
        """
        wire = self._wire
        if len(data) < 4 or data[0] != FINAL_TEXT or wire.reader.buffer or wire.current_size is not None:
            return None
        masked = wire.side is Side.SERVER  # RFC 6455 section 5.1: what clients send is masked, what servers send is not
        size, start = data[1] - (MASKED if masked else 0), 2
        if size == EXTENDED:
            size, start = int.from_bytes(data[2:4], "big"), 4
            if size < EXTENDED:  # not the shortest form
                return None
        elif not 0 <= size < EXTENDED:
            return None
        end = len(data) - (4 if masked else 0)
        if end != start + size or (wire.max_message_size is not None and size > wire.max_message_size):
            return None
        return apply_mask(data[start + 4 :], data[start : start + 4]) if masked else data[start:]

    def _take_turn(self) -> None:
        """Handle what has arrived, for as long as one connection may keep the loop."""
        started = perf_counter()
        for _ in range(TURN_FRAMES):
            frame = self._next_frame()
            if frame is None:
                return
            self._take(frame)
            if perf_counter() - started > TURN_S:
                break
        self._read(on=False)
        self._schedule_turn()

    def _next_frame(self) -> Frame | None:
        """The next frame, and reading switched on or off for when there is none."""
        while not self._held:
            if self._frames:
                return self._frames.popleft()
            if not self._unparsed:
                self._read(on=True)
                return None
            piece = bytes(self._unparsed[:SLICE_BYTES])
            del self._unparsed[:SLICE_BYTES]
            self._parse(piece)
        self._read(on=False)
        return None

    def _read(self, *, on: bool) -> None:
        # asyncio's TLS transport raises when it is asked after its end.
        if self._transport.is_closing():
            return
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _parse(self, data: bytes) -> None:
        self._wire.receive_data(data)
        self._frames.extend(self._wire.events_received())  # type: ignore[arg-type]  # past the handshake there are only frames
        # Only pongs and close frames: a client that pings without reading is no longer read.
        if self._flush() and self._buffer_full:
            self._answers_unread = True
        if self._wire.state is not State.OPEN and not self._deaf:
            self._unparsed.clear()

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.CLOSE and self._wire.side is Side.SERVER:
            # RFC 6455 section 7.1.1: both close frames have been exchanged, and the server hangs up first.
            self._transport.close()
        if self._deaf:
            return
        if opcode is Opcode.TEXT and frame.fin:
            self._deliver(bytes(frame.data))
        elif opcode is Opcode.TEXT or opcode is Opcode.CONT:
            self._collect(bytes(frame.data), last=frame.fin)
        elif opcode is Opcode.BINARY:
            self._fail(1003, "only text frames are understood here")

    def _collect(self, data: bytes, *, last: bool) -> None:
        self._fragments.append(data)
        if last:
            text = b"".join(self._fragments)
            self._fragments.clear()
            self._deliver(text)
        elif len(self._fragments) > MAX_FRAGMENTS:
            self._fail(1008, f"a message may come in at most {MAX_FRAGMENTS:,} fragments")

    def _deliver(self, text: bytes) -> None:
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                self._fail(1007, "a text frame was not UTF-8")
                return
        if self._receiver is None:
            return
        if self._departures is not None:
            self._departures.note_arrival()
        try:
            self._receiver.receive_text(text)
        except Exception:
            logger.exception(BROKEN_RECEIVER, self.facts.remote)
            self.close(1011, "internal error")

    # From texts to bytes, and the end

    def _flush(self) -> bool:
        """Write what the library wants written; says whether there was something."""
        out = self._wire.data_to_send()
        if not out:
            return False
        data = out[0] if len(out) == 1 else b"".join(out)
        if self._departures is not None:
            self._departures.flush()  # a close frame stands behind what was sent before
        if data and not self._transport.is_closing():
            self._bytes_sent += len(data)
            self._transport.write(data)
        if not out[-1]:
            self._end_stream()
        if self._wire.close_expected() and self._close_timer is None:
            self._expect_loss()
        return True

    def _end_stream(self) -> None:
        try:
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        except OSError:
            # The socket is gone already, which not every system says before it is shut down.
            self._transport.abort()

    def _expect_loss(self) -> None:
        """Go on reading, so that a close frame under way is not lost to a reset, but not for long."""
        self._close_timer = self._loop.call_later(CLOSE_TIMEOUT_S, self._transport.abort)
        self._schedule_turn()

    def _fail(self, code: int, reason: str) -> None:
        """The other side broke the rules: RFC 6455 section 7.1.7."""
        self._drop_frames()
        self._unparsed.clear()
        if self._wire.state is State.OPEN:
            self._wire.fail(code, reason)
            self._flush()

    def _drop_frames(self) -> None:
        self._frames.clear()
        self._fragments.clear()

    def _report_close(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        close = self._wire.close_rcvd or self._wire.close_sent
        try:
            receiver.receive_close(*((int(close.code), close.reason) if close is not None else (1006, "")))
        except Exception:
            logger.exception("the receiver of the connection to %s failed while it was told of the end", self.facts.remote)
