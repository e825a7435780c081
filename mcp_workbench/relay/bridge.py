"""The bridge: a relay between a host on this process's stdio and whichever kernel belongs to it.

It looks into the discovery folder twice a second, connects, and comes back when the connection ends; nothing that
happens to a kernel ends it, only the host does. The relay decides what is said; here are the channels, the pauses
between looks, and the bounds: the host is not read while a kernel joins or does not keep up, a kernel is not read
while the host does not.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from mcp_workbench.discovery import Entry, Survey, survey
from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.relay import sentences
from mcp_workbench.relay.choosing import Choice, Wish, choose, find_named
from mcp_workbench.relay.relay import Relay
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.websocket_client import open_websocket
from mcp_workbench.wording import plain

logger = logging.getLogger("mcp_workbench.bridge")

LOOK_APART_S = 0.5
LOOK_CONNECTED_S = 2.0
"""Only to notice that there is something to choose."""
CONNECT_WITHIN_S = 3.0
SETTLE_WITHIN_S = 5.0
"""A kernel that joins has this long to answer what it is asked; the host waits meanwhile."""
FIRST_WITHIN_S = 1.0
"""How long the host's first request waits for a kernel that is being connected."""
END_WITHIN_S = 1.0
"""After the host's last text: how long what is open may still be answered, and the kernel told goodbye."""

Connect = Callable[[Entry], Awaitable[Channel]]
Pause = Callable[[asyncio.Event, float], Awaitable[None]]
"""Waits for the event, but no longer than so many seconds."""


async def connect(entry: Entry) -> Channel:
    """Open a WebSocket to a kernel.

    Raises:
        ConnectionClosed: It is not there, or refuses.
        TimeoutError: It does not answer.
        ValueError: Its discovery file holds no usable address.
    """
    return await open_websocket(entry.url, token=entry.token, open_timeout_s=CONNECT_WITHIN_S)


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event for a while."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


