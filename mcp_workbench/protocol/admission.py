"""Whether a request is allowed here and now, and what it means: state, version, method table, params.

A pure function of the request and of where the connection stands; nothing is kept but a table that
follows from the server's capabilities. The Peer does what comes out of it.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import ErrorCode, Request
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import ClientFacts, Exchange
from mcp_workbench.protocol.methods import CLIENT_REQUESTS, SERVER_REQUESTS, Method
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.protocol.states import TRANSITIONS, Refusal, State, Trigger
from mcp_workbench.protocol.versions import LATEST_LEGACY, MODERN_VERSIONS, negotiate_legacy

UNKNOWN_CLIENT = ClientFacts(Era.LEGACY, LATEST_LEGACY, wire.ClientCapabilities())
"""Stands in while nothing is known: a ping before the first deciding request."""

_NO_META = wire.RequestMeta()


class Admission:
    """The checks of one connection.

    Args:
        side: Which end receives the requests.
        server: Server side: its capabilities decide which methods exist.
    """

    def __init__(self, side: Side, server: ServerDescription | None) -> None:
        self._side = side
        self._server = server
        self._methods = CLIENT_REQUESTS if side is Side.SERVER else SERVER_REQUESTS
        self._known: dict[str | None, dict[str, Method]] = {}

    def admit(self, request: Request, size: int, state: State, facts: ClientFacts | None) -> tuple[Exchange, State]:
        """Check one request.

        Args:
            request: As decoded.
            size: Bytes of its text.
            state: Where the connection stands.
            facts: The client's, once known.

        Returns:
            The exchange, and where the connection stands now.

        Raises:
            RemoteProtocolError: The request is refused with this error, and changes nothing.
        """
        raw_params = request.params or {}
        raw_meta = raw_params.get("_meta")
        trigger = _trigger(request.method, raw_meta)
        verdict = TRANSITIONS[state][trigger]
        if isinstance(verdict, Refusal):
            raise self._refused(verdict, state, raw_params)
        if trigger is Trigger.ENVELOPED and self._server is not None and not self._server.modern:
            # 2026-07-28 basic/versioning: after any other error than -32022 a client that can sends initialize.
            raise RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, legacy_only(request.method))
        meta = _NO_META if raw_meta is None else convert(raw_meta, wire.RequestMeta, "params._meta")
        client = _modern_facts(meta) if trigger is Trigger.ENVELOPED else facts
        method = self._known_method(request.method, None if client is None else client.version)
        params = convert(raw_params, method.params, "params")
        if trigger is Trigger.INITIALIZE:
            client = ClientFacts(Era.LEGACY, negotiate_legacy(params.protocol_version), params.capabilities, params.client_info)
        exchange = Exchange(request.id, request.method, params, client or UNKNOWN_CLIENT, size)
        if meta is not _NO_META:
            _read_meta(exchange, meta)
        return exchange, verdict

    def _refused(self, refusal: Refusal, state: State, raw_params: dict[str, Any]) -> RemoteProtocolError:
        if self._side is Side.CLIENT and state is State.MODERN:
            # 2026-07-28 basic: "Servers MUST NOT initiate JSON-RPC requests".
            return RemoteProtocolError(ErrorCode.INVALID_REQUEST, "In 2026-07-28 a server must not send requests")
        data = None
        if refusal.code is ErrorCode.UNSUPPORTED_VERSION:
            data = _unsupported_data(raw_params.get("protocolVersion"))
        return RemoteProtocolError(refusal.code, refusal.sentence, data)

    def _known_method(self, name: str, version: str | None) -> Method:
        known = self._known.get(version)
        if known is None:
            known = self._known[version] = {each: method for each, method in self._methods.items() if self._exists(method, version)}
        method = known.get(name)
        if method is None:
            raise RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, f"Method not found: {name[:100]}")
        return method

    def _exists(self, method: Method, version: str | None) -> bool:
        return (version is None or method.exists_in(version)) and (self._server is None or self._server.offers(method.capability))


def legacy_only(method: str) -> str:
    """What is said to a request of 2026-07-28 where that is not spoken."""
    return f"Method not found: {method[:100]}. This connection speaks up to 2025-11-25, where a channel can bring news: send initialize"


def convert(value: Any, shape: type[Any], where: str) -> Any:
    """Check a shape; the sentence names path and types, never values.

    Raises:
        RemoteProtocolError: -32602.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        sentence = _QUOTED_VALUE.sub("value", str(error))
        raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, f"Invalid params: {sentence} of {where}") from None


_QUOTED_VALUE = re.compile(r"""value (['"]).*\1""", re.DOTALL)
"""How msgspec quotes a value that is not among the allowed ones; the client's text does not go into our sentence."""


def _trigger(method: str, raw_meta: Any) -> Trigger:
    # The key decides, not a bare _meta: legacy requests use _meta.progressToken.
    if isinstance(raw_meta, dict) and wire.META_VERSION in raw_meta:
        return Trigger.ENVELOPED
    if method == "initialize":
        return Trigger.INITIALIZE
    return Trigger.PING if method == "ping" else Trigger.PLAIN


def _modern_facts(meta: wire.RequestMeta) -> ClientFacts:
    version, capabilities = meta.protocol_version, meta.client_capabilities
    # 2026-07-28 basic: the version must be one of ours whatever else is wrong, so that a client can probe again.
    if version not in MODERN_VERSIONS:
        raise RemoteProtocolError(ErrorCode.UNSUPPORTED_VERSION, "Unsupported protocol version", _unsupported_data(version))
    if capabilities is UNSET:
        raise RemoteProtocolError(
            ErrorCode.INVALID_PARAMS, f"Missing _meta: expected {wire.META_CAPABILITIES}, an object that may be empty"
        )
    info = None if meta.client_info is UNSET else meta.client_info
    return ClientFacts(Era.MODERN, str(version), capabilities, info)


def _read_meta(exchange: Exchange, meta: wire.RequestMeta) -> None:
    exchange.progress_token = None if meta.progress_token is UNSET else meta.progress_token
    exchange.log_level = None if meta.log_level is UNSET else meta.log_level
    exchange.traceparent = meta.traceparent if isinstance(meta.traceparent, str) else None


def _unsupported_data(requested: Any) -> dict[str, Any]:
    return {"supported": list(MODERN_VERSIONS), "requested": requested[:100] if isinstance(requested, str) else ""}
