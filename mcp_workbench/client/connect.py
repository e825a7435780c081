"""`connect`: from an address, or a channel, to an open session.

Legacy or modern is found out by `opening`; what moves the bytes is a transport's affair. An address is
never shown in an error: there may be a ticket in it. It, the token and the headers are hidden before anything can fail.
"""

from __future__ import annotations

import inspect
import os
import ssl as tls
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from mcp_workbench.client.conversation import Conversation, MessageListener
from mcp_workbench.client.handlers import ElicitHandler, Handlers, RootsHandler, SampleHandler, StandIn
from mcp_workbench.client.opening import EraChoice, Opening, open_conversation
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import CallTimedOut, LocalProtocolError
from mcp_workbench.limits import MIB
from mcp_workbench.protocol import wire
from mcp_workbench.secret import Secret, hidden, hidden_values
from mcp_workbench.transports.channel import Channel
from mcp_workbench.version import __version__

ChannelOpener = Callable[[], Awaitable[Channel]]
"""Makes a new connection each time it is called."""
Hearing = Callable[[Channel], Channel]
"""Puts a channel around a new one, to hear what passes."""
LogHandler = Callable[[wire.LogParams], Any]
"""Sync or async; called with each log message, in order."""


class Connecting:
    """A session about to be opened: `async with connect(…) as session`, or `session = await connect(…)`.

    Each of them opens one session; await or enter it once. Cancelling is safe: the connection is dropped.
    """

    def __init__(
        self,
        opener: ChannelOpener,
        again: bool,
        how: Opening,
        handlers: Handlers,
        on_log: LogHandler | None,
        on_message: MessageListener | None,
        client_info: wire.Implementation | None,
        hear: Hearing | None = None,
    ) -> None:
        self._opener = opener
        self._hear = hear
        self._again = again
        self._how = how
        self._handlers = handlers
        self._on_log = on_log
        self._on_message = on_message
        self._client_info = client_info or wire.Implementation(name="mcp-workbench", version=__version__)
        self._used = False
        self._channel: Channel | None = None
        """The latest."""
        self._session: ClientSession | None = None

    def __await__(self) -> Generator[Any, None, ClientSession]:
        return self._open().__await__()

    async def __aenter__(self) -> ClientSession:
        self._session = await self._open()
        return self._session

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()

    def answered_by(self, make: Callable[[Handlers], StandIn]) -> None:
        """From its opening on another answers what the server asks.

        Args:
            make: Is given the session's own functions.
        """
        self._handlers.instead = make(replace(self._handlers))

    async def _open(self) -> ClientSession:
        if self._used:
            raise LocalProtocolError("this connect() was used before: call connect() anew for another session")
        self._used = True
        try:
            conversation = await open_conversation(self._converse, self._converse if self._again else None, self._how)
        except CallTimedOut as error:
            said = "" if self._channel is None else self._channel.facts.explain()
            raise CallTimedOut(f"{error}{said}") from error
        return ClientSession(conversation, self._handlers, self._how.timeout_s)

    async def _converse(self) -> Conversation:
        channel = await self._opener()
        self._channel = channel if self._hear is None else self._hear(channel)
        return Conversation(self._channel, self._handlers, on_log=self._on_log, on_message=self._on_message, client_info=self._client_info)


def connect(
    url: str | Secret | Sequence[str] | ChannelOpener,
    *,
    token: str | Secret | None = None,
    era: EraChoice = "auto",
    client_info: wire.Implementation | None = None,
    on_elicit: ElicitHandler | None = None,
    on_sample: SampleHandler | None = None,
    sample_tools: bool = False,
    on_roots: RootsHandler | None = None,
    on_log: LogHandler | None = None,
    tasks: bool = True,
    on_message: MessageListener | None = None,
    timeout_s: float = 60.0,
    probe_timeout_s: float = 5.0,
    headers: Mapping[str, str | Secret] | None = None,
    max_message_bytes: int = 64 * MIB,
    open_timeout_s: float = 10.0,
    ssl: tls.SSLContext | None = None,
    allow_remote: bool = False,
    env: Mapping[str, str | Secret] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    hear: Hearing | None = None,
) -> Connecting:
    """Open a session with an MCP server.

    Args:
        url: `ws://`, `wss://`, `http://` or `https://` address; or a command as a list of program and arguments, which is
            started and spoken with over its stdin and stdout; or a function that opens a channel.
        token: Sent as `Authorization: Bearer`; a command gets none.
        era: `auto` finds out; `legacy` (`initialize`) or `modern` (2026-07-28) insist.
        client_info: How we introduce ourselves; default: mcp-workbench and its version.
        on_elicit: Answers the server's questions to the person, sync or async: is given one with `.message` and `.schema` (JSON Schema
            of a flat form), and returns the form's content as a mapping, or True ("accept"), False ("decline"), or "cancel".
        on_sample: Answers its requests for a model's completion.
        sample_tools: Whether `on_sample` takes tools that the model may want used (`.tools`, `.tool_choice` of what it is given).
        on_roots: Names the folders lent to it.
        on_log: Called with each of its log messages.
        on_message: Called at once with `"sent"` or `"received"` and the text of each JSON-RPC message, in their order, the opening
            included: what crosses, for eyes, files and tests. A plain function, and a quick one, since everything else waits. Headers
            are not in it; over HTTP a `notifications/cancelled` of 2026-07-28 becomes the end of its request's stream.
        tasks: Whether it may answer a call that takes long with a task (2026-07-28), which is followed then until it has ended; False:
            it is told that we take none.
        timeout_s: Default for every request, in seconds.
        probe_timeout_s: Seconds until a server that does not answer `server/discover` counts as legacy.
        headers: Further headers of the WebSocket handshake, or of each HTTP request.
        max_message_bytes: Largest text accepted from the server.
        open_timeout_s: Seconds for the WebSocket handshake, or until an HTTP connection is there.
        ssl: TLS settings for `wss://` and `https://`; None takes the system's.
        allow_remote: Send the token over plain `ws://` or `http://` to other machines too.
        env: A command's variables, beside the few that every program needs (PATH, HOME …); no others of this process are passed on,
            for keys may be among them. `env=os.environ` passes all.
        cwd: The folder a command is started in; None: this process's.
        hear: Puts a channel around each new one, to hear what passes.

    Returns:
        To be used as `async with connect(…) as session`, or `session = await connect(…)`.

    Raises:
        ValueError: The address is of a kind this version does not speak, or an option makes no sense, as an `async def` for `on_message`.
        HandshakeRefused: On entering: the server refused, for instance 401 for a wrong token; over HTTP as `RequestRefused`.
        ConnectionClosed: On entering: nothing listens there, the command cannot be started, or the connection was closed.
        RemoteProtocolError: On entering: no protocol revision in common.
    """
    url, token, headers, env = hidden(url) if isinstance(url, str) else url, hidden(token), hidden_values(headers), hidden_values(env)
    if isinstance(url, Secret):
        opener = _address_opener(url, token, headers, max_message_bytes, open_timeout_s, ssl, allow_remote)
    elif isinstance(url, Sequence):
        opener = _command_opener(url, env, cwd, max_message_bytes)
    else:
        opener = url
    how = _opening(era, timeout_s, probe_timeout_s)
    handlers = _handlers(on_elicit, on_sample, on_roots, tasks=tasks, sample_tools=sample_tools)
    return Connecting(opener, True, how, handlers, on_log, _plain(on_message), client_info, hear)


