"""The session people type: tools, resources, prompts and news of one server, in either era.

Every method is one exchange on the conversation, checked and turned into Python values. Requests end
exactly once, with a result or an exception: PeerError (the server refused), CallTimedOut, ConnectionClosed,
RemoteProtocolError (the server broke the protocol). Cancelling any of them is safe: the server is told.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from mcp_workbench.client import rounds
from mcp_workbench.client.conversation import Conversation
from mcp_workbench.client.feeds import Feeds
from mcp_workbench.client.handlers import ElicitHandler, Handlers, RootsHandler, SampleHandler, StandIn
from mcp_workbench.client.legacy_feeds import LegacyFeeds
from mcp_workbench.client.listens import ModernFeeds
from mcp_workbench.client.results import CallResult, ReadResult, read_result
from mcp_workbench.client.tasks import Follower
from mcp_workbench.client.updates import ResourceUpdated, Updates
from mcp_workbench.errors import LocalProtocolError, PeerError, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import ErrorCode, encode
from mcp_workbench.protocol import wire

MAX_PAGES = 1000
"""Pages of one list that are followed."""

ListResult = TypeVar("ListResult", wire.ListToolsResult, wire.ListResourcesResult, wire.ListResourceTemplatesResult, wire.ListPromptsResult)


class ClientSession:
    """One open session; made by `connect`. Loop thread only.

    Args:
        conversation: Legacy or modern by now.
        handlers: The same the conversation answers with.
        timeout_s: Default for every request, in seconds.
    """

    def __init__(self, conversation: Conversation, handlers: Handlers, timeout_s: float) -> None:
        self._conversation = conversation
        self._handlers = handlers
        self._timeout_s = timeout_s
        self._log_level: wire.LogLevel | None = None
        peer = conversation.peer
        self._declared = handlers.capabilities()
        self.era: Era = peer.era or Era.LEGACY
        """`legacy` or `modern`."""
        self.protocol_version: str = peer.version or ""
        """The revision in force."""
        said = peer.server_result or {}
        self.instructions: str | None = said.get("instructions")
        """What the server tells a model about itself."""
        self.server_capabilities = msgspec.convert(said.get("capabilities", {}), wire.ServerCapabilities)
        """What it offers."""
        self.server_info = _server_info(said)
        """Its name and version, as it says; None when it says none."""
        feeds = LegacyFeeds if self.era is Era.LEGACY else ModernFeeds
        self._feeds: Feeds = feeds(conversation, timeout_s)
        conversation.on_notification = self._feeds.receive
        conversation.on_end = self._feeds.end

    def __repr__(self) -> str:
        name = "unnamed server" if self.server_info is None else self.server_info.name[:60]
        return f"<ClientSession with {name}, {self.era} {self.protocol_version}{', closed' if self.closed else ''}>"

    async def __aenter__(self) -> ClientSession:
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._conversation.closed

    @property
    def stderr(self) -> str:
        """What the command at the other end has said beside the protocol, the latest 64 KiB; empty where there is no command."""
        return self._conversation.channel.facts.said()

    async def close(self) -> None:
        """End the session: open requests fail with ConnectionClosed, then the connection is closed politely."""
        await self._conversation.close()

    # --- what the server may ask ------------------------------------------------------------------------

    @property
    def on_elicit(self) -> ElicitHandler | None:
        """Asks the person: gets an `ElicitRequest`, returns the form's content (left out: the default), or `decline` or `cancel`."""
        return self._handlers.elicit

    @on_elicit.setter
    def on_elicit(self, handler: ElicitHandler | None) -> None:
        self._handlers.elicit = handler
        self._check_declared("on_elicit", "elicitation")

    @property
    def on_sample(self) -> SampleHandler | None:
        """Asks a model: gets a `SampleRequest`, returns a text, or a CreateMessageResult as a mapping."""
        return self._handlers.sample

    @on_sample.setter
    def on_sample(self, handler: SampleHandler | None) -> None:
        self._handlers.sample = handler
        self._check_declared("on_sample", "sampling")

    @property
    def on_roots(self) -> RootsHandler | None:
        """Names the folders lent to the server: returns `file://` URIs."""
        return self._handlers.roots

    @on_roots.setter
    def on_roots(self, handler: RootsHandler | None) -> None:
        self._handlers.roots = handler
        self._check_declared("on_roots", "roots")

    @contextmanager
    def answered_by(self, make: Callable[[Handlers], StandIn]) -> Iterator[None]:
        """For a while another answers what the server asks; one at a time.

        Args:
            make: Is given the session's own functions.
        """
        before, self._handlers.instead = self._handlers.instead, make(replace(self._handlers))
        try:
            yield
        finally:
            self._handlers.instead = before

    def may_be_asked(self, method: str) -> bool:
        """Whether the server was told that this client answers such a question: with each request, or once in the handshake."""
        ability = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}.get(method)
        return ability is not None and (self.era is not Era.LEGACY or getattr(self._declared, ability) is not UNSET)

    def _check_declared(self, name: str, capability: str) -> None:
        # Modern requests declare anew each time; a legacy server was told once, in the handshake.
        if self.era is Era.LEGACY and getattr(self._declared, capability) is UNSET:
            warnings.warn(f"This server was not told of {name}, so it will hardly ask: give {name} to connect()", stacklevel=3)

    # --- tools --------------------------------------------------------------------------------------------

    async def list_tools(self) -> list[wire.Tool]:
        """Every tool, all pages."""
        return [tool async for page in self._pages("tools/list", wire.ListToolsResult) for tool in page.tools]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[float, float | None, str | None], Any] | None = None,
        log_level: wire.LogLevel | None = None,
        **kwargs: Any,
    ) -> CallResult:
        """Call a tool. Cancelling is safe: the server is told to stop.

        A server that takes long may answer with a task; it is followed until it has ended, for as long as that takes, and its result
        is returned as if there were none.

        Args:
            name: The tool.
            arguments: Its arguments as a mapping, for names that keywords cannot have.
            timeout_s: Seconds for the answer; default: the session's. A tool that asks for input starts it anew, and an answer that
                is a task ends it.
            on_progress: Sync or async, called with progress, total (or None) and message (or None), in order. Of a task too: twice a second
                at most by servers of ours; of others, which may tell words alone, with 0, None and their words.
            log_level: Modern era: log messages wanted for this call.
            **kwargs: Its arguments.

        Returns:
            The result; a tool that failed gives one with `is_error`.

        Raises:
            PeerError: There is no such tool, or the server failed.
            TypeError: An argument is given twice, or is not JSON.
        """
        if twice := (arguments or {}).keys() & kwargs.keys():
            raise TypeError(f"argument {min(twice)} is given twice: in the mapping and as a keyword")
        params = {"name": name, "arguments": {**(arguments or {}), **kwargs}}
        try:
            result = await self._ask("tools/call", params, timeout_s=timeout_s, on_progress=on_progress, log_level=log_level)
        except PeerError as error:
            if error.code != ErrorCode.HEADER_MISMATCH:
                raise
            # 2026-07-28 Streamable HTTP: the headers that the tool wants are learnt from the list; nothing was called yet.
            await self.list_tools()
            result = await self._ask("tools/call", params, timeout_s=timeout_s, on_progress=on_progress, log_level=log_level)
        return CallResult.of(result)

    # --- resources ------------------------------------------------------------------------------------------

    async def list_resources(self) -> list[wire.Resource]:
        """Every resource, all pages."""
        return [resource async for page in self._pages("resources/list", wire.ListResourcesResult) for resource in page.resources]

    async def list_resource_templates(self) -> list[wire.ResourceTemplate]:
        """Every resource template, all pages."""
        pages = self._pages("resources/templates/list", wire.ListResourceTemplatesResult)
        return [template async for page in pages for template in page.resource_templates]

    async def read_resource(self, uri: str, *, timeout_s: float | None = None) -> ReadResult:
        """Read a resource.

        Raises:
            PeerError: There is none: -32002 up to 2025-11-25, -32602 since.
        """
        return ReadResult.of(await self._ask("resources/read", {"uri": uri}, timeout_s=timeout_s))

    def subscribe(self, uri: str) -> Updates[ResourceUpdated]:
        """Be told when a resource changes: `async with session.subscribe(uri) as updates: async for update in updates: …`.

        A slow reader sees the latest update, which counts the ones before it; nothing piles up.

        Args:
            uri: The resource.

        Returns:
            The updates; entering subscribes and raises PeerError when the server refuses, leaving unsubscribes.
        """
        return Updates(self._feeds.resource(uri))

    def list_changes(self) -> Updates[str]:
        """Be told when a list changes: yields `tools`, `resources` or `prompts`; used like `subscribe`."""
        return Updates(self._feeds.lists())

    # --- prompts and completion -------------------------------------------------------------------------------

    async def list_prompts(self) -> list[wire.Prompt]:
        """Every prompt, all pages."""
        return [prompt async for page in self._pages("prompts/list", wire.ListPromptsResult) for prompt in page.prompts]

    async def get_prompt(self, name: str, /, **arguments: Any) -> wire.GetPromptResult:
        """Fill in a prompt; arguments are text on the wire, anything else is sent as its JSON text."""
        texts = {key: value if isinstance(value, str) else encode(value).decode() for key, value in arguments.items()}
        result = await self._ask("prompts/get", {"name": name, "arguments": texts})
        return read_result("prompts/get", result, wire.GetPromptResult)

    async def complete(
        self,
        ref: str | wire.PromptReference | wire.TemplateReference,
        argument: str,
        value: str,
        context: Mapping[str, str] | None = None,
    ) -> wire.CompletionValues:
        """Complete an argument.

        Args:
            ref: A prompt's name or a resource template (a text with `://`), or a reference.
            argument: Its argument.
            value: What was typed so far.
            context: Arguments chosen already.

        Returns:
            At most 100 values, and whether there are more.
        """
        params: dict[str, Any] = {"ref": _reference(ref), "argument": {"name": argument, "value": value}}
        if context is not None:
            params["context"] = {"arguments": dict(context)}
        result = await self._ask("completion/complete", params)
        return read_result("completion/complete", result, wire.CompleteResult).completion

    # --- the rest -----------------------------------------------------------------------------------------------

    async def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            LocalProtocolError: The modern era has no ping: any request shows that the server lives.
        """
        if self.era is Era.MODERN:
            raise LocalProtocolError(f"{self.protocol_version} has no ping: any request shows that the server lives")
        await self._ask("ping", {})

    async def set_log_level(self, level: wire.LogLevel) -> None:
        """Choose which log messages reach `on_log`: legacy tells the server, modern says it with each request from now on."""
        if self.era is Era.MODERN:
            self._log_level = level
        else:
            await self._ask("logging/setLevel", {"level": level})

    async def request(self, method: str, params: Mapping[str, Any] | None = None, *, timeout_s: float | None = None) -> dict[str, Any]:
        """Send any request and return its result as it comes: unchecked, `input_required` unanswered, a task not followed.

        Args:
            method: Its method.
            params: Its params, camelCase; the modern era's `_meta` is added.
            timeout_s: Seconds for the answer; default: the session's.
        """
        whole = None if params is None else dict(params)
        return await self._conversation.request(method, whole, timeout_s=self._seconds(timeout_s))

    async def ask(self, method: str, params: Mapping[str, Any] | None = None, *, timeout_s: float | None = None) -> dict[str, Any]:
        """As `request`, but what the server asks meanwhile is answered, and a task followed, as `call_tool` does it.

        Args:
            method: Its method.
            params: Its params, camelCase.
            timeout_s: Seconds for the answer; default: the session's.
        """
        return await self._ask(method, dict(params or {}), timeout_s=timeout_s)

    async def _ask(
        self,
        method: str,
        params: dict[str, Any],
        *,
        timeout_s: float | None = None,
        on_progress: Callable[..., Any] | None = None,
        log_level: wire.LogLevel | None = None,
    ) -> dict[str, Any]:
        seconds = self._seconds(timeout_s)

        async def send(params: dict[str, Any]) -> dict[str, Any]:
            return await self._conversation.request(method, params, timeout_s=seconds, on_progress=on_progress)

        if self.era is Era.LEGACY:
            return await send(params)
        meta = self._meta(log_level)
        result = await rounds.complete(method, params | {"_meta": meta}, send, self._handlers)
        if result.get("resultType") != rounds.TASK or not isinstance(self._feeds, ModernFeeds):
            return result
        return await Follower(self._conversation, self._feeds, self._handlers, seconds, meta, on_progress).result(result)

    def _meta(self, log_level: wire.LogLevel | None) -> dict[str, Any]:
        level = log_level or self._log_level
        meta: dict[str, Any] = {wire.META_CAPABILITIES: self._handlers.capabilities()}
        return meta if level is None else meta | {wire.META_LOG_LEVEL: level}

    def _seconds(self, timeout_s: float | None) -> float:
        seconds = self._timeout_s if timeout_s is None else timeout_s
        if seconds <= 0:
            raise ValueError(f"timeout_s must be more than 0 seconds, got {seconds:g}")
        return seconds

    async def _pages(self, method: str, shape: type[ListResult]) -> AsyncIterator[ListResult]:
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            result = await self._ask(method, {} if cursor is None else {"cursor": cursor})
            if result.get("nextCursor", "") is None:
                # Some servers write null where the specification leaves it out.
                del result["nextCursor"]
            page = read_result(method, result, shape)
            yield page
            if page.next_cursor is UNSET:
                return
            if page.next_cursor == cursor:
                raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"{method} repeats its cursor: the list would never end")
            cursor = page.next_cursor
        raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"{method} has more than {MAX_PAGES:,} pages")


def _reference(ref: str | wire.PromptReference | wire.TemplateReference) -> wire.PromptReference | wire.TemplateReference:
    if isinstance(ref, str):
        return wire.TemplateReference(uri=ref) if "://" in ref else wire.PromptReference(name=ref)
    return ref


def _server_info(said: dict[str, Any]) -> wire.Implementation | None:
    named = said.get("serverInfo", said.get("_meta", {}).get(wire.META_SERVER_INFO))
    try:
        return msgspec.convert(named, wire.Implementation | None)
    except msgspec.ValidationError:
        # Only a label, and only a SHOULD in the modern era: a broken one is as good as none.
        return None
