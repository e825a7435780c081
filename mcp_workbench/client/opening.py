"""Finding out what a server speaks, and opening the conversation in that era.

The rules of dual-era clients (2026-07-28 basic/versioning): `server/discover` first; a result with a mutual
modern revision opens the modern era; -32022 that names a mutual one is probed once more; a server that
speaks only modern revisions we do not know is refused; everything else means `initialize`. No single
error code is relied on. A server may have locked or closed the connection over the probe: then one new
connection is made for `initialize`, or for another probe where the server had only been slow to start. The
verdict is not kept: a probe costs one round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from mcp_workbench.client.conversation import Conversation
from mcp_workbench.client.rounds import is_complete
from mcp_workbench.errors import CallTimedOut, ConnectionClosed, PeerError, RemoteProtocolError, RequestRefused
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN, MODERN_VERSIONS

EraChoice = Literal["auto", "legacy", "modern"]
Connect = Callable[[], Awaitable[Conversation]]
"""Makes a conversation on a new connection."""

DISCOVER = "server/discover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How to open a conversation."""

    era: EraChoice = "auto"
    timeout_s: float = 60.0
    """For `initialize`, and for `server/discover` where there is no other way."""
    probe_timeout_s: float = 5.0
    """For `server/discover` where `initialize` comes next."""


async def open_conversation(connect: Connect, reconnect: Connect | None, how: Opening) -> Conversation:
    """Open a conversation in the era its server speaks.

    Args:
        connect: Makes the first connection.
        reconnect: Makes another one; None when there is no way to.
        how: Which eras, and how patient.

    Returns:
        A conversation that is legacy or modern.

    Raises:
        RemoteProtocolError: There is no mutual revision, or the server's answer has the wrong shape.
        PeerError: The server refused `initialize`.
        CallTimedOut: It did not answer `initialize`.
        ConnectionClosed: It closed the connection.
    """
    conversation = await connect()
    try:
        if how.era == "legacy":
            await initialize(conversation, how.timeout_s)
        elif (verdict := await _try_modern(conversation, how)) is not _Probe.MODERN:
            return await _fall_back(conversation, reconnect, how, verdict)
    except BaseException as error:
        await _leave(conversation, error)
        raise
    return conversation


class _Probe(Enum):
    """What has become of the probe."""

    MODERN = "modern"
    REFUSED = "refused"
    SILENT = "silent"
    """A legacy server may say nothing; so does one that has not started yet, a command of `npx` for instance."""


async def _try_modern(conversation: Conversation, how: Opening) -> _Probe:
    """Whether the conversation is modern now; else: try `initialize`."""
    if how.era == "modern":
        reason = await discover(conversation, how.timeout_s)
        if reason is not None:
            raise RemoteProtocolError(ErrorCode.UNSUPPORTED_VERSION, f"The server does not speak {LATEST_MODERN}: {reason}")
        return _Probe.MODERN
    try:
        reason = await discover(conversation, how.probe_timeout_s)
    except RequestRefused:
        raise  # whoever may not come in may not come in the old way either
    except ConnectionClosed:
        return _Probe.REFUSED
    if reason is None:
        return _Probe.MODERN
    return _Probe.SILENT if isinstance(reason, _Silence) else _Probe.REFUSED


async def _fall_back(conversation: Conversation, reconnect: Connect | None, how: Opening, verdict: _Probe) -> Conversation:
    """`initialize` on the same connection; on a new one where the server has locked or closed this one.

    One that was silent and refuses `initialize` has only been slow: the new connection begins with another probe.
    """
    slow = False
    try:
        await initialize(conversation, how.timeout_s)
    except RequestRefused:
        raise
    except (PeerError, ConnectionClosed) as error:
        if reconnect is None:
            raise
        slow = verdict is _Probe.SILENT and isinstance(error, PeerError)
        await conversation.close()
    else:
        return conversation
    fresh = await reconnect()
    try:
        if not (slow and await _try_modern(fresh, how) is _Probe.MODERN):
            await initialize(fresh, how.timeout_s)
    except BaseException as error:
        await _leave(fresh, error)
        raise
    return fresh


async def _leave(conversation: Conversation, error: BaseException) -> None:
    """Close politely; who was cancelled waits for nobody."""
    if isinstance(error, asyncio.CancelledError):
        conversation.abort()
    else:
        await conversation.close()


async def initialize(conversation: Conversation, timeout_s: float) -> None:
    """Open the legacy era.

    Raises:
        RemoteProtocolError: The server chose a revision we do not speak, or its answer has the wrong shape.
    """
    result = await conversation.exchange(conversation.begin_initialize, "initialize", timeout_s=timeout_s)
    conversation.send(conversation.peer.initialized(result))


async def discover(conversation: Conversation, timeout_s: float) -> str | None:
    """Open the modern era, if the server speaks it.

    Returns:
        None when the conversation is modern now, else why not.

    Raises:
        RemoteProtocolError: The server speaks only modern revisions that we do not.
        ConnectionClosed: The connection is gone.
    """
    reason: str | None = None
    version = LATEST_MODERN
    for _ in range(2):
        try:
            result = await conversation.request(DISCOVER, {"_meta": {wire.META_VERSION: version}}, timeout_s=timeout_s)
            return _accept(conversation, result)
        except CallTimedOut as error:
            return _Silence(error)
        except PeerError as error:
            reason = f"{DISCOVER} was answered with {error}"
            mutual = _mutual(_supported(error)) if error.code == ErrorCode.UNSUPPORTED_VERSION else None
            if mutual is None:
                return reason
            version = mutual
    return reason


def _accept(conversation: Conversation, result: dict[str, Any]) -> str | None:
    try:
        is_complete(DISCOVER, result)
        _mutual(result.get("supportedVersions"))
        conversation.peer.discovered(result)
    except _Disjoint:
        raise
    except RemoteProtocolError as error:
        return error.message
    return None


def _supported(error: PeerError) -> Any:
    return error.data.get("supported") if isinstance(error.data, dict) else None


def _mutual(supported: Any) -> str | None:
    """The latest revision both speak in the modern era; None: there may be a legacy one.

    Raises:
        RemoteProtocolError: Every revision named is modern and unknown to us.
    """
    if not isinstance(supported, list):
        return None
    versions = [version for version in supported if isinstance(version, str)]
    mutual = [version for version in MODERN_VERSIONS if version in versions]
    if mutual:
        return mutual[-1]
    if versions and all(version > LATEST_LEGACY for version in versions):
        shown = ", ".join(version[:20] for version in versions[:5])
        raise _Disjoint(ErrorCode.UNSUPPORTED_VERSION, f"The server speaks {shown}; we speak {LATEST_MODERN} and up to {LATEST_LEGACY}")
    return None


class _Silence(str):
    """A reason: it was not answered in time."""

    __slots__ = ()


class _Disjoint(RemoteProtocolError):
    """No revision in common, in neither era."""
