"""The states of a connection and the table of what each trigger does in each of them.

The Peer looks every request up here before anything else; docs/architecture.md draws the same table, and
a Hypothesis state machine walks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mcp_workbench.jsonrpc import ErrorCode


class State(StrEnum):
    """Where a connection stands; decided by its first request and never changed back."""

    FRESH = "fresh"
    """No request has decided the era yet."""
    OPENING = "opening"
    """Legacy: `initialize` is answered (server) or sent (client)."""
    LEGACY = "legacy"
    """Legacy: `notifications/initialized` has passed."""
    MODERN = "modern"
    CLOSED = "closed"


class Trigger(StrEnum):
    """What a received (server) or sent (client) message amounts to."""

    INITIALIZE = "initialize"
    INITIALIZED = "notifications/initialized"
    PING = "ping"
    PLAIN = "a request without protocolVersion in _meta"
    ENVELOPED = "a request with protocolVersion in _meta"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The trigger is against the rules here: answer this error, change nothing."""

    code: ErrorCode
    sentence: str


_FIRST = Refusal(
    ErrorCode.INVALID_REQUEST,
    "This connection is not initialized: send initialize first (up to 2025-11-25), "
    "or put io.modelcontextprotocol/protocolVersion into _meta (from 2026-07-28)",
)
_TWICE = Refusal(ErrorCode.INVALID_REQUEST, "This connection is initialized already: initialize may be sent once")
_MIXED = Refusal(
    ErrorCode.INVALID_REQUEST,
    "This connection was opened with initialize: requests must not carry io.modelcontextprotocol/protocolVersion in _meta",
)
_MODERN = Refusal(ErrorCode.UNSUPPORTED_VERSION, "Unsupported protocol version: this connection speaks 2026-07-28, which has no initialize")
_BARE = Refusal(
    ErrorCode.INVALID_PARAMS,
    "Missing _meta: a request of 2026-07-28 needs io.modelcontextprotocol/protocolVersion and "
    "io.modelcontextprotocol/clientCapabilities in params._meta",
)
_GONE = Refusal(ErrorCode.INVALID_REQUEST, "This connection is closed")

TRANSITIONS: dict[State, dict[Trigger, State | Refusal]] = {
    State.FRESH: {
        Trigger.INITIALIZE: State.OPENING,
        Trigger.INITIALIZED: State.FRESH,
        Trigger.PING: State.FRESH,
        Trigger.PLAIN: _FIRST,
        Trigger.ENVELOPED: State.MODERN,
        Trigger.CLOSE: State.CLOSED,
    },
    State.OPENING: {
        Trigger.INITIALIZE: _TWICE,
        Trigger.INITIALIZED: State.LEGACY,
        Trigger.PING: State.OPENING,
        # Clients pipeline their first requests behind `initialize`; the specification only says SHOULD NOT.
        Trigger.PLAIN: State.OPENING,
        Trigger.ENVELOPED: _MIXED,
        Trigger.CLOSE: State.CLOSED,
    },
    State.LEGACY: {
        Trigger.INITIALIZE: _TWICE,
        Trigger.INITIALIZED: State.LEGACY,
        Trigger.PING: State.LEGACY,
        Trigger.PLAIN: State.LEGACY,
        Trigger.ENVELOPED: _MIXED,
        Trigger.CLOSE: State.CLOSED,
    },
    State.MODERN: {
        Trigger.INITIALIZE: _MODERN,
        Trigger.INITIALIZED: State.MODERN,
        Trigger.PING: _BARE,
        Trigger.PLAIN: _BARE,
        Trigger.ENVELOPED: State.MODERN,
        Trigger.CLOSE: State.CLOSED,
    },
    State.CLOSED: dict.fromkeys(Trigger, _GONE) | {Trigger.CLOSE: State.CLOSED},
}
