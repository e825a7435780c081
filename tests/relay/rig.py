"""A relay between a scripted host and kernels that can be made to appear, to answer, and to vanish at any point.

Nothing here waits: texts lie in the two queues of a connection until a test delivers them, so every interleaving can
be had, and whatever lies there when a kernel vanishes is lost as on a real connection.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from mcp_workbench.discovery import Entry
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.happenings import RequestCancelled, RequestReceived, ResponseReceived, SessionInitialized, TextToSend
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.relay import own_tools
from mcp_workbench.relay.choosing import Choice
from mcp_workbench.relay.relay import Relay
from mcp_workbench.secret import Secret
from mcp_workbench.serving.capabilities import CAPABILITIES
from tests.support.oracle import Message, Oracle
from tests.support.talk import CLIENT, META

NOW = 1_000_000.0
OWN = "bridge-test-"
OWN_TOOLS = sorted(own_tools.NAMES)
"""What a host is shown without a kernel."""


def an_entry(name: str = "flights.ipynb", *, pid: int = 1, started: float = NOW - 40, **fields: Any) -> Entry:
    """A discovery entry."""
    path = f"/data/{name}"
    known: dict[str, Any] = {
        "kernel_id": f"id-of-{name}",
        "name": name,
        "url": "ws://127.0.0.1:1/mcp",
        "token": Secret("a-secret"),
        "pid": pid,
        "process_start": pid,
        "host": "here",
        "started": started,
        "executable": "/python",
        "cwd": "/data",
        "notebook": path,
    }
    return Entry(**(known | fields))


@dataclass
class Kernel:
    """The other end of one connection: a server that answers what needs no code at once, and calls when it is told to."""

    entry: Entry
    tools: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    page_size: int = 100
    inbox: deque[bytes] = field(default_factory=deque)
    outbox: deque[bytes] = field(default_factory=deque)
    calls: dict[RequestId, Exchange] = field(default_factory=dict)
    answers: list[ResponseReceived] = field(default_factory=list)
    """What the host said to questions of this kernel."""
    initialized: bool = False
    level: str | None = None

    def __post_init__(self) -> None:
        info = wire.Implementation(name="mcp-workbench", version="1", title=self.entry.name)
        self.peer = Peer(Side.SERVER, server=ServerDescription(info, CAPABILITIES))

    @property
    def watched(self) -> set[str]:
        """Resources somebody wants to hear of."""
        return self.peer.subscriptions.uris()

    def read(self) -> None:
        """Take one text from the inbox."""
        for happening in self.peer.receive_text(self.inbox.popleft()):
            if isinstance(happening, TextToSend):
                self.outbox.append(happening.text)
            elif isinstance(happening, RequestReceived):
                self._dispatch(happening.exchange)
            elif isinstance(happening, RequestCancelled):
                self.calls.pop(happening.exchange.id, None)
            elif isinstance(happening, ResponseReceived):
                self.answers.append(happening)
            elif isinstance(happening, SessionInitialized):
                self.initialized = True

    def finish(self, request_id: RequestId, text: str = "done", *, is_error: bool = False) -> None:
        """End a call."""
        exchange = self.calls.pop(request_id)
        self._answer(exchange, wire.CallToolResult(content=[wire.TextContent(text=text)], is_error=is_error))

    def report(self, request_id: RequestId, progress: float) -> None:
        """A call makes progress."""
        self._send(self.peer.progress(self.calls[request_id], progress))

    def ask_host(self, method: str = "elicitation/create", **params: Any) -> RequestId:
        """Ask the host something; returns the id at this kernel."""
        pending, text = self.peer.request(method, params)
        self.outbox.append(text)
        return pending.id

    def define(self, *tools: str) -> None:
        """Offer these tools from now on."""
        self.tools = list(tools)
        self._tell(Listing.TOOLS)

    def publish(self, *uris: str) -> None:
        """Have these resources from now on."""
        self.resources = list(uris)
        self._tell(Listing.RESOURCES)

    def touch(self, uri: str) -> None:
        """A resource has changed."""
        for text in self.peer.resource_updated(uri).values():
            self.outbox.append(text)

    def end_listens(self) -> None:
        """What a server does when it stops."""
        for listen in self.peer.subscriptions.listens:
            self._send(self.peer.end_listen(listen.exchange))

    def _tell(self, listing: Listing) -> None:
        for text in self.peer.list_changed(listing).values():
            self.outbox.append(text)

    def _dispatch(self, exchange: Exchange) -> None:
        params = exchange.params
        if isinstance(params, wire.ListParams):
            self._answer(exchange, self._page(exchange.method, int(params.cursor or 0)))
        elif isinstance(params, wire.ListenParams):
            self._listen(exchange, params.notifications)
        elif isinstance(params, wire.CallToolParams):
            self._call(exchange, params.name)
        elif isinstance(params, wire.SetLevelParams):
            self.level = params.level
            self._answer(exchange, wire.EmptyResult())
        elif isinstance(params, wire.UriParams):
            self._resource(exchange, params.uri)
        else:
            self._send(self.peer.answer_error(exchange, -32603, "nothing of the kind here"))

    def _call(self, exchange: Exchange, name: str) -> None:
        if name in self.tools:
            self.calls[exchange.id] = exchange
        else:
            self._send(self.peer.answer_error(exchange, -32602, f"Unknown tool: {name}"))

    def _resource(self, exchange: Exchange, uri: str) -> None:
        if exchange.method == "resources/unsubscribe":
            self.peer.subscriptions.unsubscribe(uri)
        elif uri not in self.resources:
            error = exchange.resource_not_found(f"No resource {uri}")
            self._send(self.peer.answer_error(exchange, error.code, error.message, error.data))
            return
        elif exchange.method == "resources/subscribe":
            self.peer.subscriptions.subscribe(uri)
        else:
            self._answer(exchange, wire.ReadResourceResult(contents=[wire.ResourceContents(uri=uri, text=self.entry.name)]))
            return
        self._answer(exchange, wire.EmptyResult())

    def _listen(self, exchange: Exchange, wants: wire.ListenFilter) -> None:
        named = [uri for uri in wants.resource_subscriptions or () if uri in self.resources]
        honoured = wire.ListenFilter(
            tools_list_changed=wants.tools_list_changed,
            resources_list_changed=wants.resources_list_changed,
            resource_subscriptions=named,
        )
        self.outbox.append(self.peer.acknowledge(exchange, honoured))

    def _page(self, method: str, start: int) -> wire.Result:
        names = {"tools/list": self.tools, "resources/list": self.resources}.get(method, [])
        shown, more = names[start : start + self.page_size], start + self.page_size < len(names)
        cursor: Any = {"next_cursor": str(start + self.page_size)} if more else {}
        if method == "tools/list":
            own = {tool.name: tool for tool in own_tools.tools()}
            return wire.ListToolsResult(
                tools=[own.get(name) or wire.Tool(name=name, input_schema={"type": "object"}) for name in shown], **cursor
            )
        if method == "resources/list":
            return wire.ListResourcesResult(resources=[wire.Resource(uri=uri, name=uri) for uri in shown], **cursor)
        if method == "prompts/list":
            return wire.ListPromptsResult(prompts=[])
        return wire.ListResourceTemplatesResult(resource_templates=[])

    def _answer(self, exchange: Exchange, result: wire.Result) -> None:
        self._send(self.peer.answer(exchange, result))

    def _send(self, text: bytes | None) -> None:
        if text is not None:
            self.outbox.append(text)


class Rig:
    """The relay, its host, and the kernel of the moment."""

    def __init__(self, version: str = LATEST_LEGACY, *, channel: bool = False) -> None:
        self.version = version
        self.checked = True
        """Whether the oracle reads what the host is sent."""
        self.oracle = Oracle(version)
        self.texts: list[bytes] = []
        """Everything the host was sent."""
        self.heard: list[Message] = []
        """The messages of those that the test has not taken yet."""
        self.uses: list[tuple[RequestId, str]] = []
        self.waits: dict[RequestId, float] = {}
        """Status calls that wait for news, and for how long."""
        self.given_up: list[str] = []
        self.kernel: Kernel | None = None
        self.now = NOW
        self.relay = Relay(self, own=OWN, now=lambda: self.now, channel=channel)
        self._ids = 0

    @property
    def modern(self) -> bool:
        return self.version == LATEST_MODERN

    # --- what the relay asks for ------------------------------------------------------------------------

    def send_to_host(self, text: bytes) -> None:
        self.texts.append(text)
        value = json.loads(text)
        if not self.checked or (isinstance(value, dict) and "id" in value and "method" in value):
            self.heard.append(value)  # the oracle knows servers that ask nothing
        else:
            self.heard.extend(self.oracle.check(text))

    def use(self, request_id: RequestId, name: str) -> None:
        self.uses.append((request_id, name))

    def wake_after(self, request_id: RequestId, seconds: float) -> None:
        self.waits[request_id] = seconds

    def give_up(self, sentence: str) -> None:
        self.given_up.append(sentence)

    # --- kernels ------------------------------------------------------------------------------------------

    def connect(self, entry: Entry | None = None, *, tools: list[str] | None = None, resources: list[str] | None = None) -> Kernel:
        """A kernel joins; nothing is delivered yet."""
        self.kernel = kernel = Kernel(entry or an_entry(), tools or [], resources or [])
        self.relay.join(kernel.entry, kernel.inbox.append)
        return kernel

    def drop(self, reason: str = "closed with code 1001") -> None:
        """The connection ends; what was under way is lost."""
        self.kernel = None
        self.relay.leave(reason)

    def settle(self) -> None:
        """Deliver everything, both ways, until nothing lies in the queues."""
        while (kernel := self.kernel) is not None and (kernel.inbox or kernel.outbox):
            if kernel.inbox:
                kernel.read()
            if kernel.outbox:
                self.relay.receive_from_kernel(kernel.outbox.popleft())

    # --- the host -------------------------------------------------------------------------------------------

    def say(self, message: Any) -> bytes:
        """Say anything; returns its text."""
        self.oracle.note_sent(message)
        text = message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()
        self.relay.receive_from_host(text)
        return text

    def ask(self, method: str, params: Message | None = None, *, request_id: RequestId | None = None, **meta: Any) -> RequestId:
        """Send a request; returns its id."""
        self._ids += 1
        request_id = self._ids if request_id is None else request_id
        meta = META | meta if self.modern else meta
        whole = (params or {}) | ({"_meta": meta} if meta else {})
        self.say({"jsonrpc": "2.0", "id": request_id, "method": method} | ({"params": whole} if whole else {}))
        return request_id

    def call(self, tool: str, **arguments: Any) -> RequestId:
        """Call a tool."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def notify(self, method: str, params: Message | None = None) -> None:
        self.say({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params}))

    def cancel(self, request_id: RequestId) -> None:
        self.notify("notifications/cancelled", {"requestId": request_id})

    def listen(self, *uris: str, tools: bool = True, resources: bool = True) -> RequestId:
        """Modern: open a listen."""
        wants = {"toolsListChanged": tools, "resourcesListChanged": resources, "resourceSubscriptions": list(uris)}
        return self.ask("subscriptions/listen", {"notifications": wants})

    def open(self) -> None:
        """Open the conversation, with whoever is there."""
        if self.modern:
            self.answer(self.ask("server/discover"))
            return
        self.answer(self.ask("initialize", {"protocolVersion": self.version, "capabilities": {}, "clientInfo": CLIENT}))
        self.notify("notifications/initialized")
        self.settle()

    def answer(self, request_id: RequestId) -> Message:
        """Deliver everything, and take the one response to a request."""
        self.settle()
        found = [message for message in self.heard if "method" not in message and message.get("id") == request_id]
        assert len(found) == 1, f"{len(found)} answers to {request_id!r}: {self.heard}"
        self.heard.remove(found[0])
        return found[0]

    def text_of(self, request_id: RequestId) -> str:
        """The text of a call's result."""
        result = self.answer(request_id)["result"]
        return "\n".join(item["text"] for item in result["content"])

    def tools(self) -> list[str]:
        """List the tools."""
        return [tool["name"] for tool in self.answer(self.ask("tools/list"))["result"]["tools"]]

    def news(self) -> list[str]:
        """Methods of the notifications that came; none of them waits any more."""
        self.settle()
        told = [message["method"] for message in self.heard if "method" in message and "id" not in message]
        self.heard = [message for message in self.heard if "method" not in message or "id" in message]
        return told


def several(*entries: Entry) -> Choice:
    """Something to choose."""
    return Choice(None, entries, several=True)