def connect_channel(
    channel: Channel,
    *,
    era: EraChoice = "auto",
    client_info: wire.Implementation | None = None,
    on_elicit: ElicitHandler | None = None,
    on_sample: SampleHandler | None = None,
    sample_tools: bool = False,
    on_roots: RootsHandler | None = None,
    on_log: LogHandler | None = None,
    tasks: bool = True,
    on_message: MessageListener | None = None,
    timeout_s: float = 60.0,
    probe_timeout_s: float = 5.0,
) -> Connecting:
    """Open a session on a channel that is there already; it belongs to the session from then on.

    Args and returns like `connect`. There is no second connection for a server that locks or closes this one
    over the probe: give `era` when it is known.
    """

    async def opener() -> Channel:
        return channel

    how = _opening(era, timeout_s, probe_timeout_s)
    handlers = _handlers(on_elicit, on_sample, on_roots, tasks=tasks, sample_tools=sample_tools)
    return Connecting(opener, False, how, handlers, on_log, _plain(on_message), client_info)


def _plain(on_message: MessageListener | None) -> MessageListener | None:
    if inspect.iscoroutinefunction(on_message):
        raise ValueError("on_message is called at once, in the order of the messages: expected a plain function, got an async def")
    return on_message


def _handlers(
    elicit: ElicitHandler | None, sample: SampleHandler | None, roots: RootsHandler | None, *, tasks: bool, sample_tools: bool
) -> Handlers:
    if sample_tools and sample is None:
        raise ValueError("sample_tools=True says that on_sample takes tools: give on_sample as well")
    return Handlers(elicit, sample, roots, sample_tools, tasks)


def _opening(era: EraChoice, timeout_s: float, probe_timeout_s: float) -> Opening:
    if era not in ("auto", "legacy", "modern"):
        raise ValueError("era is one of auto, legacy, modern")
    if timeout_s <= 0 or probe_timeout_s <= 0:
        raise ValueError("timeout_s and probe_timeout_s must be more than 0 seconds")
    return Opening(era=era, timeout_s=timeout_s, probe_timeout_s=probe_timeout_s)


def _is_http(url: Secret) -> bool:
    scheme, separator = url.reveal().partition("://")[:2]
    scheme = scheme[:10].lower() if separator else ""
    if scheme not in ("ws", "wss", "http", "https"):
        got = f"{scheme}://" if separator else "something without a scheme"
        raise ValueError(f"expected an address that begins with ws://, wss://, http:// or https://, got {got}")
    return scheme.startswith("http")


def _command_opener(
    command: Sequence[str], env: Mapping[str, Secret], cwd: str | os.PathLike[str] | None, max_message_bytes: int
) -> ChannelOpener:
    if not command or not all(isinstance(part, str) for part in command):
        raise ValueError("a command is a list of texts: the program, then its arguments")

    async def opener() -> Channel:
        from mcp_workbench.transports.command import open_command

        return await open_command(command, env=env, cwd=cwd, max_message_bytes=max_message_bytes)

    return opener


def _address_opener(
    url: Secret,
    token: Secret | None,
    headers: Mapping[str, Secret],
    max_message_bytes: int,
    open_timeout_s: float,
    ssl: tls.SSLContext | None,
    allow_remote: bool,
) -> ChannelOpener:
    over_http = _is_http(url)

    async def opener() -> Channel:
        open_channel: Callable[..., Awaitable[Channel]]
        if over_http:
            from mcp_workbench.transports.http_client import open_http

            open_channel = open_http
        else:
            from mcp_workbench.transports.websocket_client import open_websocket

            open_channel = open_websocket
        return await open_channel(
            url,
            token=token,
            headers=headers,
            max_message_bytes=max_message_bytes,
            open_timeout_s=open_timeout_s,
            ssl=ssl,
            allow_remote=allow_remote,
        )

    return opener
