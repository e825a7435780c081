"""What a session needs around it: a channel, a handler and works that do exactly what the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.events import Principal
from mcp_workbench.jsonrpc import ErrorCode, RequestId
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Done, Work
from mcp_workbench.telemetry.records import FORMALITIES, CallRecord
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.channel import ChannelFacts, Receiver
from tests.support.protocol import META, server_peer, subscribe


class FakeChannel:
    """Keeps what is sent; takes `room` further texts before it is no longer writable."""

    def __init__(self) -> None:
        self.facts = ChannelFacts("memory", "test:1")
        self.texts: list[bytes] = []
        self.closes: list[tuple[int, str]] = []
        self.room: float = float("inf")
        self.unsent_bytes = 0
        self.bytes_received = 0
        self.bytes_sent = 0
        self.pings = 0
        self.aborted = False
        self.paused = False
        self.receiver: Receiver | None = None
        self.on_ping: Callable[[], None] = lambda: None
        self.ends_itself = False
        """Report the end in the loop's next turn, as real channels do; else the test calls `end`."""

    @property
    def writable(self) -> bool:
        return self.room > 0 and not self.closes

    def open(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, text: bytes) -> None:
        if not self.closes:
            self.room -= 1
            self.texts.append(text)
            self.bytes_sent += len(text)

    def pause_receiving(self) -> None:
        self.paused = True

    def resume_receiving(self) -> None:
        self.paused = False

    def ping(self) -> None:
        self.pings += 1
        self.on_ping()

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.closes.append((code, reason))
        if self.ends_itself:
            asyncio.get_running_loop().call_soon(self.end)

    def abort(self) -> None:
        self.aborted = True
        self.end(1006, "")

    # --- what the test does at the other end ------------------------------------------------------------

    def deliver(self, text: bytes) -> None:
        """A text arrives."""
        assert not self.paused, "a paused channel delivers nothing"
        assert self.receiver is not None
        self.bytes_received += len(text)
        self.receiver.receive_text(text)

    def drain(self, room: float = float("inf")) -> None:
        """The other end reads again."""
        assert self.receiver is not None
        self.room = room
        self.receiver.receive_writable()

    def end(self, code: int | None = None, reason: str | None = None) -> None:
        """The channel reports its end: how it was closed here, unless told otherwise."""
        assert self.receiver is not None
        receiver, self.receiver = self.receiver, None
        receiver.receive_close(self.closes[0][0] if code is None else code, self.closes[0][1] if reason is None else reason)


class FakeWork(Work):
    """A work that ends when the test says so, or at once."""

    def __init__(self, name: str, inline: Answer | None = None) -> None:
        self.name = name
        self.inline = inline
        self.done: Done | None = None
        self.exchange: Exchange | None = None
        self.cancelled: list[str] = []
        self.refused: list[str] = []
        self.on_cancel: Callable[[], None] = lambda: None

    @property
    def parks(self) -> bool:
        return "parks" in self.name

    def start(self, done: Done) -> None:
        self.done = done
        if self.name == "bad start":
            raise KeyError("start")
        if self.inline is not None:
            done(self.inline)

    def cancel(self, reason: str) -> None:
        self.cancelled.append(reason)
        self.on_cancel()

    def stop(self) -> Answer | None:
        if self.done is None:
            return said("stopped before it began", is_error=True)
        self.done(said("stopped", is_error=True))
        return None

    def refuse(self, sentence: str) -> Answer:
        self.refused.append(sentence)
        return wire.CallToolResult(content=[wire.TextContent(text=sentence)], is_error=True)

    def end(self, text: str | None = "done") -> None:
        """It has ended: with a text, or with nobody to answer."""
        assert self.done is not None, f"{self.name} was never started"
        self.done(None if text is None else said(text))


class FakeHandler:
    """Answers lists at once and gives a `FakeWork` for each call; some names misbehave."""

    def __init__(self) -> None:
        self.works: dict[str, FakeWork] = {}
        self.order: list[str] = []
        self.closed: list[Session] = []
        self.on_closed: Callable[[], None] = lambda: None

    def handle(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result | Work | None:
        self.order.append(exchange.method)
        if exchange.method == "tools/list":
            return wire.ListToolsResult(tools=[])
        if exchange.method == "resources/subscribe":
            session.send(subscribe(session.peer, exchange) or b"")
            return None
        if exchange.method == "subscriptions/listen":
            session.send(session.peer.acknowledge(exchange, exchange.params.notifications))
            return None
        outcome = self._call(exchange.params.name)
        if isinstance(outcome, FakeWork):
            outcome.exchange = exchange
        return outcome

    def _call(self, name: str) -> wire.Result | Work:
        if name == "unknown":
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, "Unknown tool", {"name": name})
        if name == "fault":
            raise KeyError("handler")
        if name == "long":
            return said("x" * 1_000_000)
        if name == "unwritable":
            return wire.CallToolResult(content=[], structured_content={"a": object()})
        work = self.works[name] = FakeWork(name, said("inline") if name.startswith("inline") else None)
        return work

    def too_large(self, exchange: Exchange, size: int, limit: int) -> Answer:
        return said(f"too large: {limit}", is_error=True)

    def unwritable(self, exchange: Exchange) -> Answer:
        return said("unwritable", is_error=True)

    def session_closed(self, session: Session) -> None:
        self.closed.append(session)
        self.on_closed()