class Bridge:
    """One host's bridge. Loop thread only.

    Args:
        host: The channel to the host; opened by `run`.
        wish: Which kernel is wanted.
        look: Finds running kernels; called in another thread.
        connect: Connects with one.
        pause: Waits between looks.
        now: Seconds since 1970.
        channel: Whether the host is to be brought a channel's news.
    """

    def __init__(
        self,
        host: Channel,
        wish: Wish,
        *,
        look: Callable[[], Survey] = survey,
        connect: Connect = connect,
        pause: Pause = pause,
        now: Callable[[], float] = time.time,
        channel: bool = False,
    ) -> None:
        self._host = host
        self._wish = wish
        self._find = look
        self._connect = connect
        self._pause = pause
        self._now = now
        self._relay = Relay(self, own=f"mcp-workbench-{secrets.token_hex(4)}-", now=now, channel=channel)
        self._kernel: _KernelEnd | None = None
        self._last: Entry | None = None
        self._uses: list[tuple[RequestId, str]] = []
        self._unfit: Entry | None = None
        """One that cannot go on with this conversation: not tried again."""
        self._problem: str | None = None
        self._fault: str | None = None
        """What the last look came upon, if it was a fault of ours."""
        self._ignored: tuple[str, ...] = ()
        self._host_paused = False
        self._host_ended = asyncio.Event()
        self._end_of_host = ""
        self._quiet = asyncio.Event()
        """After the host's end: nothing waits for an answer."""
        self._awake = asyncio.Event()
        self._settle_timer: asyncio.TimerHandle | None = None

    def look_now(self) -> None:
        """Look for kernels at once instead of at the end of the pause."""
        self._awake.set()

    async def run(self) -> None:
        """Serve until the host has ended; cancelling is safe."""
        looked = asyncio.Event()
        following = start_task(self._follow(looked), name="mcp-bridge-follow")
        try:
            await pause(looked, FIRST_WITHIN_S)
            self._host.open(_HostEnd(self))
            self._pace()
            await self._host_ended.wait()
            await pause(self._quiet, END_WITHIN_S)
        finally:
            following.cancel()
            await self._hang_up()
        logger.info("the host has ended: %s", plain(self._end_of_host))

    async def _hang_up(self) -> None:
        self._stop_settle_timer()
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            kernel.channel.close(1000, "the host has ended")
            await pause(kernel.closed, END_WITHIN_S)
            kernel.channel.abort()

    # --- kernels -----------------------------------------------------------------------------------------

    async def _follow(self, looked: asyncio.Event) -> None:
        while True:
            self._awake.clear()
            try:
                await self._look()
                self._fault = None
            except Exception as error:
                # The last line of defence: a host's server stays, whatever a look or a kernel has come upon.
                # Twice a second the same would hide what else is told.
                if self._fault != repr(error):
                    self._fault = repr(error)
                    logger.exception("a fault of the bridge itself; it goes on")
                self._fail_uses()
            looked.set()
            await self._pause(self._awake, LOOK_APART_S if self._kernel is None else LOOK_CONNECTED_S)

    def _fail_uses(self) -> None:
        uses, self._uses = self._uses, []
        for request_id, _ in uses:
            self._relay.fail_use(request_id)

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._find)
        ignored = tuple(f"{each.path.name} {each.reason}" for each in found.ignored)
        if ignored != self._ignored:
            self._ignored = ignored
            logger.info("not used: %s", plain("; ".join(ignored) or "none any more"))
        uses, self._uses = self._uses, []
        for request_id, name in uses:
            try:
                await self._use(request_id, name, choose(found.entries, self._wish, self._last))
            except Exception:
                # Of several choices each is answered, whatever becomes of the one before.
                logger.exception("a fault of the bridge itself while a notebook was chosen; it goes on")
                self._relay.fail_use(request_id)
        choice = choose(found.entries, self._wish, self._last)
        self._relay.know(choice, self._problem, ignored)
        if self._kernel is None and choice.entry is not None and not uses:
            await self._join(choice.entry)
            self._relay.know(choice, self._problem, ignored)

    async def _use(self, request_id: RequestId, name: str, choice: Choice) -> None:
        found = find_named(name, choice.candidates)
        if len(found) != 1:
            text = sentences.ambiguous(name, found, self._now()) if found else sentences.no_such(name, choice, self._now())
            self._relay.answer_use(request_id, text, is_error=True)
            return
        self._last = found[0]
        if self._kernel is None or self._kernel.entry != found[0]:
            self._leave("another notebook was chosen")
            await self._join(found[0])
        if self._kernel is None:
            self._relay.answer_use(request_id, sentences.cannot_use(found[0], self._problem or "it is gone"), is_error=True)
        else:
            self._relay.answer_use(request_id, sentences.using(found[0]), is_error=False)

    async def _join(self, entry: Entry) -> None:
        if entry == self._unfit:
            return
        try:
            channel = await self._connect(entry)
        except (ConnectionClosed, TimeoutError, ValueError) as error:
            self._note_problem(entry, str(error))
            return
        logger.info("connected with %s (process %d)", plain(entry.name), entry.pid)
        self._problem, self._last = None, entry
        kernel = self._kernel = _KernelEnd(self, entry, channel)
        self._settle_timer = asyncio.get_running_loop().call_later(SETTLE_WITHIN_S, self._give_up_silent, kernel)
        channel.open(kernel)
        self._relay.join(entry, channel.send)
        self._pace()

    def _note_problem(self, entry: Entry, problem: str) -> None:
        if problem != self._problem:
            logger.info("%s cannot be connected: %s", plain(entry.name), plain(problem))
        self._problem = problem

    def _give_up_silent(self, kernel: _KernelEnd) -> None:
        if kernel is self._kernel and self._relay.holding:
            self._problem = f"it did not answer within {SETTLE_WITHIN_S:g} s; its process may be blocked"
            self._leave(self._problem)

    def _leave(self, reason: str) -> None:
        """Go on without the kernel; the channel may have ended already."""
        kernel, self._kernel = self._kernel, None
        self._stop_settle_timer()
        if kernel is None:
            return
        logger.info("left %s: %s", plain(kernel.entry.name), plain(reason))
        kernel.channel.close(1000, "the bridge goes on without this kernel")
        self._relay.leave(reason)
        self._pace()
        self._note_quiet()

    def _stop_settle_timer(self) -> None:
        if self._settle_timer is not None:
            self._settle_timer.cancel()

    # --- what the relay asks for -----------------------------------------------------------------------------

    def send_to_host(self, text: bytes) -> None:
        """Send one text."""
        self._host.send(text)

    def use(self, request_id: RequestId, name: str) -> None:
        """The agent chose a notebook: look at once, whatever the pause."""
        self._uses.append((request_id, name))
        self._awake.set()

    def wake_after(self, request_id: RequestId, seconds: float) -> None:
        """A status call waits for news, but not for ever."""
        asyncio.get_running_loop().call_later(seconds, self._relay.wake, request_id)

    def give_up(self, sentence: str) -> None:
        """This kernel cannot go on with the conversation."""
        if self._kernel is not None:
            self._unfit, self._problem = self._kernel.entry, sentence
            self._leave(sentence)

    # --- what the channels tell -------------------------------------------------------------------------------

    def receive_from_host(self, text: bytes) -> None:
        """One text of the host."""
        self._relay.receive_from_host(text)
        self._pace()

    def receive_from_kernel(self, kernel: _KernelEnd, text: bytes) -> None:
        """One text of a kernel; of one that was left, nothing counts any more."""
        if kernel is self._kernel:
            self._relay.receive_from_kernel(text)
            self._pace()
            self._note_quiet()

    def receive_end_of_kernel(self, kernel: _KernelEnd, code: int, reason: str) -> None:
        """A kernel's connection has ended."""
        if kernel is self._kernel:
            self._leave(_why(code, reason))
            self._awake.set()

    def receive_end_of_host(self, reason: str = "") -> None:
        """The host has said its last, or its channel had to end."""
        self._end_of_host = reason or "it said nothing more"
        self._host_ended.set()
        self._note_quiet()

    def pace(self) -> None:
        """Somebody reads again."""
        self._pace()

    def _pace(self) -> None:
        """Read no side faster than the other one does."""
        kernel = self._kernel
        host_must_wait = self._relay.holding or not (self._host if kernel is None else kernel.channel).writable
        if host_must_wait != self._host_paused:
            self._host_paused = host_must_wait
            (self._host.pause_receiving if host_must_wait else self._host.resume_receiving)()
        if kernel is not None and kernel.paused != (not self._host.writable):
            kernel.paused = not kernel.paused
            (kernel.channel.pause_receiving if kernel.paused else kernel.channel.resume_receiving)()

    def _note_quiet(self) -> None:
        if self._host_ended.is_set() and self._relay.idle:
            self._quiet.set()


class _HostEnd:
    """Receives from the host."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.receive_text = bridge.receive_from_host
        self.receive_writable = bridge.pace

    def receive_close(self, code: int, reason: str) -> None:
        self._bridge.receive_end_of_host(reason)


class _KernelEnd:
    """Receives from one kernel."""

    def __init__(self, bridge: Bridge, entry: Entry, channel: Channel) -> None:
        self.entry = entry
        self.channel = channel
        self.paused = False
        self.closed = asyncio.Event()
        self._bridge = bridge

    def receive_text(self, text: bytes) -> None:
        self._bridge.receive_from_kernel(self, text)

    def receive_writable(self) -> None:
        self._bridge.pace()

    def receive_close(self, code: int, reason: str) -> None:
        self.closed.set()
        self._bridge.receive_end_of_kernel(self, code, reason)


def _why(code: int, reason: str) -> str:
    if code == 1006:
        return reason or "the connection broke off: its process may have ended or been restarted"
    return f"closed with code {code}: {reason}" if reason else f"closed with code {code}"
