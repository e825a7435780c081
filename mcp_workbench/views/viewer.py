"""One connection of one view: what it watches is told it, what it asks for is done.

A `Receiver` over any `Channel`: the kernel's own WebSocket, the gateway's, a comm. It speaks first, with `Hello`, so that
a view can tell a kernel from something else that answers at its address. Nothing is ever queued here: while the channel takes
no more, feeds are not looked at, and tell at the next look what has become of it all since. Knows no feed and no action by
name; `feeds/catalog.py` lists them, `viewers.py` has the timer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, get_args

import msgspec

from mcp_workbench.transports.channel import Channel
from mcp_workbench.version import __version__
from mcp_workbench.views.asks import FAILED, Action, Ask
from mcp_workbench.views.feed import Feed
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import VIEW_PROTOCOL, Done, Hello, Message, Open, Refused, Stop, ToKernel, Watch, decode, encode
from mcp_workbench.views.words import shown

logger = logging.getLogger("mcp_workbench")

CLOSE_NO_TEXT = 1007
CLOSE_NO_MESSAGE = 1008
CLOSE_FAULT = 1011
CLOSE_TRY_LATER = 1013
COMM = "comm"
"""`ChannelFacts.transport` of a way on which what a view sends waits until no cell is busy."""
DROPPED = "%s could not tell a view what is new; that view is told nothing more of it"
UPGRADE = "pip install -U /path/to/mcp_workbench"
UNANSWERED = 16
"""Requests of one view that may wait for their answers."""
HISTOGRAMS = 64
"""Histograms that one view may watch; each is copied when its tool was called."""
STUCK_S = 60.0
"""A view that has read nothing for so long is let go."""

_TAGS = frozenset(kind.__struct_config__.tag for kind in get_args(ToKernel))


class _Envelope(msgspec.Struct):
    type: str = ""


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class ViewerHome(Protocol):
    """Where a viewer lives: all of them, as far as one sees it."""

    def now(self) -> float:
        """Seconds since 1970."""

    def post(self, function: Callable[[], None]) -> bool:
        """Have the protocol loop run a function soon, from any thread; False: it is closed."""

    def forget(self, viewer: Viewer) -> None:
        """Its connection is gone."""


class Viewer:
    """Tells one view. Protocol loop only.

    Args:
        channel: The connection.
        sources: Where the facts are.
        feeds: All there are, made for this connection.
        actions: What answers a request, by the type of its message.
        home: Where it lives.
    """

    def __init__(
        self, channel: Channel, sources: Sources, feeds: Sequence[Feed], actions: Mapping[type[Any], Action], home: ViewerHome
    ) -> None:
        self.channel = channel
        self.ignored = 0
        """Messages of a type that is not known here."""
        self._sources = sources
        self._feeds = list(feeds)
        self._watched: list[Feed] = []
        self._actions = actions
        self._home = home
        self._opened = False
        self._ending = False
        self._unanswered = 0
        self._unsayable: set[type[Message]] = set()
        """Of which kinds one could not be written, which the log tells once."""
        self._stuck_since: float | None = None
        self._send(_hello(sources, channel, home.now()))

    def __repr__(self) -> str:
        return f"<Viewer at {self.channel.facts.remote}>"

    # --- what the channel delivers ---------------------------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        """One message of the view."""
        if self._ending:
            return
        try:
            message = self._read(text)
            if message is not None:
                self._take(message)
            if not self.channel.writable:
                self.channel.pause_receiving()  # who does not read its answers asks for no more
        except Exception:  # a named boundary: a fault of ours ends this one connection
            logger.exception("a view's message could not be taken")
            self.close(CLOSE_FAULT, "internal error; the kernel's log tells more")

    def receive_writable(self) -> None:
        """The view reads again."""
        self.channel.resume_receiving()

    def receive_close(self, code: int, reason: str) -> None:
        """The connection is gone."""
        self._ending = True
        self._watched.clear()
        self._feeds.clear()
        self._home.forget(self)

    def _read(self, text: bytes) -> ToKernel | None:
        """The message; None: there is none that could be taken, and what is due for that was done."""
        try:
            return decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            kind = _type_of(text)
        if kind is None:
            self.close(CLOSE_NO_TEXT, "expected one JSON object with a type, in UTF-8")
        elif kind in _TAGS:
            self.close(
                CLOSE_NO_MESSAGE, f"expected a message as mcp-workbench {__version__} knows it; a field of {kind} is missing or wrong"
            )
        else:
            self.ignored += 1
        return None

    def _take(self, message: ToKernel) -> None:
        if isinstance(message, Open):
            self._open(message)
        elif not self._opened:
            self.close(CLOSE_NO_MESSAGE, "expected a message of type open first")
        elif isinstance(message, Watch):
            self._watch(message)
        else:
            self._ask(message)

    def _open(self, opened: Open) -> None:
        if (refused := _refusal(opened)) is None:
            self._opened = True
            return
        self._send(refused)
        self.close(CLOSE_NO_MESSAGE, "this view and this kernel do not speak the same")

    # --- telling --------------------------------------------------------------------------------------------

    def _watch(self, wanted: Watch) -> None:
        if len(wanted.histograms) > HISTOGRAMS:
            self.close(CLOSE_NO_MESSAGE, f"a view watches {HISTOGRAMS} histograms at most, and this one wanted {len(wanted.histograms)}")
            return
        for feed in tuple(self._feeds):
            try:
                feed.watch(wanted)
            except Exception:  # a named boundary, as in `look`
                logger.exception(DROPPED, type(feed).__name__)
                self._drop(feed)
        self._watched = [feed for feed in self._feeds if feed.panel in wanted.panels]
        self.look(self._home.now())

    def look(self, now: float) -> None:
        """Tell what has changed of what is watched; nothing while the channel takes no more.

        Args:
            now: Seconds since 1970.
        """
        if not self._ending and self._has_room(now):
            self._look(now, last=False)

    def say_goodbye(self, now: float, code: int, reason: str) -> None:
        """Tell how it all stands at the end, also where the channel takes no more without keeping it, and end the connection.

        Args:
            now: Seconds since 1970.
            code: As `close`.
            reason: As `close`.
        """
        if not self._ending:
            self._look(now, last=True)
        self.close(code, reason)

    def _look(self, now: float, *, last: bool) -> None:
        for feed in tuple(self._watched):
            try:
                for message in feed.look(now, last=last):
                    self._tell(message)
            except Exception:  # a named boundary: what one feed cannot tell must not cost the others
                logger.exception(DROPPED, type(feed).__name__)
                self._drop(feed)

    def _has_room(self, now: float) -> bool:
        if self.channel.writable:
            self._stuck_since = None
            return True
        self._stuck_since = now if self._stuck_since is None else self._stuck_since
        if now - self._stuck_since >= STUCK_S:
            self._ending = True
            self.channel.abort()
        return False

    def _tell(self, message: Message) -> None:
        """Send what a feed gives; one message that cannot be written costs that message."""
        try:
            self._send(message)
        except (TypeError, ValueError, OverflowError):
            if type(message) not in self._unsayable:
                self._unsayable.add(type(message))
                logger.exception("a message to a view could not be written, and was left out: %s", type(message).__name__)

    def _drop(self, feed: Feed) -> None:
        self._feeds.remove(feed)
        if feed in self._watched:
            self._watched.remove(feed)

    # --- doing ----------------------------------------------------------------------------------------------

    def _ask(self, request: Any) -> None:
        action = self._actions.get(type(request))
        if action is None:
            self._send(Done(re=request.id, ok=False, sentence=f"This kernel's mcp-workbench {__version__} cannot do that."))
            return
        if self._unanswered >= UNANSWERED and not isinstance(request, Stop):  # which may be what the others wait for
            self._send(
                Done(re=request.id, ok=False, sentence=f"{UNANSWERED} requests wait for their answers already; ask again after them.")
            )
            return
        self._unanswered += 1
        try:
            action(Ask(request, self._sources, self._answer, self._home.post))
        except Exception:  # a named boundary: the view is answered all the same
            logger.exception("a view's request could not be answered: %s", type(request).__name__)
            self._answer(Done(re=request.id, ok=False, sentence=FAILED))

    def _answer(self, message: Message) -> None:
        self._unanswered -= 1
        try:
            self._send(message)
        except (TypeError, ValueError, OverflowError):  # a view that asked is answered, also where the answer cannot be written
            logger.exception("an answer to a view could not be written: %s", type(message).__name__)
            self._send(Done(re=getattr(message, "re", 0), ok=False, sentence=FAILED))

    def _send(self, message: Message) -> None:
        if not self._ending:
            self.channel.send(encode(message))

    def close(self, code: int, reason: str) -> None:
        """End the connection; `receive_close` follows."""
        if not self._ending:
            self._ending = True
            self.channel.close(code, reason)


def _hello(sources: Sources, channel: Channel, now: float) -> Hello:
    running = sources.running
    return Hello(
        view_protocol=VIEW_PROTOCOL,
        version=__version__,
        now=now,
        kernel_id=running.kernel_id,
        waits_for_cells=channel.facts.transport == COMM,
        plain=running.identity.kind == "python",
    )


def _refusal(opened: Open) -> Refused | None:
    if opened.view_protocol == VIEW_PROTOCOL:
        return None
    theirs = shown(opened.version, 40)
    if opened.view_protocol < VIEW_PROTOCOL:
        what = "this view is older: upgrade it in the environment that runs JupyterLab, then reload the page"
    else:
        what = "the kernel is older: upgrade it in the kernel's environment, then restart the kernel"
    return Refused(sentence=f"The view is of mcp-workbench {theirs}, the kernel of {__version__}, and {what}.", command=UPGRADE)


def _type_of(text: bytes) -> str | None:
    """The type that a text says it is of; None where it is no JSON object with one."""
    try:
        return _decode_envelope(text).type or None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
