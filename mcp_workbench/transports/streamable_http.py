"""Streamable HTTP: which request is of which era, and what must be right about it before anything hears of it.

Legacy requests belong to a session named by a header (`http_legacy`), modern ones stand alone (`http_modern`). The gate
has let the sender in; what is checked here is what the specification says of methods, headers and media types. A
session's name opens nothing: it is looked up together with the principal. Loop thread only.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from mcp_workbench.events import Principal
from mcp_workbench.jsonrpc import Decoded, ErrorCode, Malformed, Notification, Request, RequestId, decode, encode_error
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.http_headers import VERSION_HEADER, ParamHeaders, is_modern, mismatch
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, negotiate_legacy
from mcp_workbench.secret import Secret
from mcp_workbench.transports.channel import Receiver
from mcp_workbench.transports.gate import TICKET_STEP, HandshakeRequest, Refuse
from mcp_workbench.transports.http_incoming import JSON, Incoming
from mcp_workbench.transports.http_legacy import SESSION_HEADER, LegacyChannel
from mcp_workbench.transports.http_modern import ModernChannel

METHODS = ("POST", "GET", "DELETE")
ALLOW = (("Allow", ", ".join(METHODS)),)
ALLOW_POST = (("Allow", "POST"),)
_EVENTS, _JSON = "text/event-stream", "application/json"
UNAUTHORIZED = Refuse(
    401,
    "This server wants a credential with every request: `Authorization: Bearer` with its token. A token that was right before may be old: "
    "a restarted kernel has a new one. A ticket in the path is good for one request: it is for WebSocket clients that cannot send headers.",
    (("WWW-Authenticate", "Bearer"),),
)
_NO_SESSION_BY_TICKET = (
    "A ticket is good for one request, and initialize begins a session of many: send Authorization: Bearer with the token instead, "
    "or open the ticket's address as a WebSocket"
)

AcceptLegacy = Callable[[LegacyChannel, Principal], Receiver | str]
AcceptModern = Callable[[ModernChannel, Principal, wire.Implementation | None], Receiver | str]
"""Take a session's, or a conversation's, channel; a text: not now, and why."""


def examine(request: HandshakeRequest) -> Refuse | None:
    """What is wrong with a head already: its method, and the media types it sends and takes."""
    if request.method not in METHODS:
        return Refuse(405, "This is an MCP endpoint: it is spoken to with POST, and up to 2025-11-25 with GET and DELETE.", ALLOW)
    if request.method == "POST":
        kinds = request.headers.get("content-type", ())
        # Of the types that a web page may send without asking first, none is taken.
        if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != _JSON:
            return Refuse(415, "A POST carries one JSON-RPC message: Content-Type: application/json.")
        if not (_takes(request, _JSON) and _takes(request, _EVENTS)):
            return Refuse(406, "An answer is JSON or a stream of events: Accept: application/json, text/event-stream.")
    elif request.method == "GET" and not _takes(request, _EVENTS):
        sentence = "What is told here is a stream of events: Accept: text/event-stream. WebSockets have a port of their own: Workbench.url."
        return Refuse(406, sentence)
    return None


def _takes(request: HandshakeRequest, kind: str) -> bool:
    return _is_among(kind, tuple(request.headers.get("accept", ())))


@functools.lru_cache(maxsize=32)
def _is_among(kind: str, accepted: tuple[str, ...]) -> bool:
    """Whether a media type is one of those that `Accept` headers name; a client sends the same ones each time."""
    good = {kind, f"{kind.partition('/')[0]}/*", "*/*"}
    ranges = [each.strip().lower() for value in accepted for each in value.split(",")]
    return any(each.partition(";")[0].strip() in good and not each.replace(" ", "").endswith(";q=0") for each in ranges)


class StreamableHttp:
    """What is behind one path.

    Args:
        accept_legacy: Takes the channel of a new session.
        accept_modern: Takes the channel of a conversation.
        param_headers: Which arguments of a tool are repeated in headers.
        limits: Bounds.
    """

    def __init__(
        self, accept_legacy: AcceptLegacy, accept_modern: AcceptModern, param_headers: Callable[[str], ParamHeaders], limits: Limits
    ) -> None:
        self._accept_legacy = accept_legacy
        self._accept_modern = accept_modern
        self._param_headers = param_headers
        self._limits = limits
        self._sessions: dict[str, LegacyChannel] = {}

    def receive(self, incoming: Incoming) -> None:
        """Answer a request, now or later."""
        request = incoming.request
        versions = request.headers.get(VERSION_HEADER.lower(), ())
        modern = len(versions) == 1 and is_modern(versions[0])
        if request.method == "POST":
            self._receive_post(incoming, modern)
        elif modern:
            incoming.explain(405, "From 2026-07-28 there is only POST here.", ALLOW_POST)
        elif (channel := self._session_of(incoming)) is not None:
            if request.method == "GET":
                last = request.headers.get("last-event-id", ())
                channel.receive_get(incoming, last[0] if last else None)
            else:
                incoming.respond(204)
                channel.close(1000, "ended by the client")

    # --- POST -------------------------------------------------------------------------------------------

    def _receive_post(self, incoming: Incoming, modern: bool) -> None:  # one of two ways, private
        message = decode(incoming.body)
        if isinstance(message, Malformed):
            _refuse(incoming, message.id, message.code, message.reason)
        elif modern or (isinstance(message, Request) and _is_enveloped(message)):
            self._receive_modern(incoming, message)
        else:
            self._receive_legacy(incoming, message)

    def _receive_modern(self, incoming: Incoming, message: Decoded) -> None:
        if isinstance(message, Notification):
            # 2026-07-28 knows none over HTTP; a client that sends one is not answered with an error nobody reads.
            incoming.respond(202)
        elif not isinstance(message, Request):
            _refuse(incoming, None, ErrorCode.INVALID_REQUEST, "Invalid request: expected one request")
        elif not _is_enveloped(message):
            sentence = f"Missing _meta: a request of 2026-07-28 needs {wire.META_VERSION} and {wire.META_CAPABILITIES} in params._meta"
            _refuse(incoming, message.id, ErrorCode.INVALID_PARAMS, sentence)
        elif (problem := self._mismatch(incoming, message)) is not None:
            _refuse(incoming, message.id, ErrorCode.HEADER_MISMATCH, problem)
        elif isinstance(channel := self._conversation(incoming, message), str):
            incoming.explain(503, channel)
        else:
            channel.receive(incoming)

    def _mismatch(self, incoming: Incoming, message: Request) -> str | None:
        params = message.params or {}
        name = params.get("name") if message.method == "tools/call" else None
        return mismatch(incoming.request.headers, message.method, params, self._param_headers(name) if isinstance(name, str) else {})

    def _conversation(self, incoming: Incoming, message: Request) -> ModernChannel | str:
        """The one of this connection, if it is the same client's; else a new one."""
        info = _client_info(message)
        keeper = incoming.line.keeper
        if isinstance(keeper, _Keeper):
            if keeper.principal == incoming.principal and keeper.info == info and not keeper.channel.closed:
                return keeper.channel
            keeper.lost()
        channel = ModernChannel(incoming.line.remote)
        receiver = self._accept_modern(channel, incoming.principal, info)
        if isinstance(receiver, str):
            return receiver
        channel.open(receiver)
        incoming.line.keeper = _Keeper(channel, incoming.principal, info)
        return channel

    def _receive_legacy(self, incoming: Incoming, message: Decoded) -> None:
        versions = incoming.request.headers.get(VERSION_HEADER.lower(), ())
        request_id = message.id if isinstance(message, Request) else None
        if len(versions) > 1 or any(version not in LEGACY_VERSIONS for version in versions):
            known = ", ".join(LEGACY_VERSIONS)
            _refuse(incoming, request_id, ErrorCode.INVALID_REQUEST, f"Unsupported {VERSION_HEADER}: this server speaks {known}")
        elif isinstance(message, Request) and message.method == "initialize" and SESSION_HEADER.lower() not in incoming.request.headers:
            self._begin_session(incoming, message)
        elif (channel := self._session_of(incoming, request_id)) is not None:
            channel.receive_post(incoming, message)

    def _begin_session(self, incoming: Incoming, message: Request) -> None:
        if TICKET_STEP in incoming.request.path:
            # What comes next could not be let in: the name of a session is no credential.
            _refuse(incoming, message.id, ErrorCode.INVALID_REQUEST, _NO_SESSION_BY_TICKET, status=403)
            return
        wanted = (message.params or {}).get("protocolVersion")
        channel = LegacyChannel(
            Secret.random(),
            incoming.principal,
            incoming.line.remote,
            negotiate_legacy(wanted if isinstance(wanted, str) else ""),
            idle_after_s=self._limits.idle_after_s,
            stream_s=self._limits.http_stream_s,
            replay_bytes=self._limits.outbox_bytes,
            on_closed=self._forget,
        )
        receiver = self._accept_legacy(channel, incoming.principal)
        if isinstance(receiver, str):
            incoming.explain(503, receiver)
            return
        channel.open(receiver)
        self._sessions[channel.session_id.reveal()] = channel
        channel.receive_post(incoming, message)
        if channel.refused:
            channel.close(1000, "it was not initialized")

    def _session_of(self, incoming: Incoming, request_id: RequestId | None = None) -> LegacyChannel | None:
        """The session a request names; without one it is refused."""
        names = incoming.request.headers.get(SESSION_HEADER.lower(), ())
        if len(names) != 1:
            _refuse(
                incoming,
                request_id,
                ErrorCode.INVALID_REQUEST,
                f"A request up to 2025-11-25 carries one {SESSION_HEADER} header, as the answer to initialize gave it; "
                f"one from 2026-07-28 carries {VERSION_HEADER}",
            )
            return None
        channel = self._sessions.get(names[0])
        # Whoever may not have a session is not told that there is one.
        if channel is None or channel.principal != incoming.principal:
            sentence = "There is no such session: it has ended, or the kernel was restarted. Send initialize again"
            _refuse(incoming, request_id, ErrorCode.INVALID_REQUEST, sentence, status=404)
            return None
        return channel

    def _forget(self, channel: LegacyChannel) -> None:
        self._sessions.pop(channel.session_id.reveal(), None)


class _Keeper:
    """Ties a conversation to its connection."""

    __slots__ = ("channel", "info", "principal")

    def __init__(self, channel: ModernChannel, principal: Principal, info: wire.Implementation | None) -> None:
        self.channel = channel
        self.principal = principal
        self.info = info

    def lost(self) -> None:
        """The connection is gone, or another client speaks on it now."""
        self.channel.end(1000, "")


def _is_enveloped(message: Request) -> bool:
    meta = (message.params or {}).get("_meta")
    return isinstance(meta, dict) and wire.META_VERSION in meta


def _client_info(message: Request) -> wire.Implementation | None:
    meta: dict[str, Any] = (message.params or {}).get("_meta", {})
    try:
        return msgspec.convert(meta.get(wire.META_CLIENT_INFO), wire.Implementation | None)
    except msgspec.ValidationError:
        return None  # the Peer says what is wrong with it


def _refuse(incoming: Incoming, request_id: RequestId | None, code: int, sentence: str, *, status: int = 400) -> None:
    # An error response beside the HTTP status: both kinds of readers learn what is wrong.
    incoming.respond(status, encode_error(request_id, code, sentence), JSON)
