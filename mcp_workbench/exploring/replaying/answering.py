"""The recorded answers as a session's: in the client's own revision, after the notifications that came before them.

What a recorded result says is put into the shape that the protocol has for it, so that a recording of one era answers clients of
the other. What the other era cannot say (a question to the client in the middle of a call) is an error that says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.exploring.replaying.tape import NotRecordedError, Recorded, Tape
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Done, Work
from mcp_workbench.telemetry.pairing import entries_of, target_of
from mcp_workbench.telemetry.records import CallRecord

_RESULTS: dict[str, type[wire.Result]] = {
    "tools/list": wire.ListToolsResult,
    "tools/call": wire.CallToolResult,
    "resources/list": wire.ListResourcesResult,
    "resources/templates/list": wire.ListResourceTemplatesResult,
    "resources/read": wire.ReadResourceResult,
    "prompts/list": wire.ListPromptsResult,
    "prompts/get": wire.GetPromptResult,
    "completion/complete": wire.CompleteResult,
    "resources/subscribe": wire.EmptyResult,
    "resources/unsubscribe": wire.EmptyResult,
    "logging/setLevel": wire.EmptyResult,
}
_ENVELOPE = ("resultType", "ttlMs", "cacheScope")
_ANSWERED_ANYWAY = ("resources/subscribe", "resources/unsubscribe", "logging/setLevel")
"""They change nothing in a replay; a client that asks for them is not made to fail."""


class Answering:
    """The `RequestHandler` of a replay. On its loop.

    Args:
        tape: The answers.
        speed: 1: each takes as long as it took; 10: a tenth of that; None: none.
        asked: Called with each request for which there is no answer.
    """

    def __init__(self, tape: Tape, speed: float | None, asked: Callable[[str], None]) -> None:
        self._tape = tape
        self._speed = speed
        self._asked = asked

    def handle(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result | Work | None:
        """Answer one request; see `RequestHandler`."""
        params = _params(exchange, record)
        record.target = target_of(exchange.method, params)
        if exchange.method == "subscriptions/listen":
            session.send(session.peer.acknowledge(exchange, exchange.params.notifications))
            return None
        try:
            recorded = self._tape.take(exchange.method, params)
        except NotRecordedError as error:
            if exchange.method in _ANSWERED_ANYWAY:
                return wire.EmptyResult()
            self._asked(str(error))
            raise RemoteProtocolError(error.code, str(error)) from None
        return _Given(session, exchange, recorded, self._speed)

    def too_large(self, exchange: Exchange, size: int, limit: int) -> Answer:
        """The answer in place of one that the client would close the connection over."""
        return RemoteProtocolError(
            ErrorCode.INTERNAL_ERROR, f"The recorded result is {size:,} bytes long; this connection takes {limit:,}."
        )

    def unwritable(self, exchange: Exchange) -> Answer:
        """The answer in place of one that JSON cannot carry."""
        return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, "The recorded result could not be written as JSON.")

    def session_closed(self, session: Session) -> None:
        """Nothing is kept per session here."""


class _Given(Work):
    """A recorded answer on its way."""

    __slots__ = ("_done", "_exchange", "_recorded", "_session", "_speed", "_timer")

    def __init__(self, session: Session, exchange: Exchange, recorded: Recorded, speed: float | None) -> None:
        self._session, self._exchange, self._recorded, self._speed = session, exchange, recorded, speed
        self._done: Done | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, done: Done) -> None:
        """Begin; `done` may be called before this returns."""
        self._done = done
        if self._speed is None:
            self._finish()
        else:
            self._timer = asyncio.get_running_loop().call_later(self._recorded.took_s / self._speed, self._finish)

    def _finish(self) -> None:
        for notification in self._recorded.notifications:
            text = _notification(self._session, self._exchange, notification)
            if text is not None:
                self._session.notify(text, owner=self._exchange.id)
        self._end(answer_of(self._recorded))

    def _end(self, answer: Answer | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(answer)

    def cancel(self, reason: str) -> None:
        """Nobody wants the answer any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._end(None)

    def stop(self) -> Answer | None:
        """The author ends it."""
        if self._timer is not None:
            self._timer.cancel()
        self._done = None
        return self.refuse("The replay was stopped.")

    def refuse(self, sentence: str) -> Answer:
        """The answer that says why this is not taken on."""
        return RemoteProtocolError(ErrorCode.INTERNAL_ERROR, sentence)


def answer_of(recorded: Recorded) -> Answer:
    """What was answered, as this house says it."""
    if recorded.error is not None:
        return RemoteProtocolError(*recorded.error)
    result = dict(recorded.result or {})
    if result.get("resultType") == "input_required":
        return RemoteProtocolError(
            ErrorCode.INTERNAL_ERROR,
            f"{recorded.method} {recorded.target} was answered with a question to its client when this was recorded; a replay asks none.",
        )
    shape = _RESULTS.get(recorded.method)
    if shape is None:
        return RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, f"A replay cannot answer {recorded.method[:100]}.")
    for name in _ENVELOPE:
        result.pop(name, None)
    meta = result.get("_meta")
    if isinstance(meta, dict):
        meta = {key: value for key, value in meta.items() if key != wire.META_SERVER_INFO}
        result |= {"_meta": meta} if meta else {}
        if not meta:
            del result["_meta"]
    try:
        return msgspec.convert(result, shape)
    except msgspec.ValidationError as error:
        return RemoteProtocolError(
            ErrorCode.INTERNAL_ERROR, f"The recorded result of {recorded.method} {recorded.target} is none that MCP knows: {error}."
        )


def _params(exchange: Exchange, record: CallRecord) -> dict[str, Any]:
    """As the client sent them."""
    entries = entries_of(b"" if record.request is None else record.request.raw)
    entry = next((each for each in entries if isinstance(each, dict) and each.get("id") == exchange.id), {})
    params = entry.get("params")
    return params if isinstance(params, dict) else {}


def _notification(session: Session, exchange: Exchange, notification: dict[str, Any]) -> bytes | None:
    """A recorded one, for this client, if it wants such."""
    method, params = notification.get("method"), notification.get("params")
    if not isinstance(params, dict):
        return None
    if method == "notifications/progress" and isinstance(progress := params.get("progress"), int | float):
        return session.peer.progress(exchange, progress, params.get("total"), params.get("message"))
    if method == "notifications/message" and params.get("level") in wire.LOG_LEVELS:
        return session.peer.log(exchange, params["level"], params.get("data"), params.get("logger"))
    return None