class FakeLoop:
    """Timers that never ring by themselves."""

    def __init__(self) -> None:
        self.timers: list[FakeTimer] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> FakeTimer:
        self.timers.append(FakeTimer(delay, callback))
        return self.timers[-1]


class FakeTimer:
    """One of them."""

    def __init__(self, delay: float, callback: Callable[[], None]) -> None:
        self.delay, self.callback, self.cancelled = delay, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Rig:
    """A registry with one session, initialized in 2025-11-25 unless told otherwise.

    Args:
        limits: The session's bounds.
        version: A legacy revision, `modern`, or an empty text to begin with nothing.
    """

    def __init__(self, limits: Limits | None = None, version: str = "2025-11-25") -> None:
        self.limits = limits or Limits()
        self.handler = FakeHandler()
        self.telemetry = Telemetry()
        self.loop = FakeLoop()
        description = server_peer()._own_description()
        loop = cast(asyncio.AbstractEventLoop, self.loop)
        self.sessions = Sessions(self.handler, lambda: description, self.telemetry, self.limits, loop)
        self.channel, self.session = self.connect("default", version)

    def connect(self, principal: str = "default", version: str = "2025-11-25") -> tuple[FakeChannel, Session]:
        """One more session."""
        channel = FakeChannel()
        session = self.sessions.accept(channel, Principal(principal))
        channel.open(session)
        if version == "modern":
            channel.deliver(request("d", "server/discover", _meta=META))
        elif version:
            params: dict[str, Any] = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "agent", "version": "2"}}
            channel.deliver(request("i", "initialize", **params))
            channel.deliver(notification("notifications/initialized"))
        channel.texts.clear()
        return channel, session

    def call(self, request_id: RequestId, name: str | None = None) -> None:
        """The client calls a tool, named like its id unless told otherwise."""
        self.channel.deliver(call(request_id, name))

    def handled(self) -> list[CallRecord]:
        """Records of what the Peer did not answer by itself, oldest first."""
        return [record for record in self.telemetry.calls() if record.method not in FORMALITIES]

    def work(self, name: str) -> FakeWork:
        return self.handler.works[name]

    @property
    def started(self) -> list[str]:
        """Works that were started, in the order in which they were asked for."""
        return [name for name, work in self.handler.works.items() if work.done is not None]

    @property
    def replies(self) -> list[Any]:
        """Ids of the answers sent so far, or methods of notifications; taken away."""
        texts, self.channel.texts = self.channel.texts, []
        return [brief(text) for text in texts]


def said(text: str, *, is_error: bool = False) -> wire.CallToolResult:
    """A result of one text."""
    return wire.CallToolResult(content=[wire.TextContent(text=text)], is_error=is_error)


def request(request_id: RequestId, method: str, **params: Any) -> bytes:
    """A request's text."""
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}).encode()


def call(request_id: RequestId, name: str | None = None) -> bytes:
    """A tools/call."""
    return request(request_id, "tools/call", name=str(request_id) if name is None else name)


def notification(method: str, **params: Any) -> bytes:
    """A notification's text."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


def cancel(request_id: RequestId, reason: str = "") -> bytes:
    """A cancel."""
    return notification("notifications/cancelled", requestId=request_id, **({"reason": reason} if reason else {}))


def brief(text: bytes) -> Any:
    """What a text is in one word: an id, (id, code), (id, "error text") for an isError result, a method, or a list of those."""
    value = json.loads(text)
    return [_brief(entry) for entry in value] if isinstance(value, list) else _brief(value)


def _brief(value: dict[str, Any]) -> Any:
    if "error" in value:
        return value["id"], value["error"]["code"]
    if "result" in value:
        result = value["result"]
        return (value["id"], result["content"][0]["text"]) if result.get("isError") else value["id"]
    return value["method"]
