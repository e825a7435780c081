"""`requestState`: the token by which a retry finds the call it belongs to (2026-07-28 basic/patterns/mrtr).

It passes through the client, so it is an attacker's to change. It says which call and which round, in plain text,
and until when; a code over these, the principal and a digest of the request holds them together. What it does
not say (whose, for what) must be brought along again by whoever presents it. Pure: no clock, no memory; that one is used
once is seen to by `rounds.py`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

import msgspec

from mcp_workbench.protocol import wire

_SHAPE = re.compile(r"(c[1-9][0-9]{0,17})\.([1-9][0-9]{0,8})\.([0-9]{1,18})\.([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RequestState:
    """What a token says once it has proved genuine."""

    call_id: str
    round: int
    """Counted from 1: how often the call has been answered `input_required`."""
    until_ms: int
    """By the clock of whoever made it."""


def seal(secret: bytes, state: RequestState, principal: str, digest: bytes) -> str:
    """The token of a state.

    Args:
        secret: Known to this server alone, as long as it runs.
        state: What to find again.
        principal: Who may present it.
        digest: Of the request it may be presented with (`request_digest`).
    """
    return f"{state.call_id}.{state.round}.{state.until_ms}.{_code(secret, state, principal, digest)}"


def unseal(secret: bytes, token: str, principal: str, digest: bytes) -> RequestState | None:
    """What a token says; None when it was not made by `seal` with just these."""
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        return None
    state = RequestState(shape[1], int(shape[2]), int(shape[3]))
    return state if hmac.compare_digest(seal(secret, state, principal, digest), token) else None


def request_digest(method: str, params: object) -> bytes:
    """The same for requests that mean the same, whatever the order of their members; without answers and state.

    Args:
        method: Its method.
        params: Its params, a Struct of `wire`.
    """
    target = params.uri if isinstance(params, wire.UriParams) else getattr(params, "name", "")
    arguments = getattr(params, "arguments", None) or {}
    return hashlib.sha256(msgspec.json.encode([method, target, arguments], order="deterministic")).digest()


def _code(secret: bytes, state: RequestState, principal: str, digest: bytes) -> str:
    # As JSON, so that no two different facts are the same text.
    facts = msgspec.json.encode([state.call_id, state.round, state.until_ms, principal, digest.hex()])
    return base64.urlsafe_b64encode(hmac.digest(secret, facts, "sha256")).decode().rstrip("=")
