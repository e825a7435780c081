"""A request of the modern era until it is complete: the server may answer "I need input first".

From 2026-07-28 a server asks nothing by itself; it answers `input_required` with what it wants to know,
and the client sends the same request anew, with the answers and the server's `requestState` unchanged
(SEP-2322). The answers come from the same handlers as in the legacy era. They run in the task of the
caller, so what a handler raises ends the call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.client.handlers import Handlers
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire

MAX_ROUNDS = 10
"""Times one request is sent anew with answers."""
MAY_NEED_INPUT = frozenset({"tools/call", "prompts/get", "resources/read"})
"""2026-07-28 basic/patterns/mrtr: no other request may be answered `input_required`."""
TASK = "task"
MAY_BECOME_TASK = frozenset({"tools/call"})
"""SEP-2663, supported methods: no other request may be answered with a task."""

Send = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Sends the request with these params and returns its result."""


class InputRequest(wire.Wire, frozen=True, kw_only=True):
    """What a server wants to know."""

    method: str
    params: dict[str, Any] = msgspec.field(default_factory=dict)


class _InputRequired(wire.Wire, frozen=True, kw_only=True):
    input_requests: dict[str, InputRequest] | UnsetType = UNSET
    request_state: str | UnsetType = UNSET


async def complete(method: str, params: dict[str, Any], send: Send, handlers: Handlers) -> dict[str, Any]:
    """Send a request as often as its server needs input.

    Args:
        method: Its method.
        params: Its params.
        send: Sends it once, with an id of its own each time.
        handlers: Answer what the server wants to know.

    Returns:
        The complete result.

    Raises:
        RemoteProtocolError: The result is of an unknown type or has the wrong shape; the server asks what there
            is no handler for; or it still asks after `MAX_ROUNDS` answers.
        Exception: Whatever a handler raises.
    """
    result = await send(params)
    for _ in range(MAX_ROUNDS):
        if is_complete(method, result, takes_tasks=handlers.tasks):
            return result
        result = await send(params | await _answers(method, result, handlers))
    if is_complete(method, result, takes_tasks=handlers.tasks):
        return result
    raise _wrong(f"The server still asks for input after {MAX_ROUNDS} answers to {method}")


def is_complete(method: str, result: dict[str, Any], *, takes_tasks: bool = True) -> bool:
    """Whether a result is the last word of its request; False means `input_required`. A task is what `tasks` goes on with.

    Raises:
        RemoteProtocolError: Neither, or not where it is allowed.
    """
    kind = result.get("resultType", "complete")
    if kind == "complete" or (kind == TASK and takes_tasks and method in MAY_BECOME_TASK):
        return True
    if kind == "input_required" and method in MAY_NEED_INPUT:
        return False
    shown = kind[:40] if isinstance(kind, str) else "something that is no text"
    raise _wrong(f"Expected a complete result of {method}, got resultType {shown}")


async def _answers(method: str, result: dict[str, Any], handlers: Handlers) -> dict[str, Any]:
    """The params to add for the next round: `inputResponses` and the exact `requestState`."""
    try:
        asked = msgspec.convert(result, _InputRequired)
    except msgspec.ValidationError as error:
        raise _wrong(f"The input_required result of {method} has the wrong shape: {error}") from None
    added: dict[str, Any] = {}
    if asked.input_requests is not UNSET:
        added["inputResponses"] = {key: await answer(handlers, wanted) for key, wanted in asked.input_requests.items()}
    if asked.request_state is not UNSET:
        added["requestState"] = asked.request_state
    if not added:
        raise _wrong(f"The input_required result of {method} has neither inputRequests nor requestState")
    return added


async def answer(handlers: Handlers, wanted: InputRequest) -> wire.Result:
    """Let the right handler answer one question.

    Raises:
        RemoteProtocolError: There is no handler for it, or it has the wrong shape.
        Exception: Whatever the handler raises.
    """
    try:
        return await handlers.answer(wanted.method, wanted.params)
    except RemoteProtocolError as error:
        if error.code != ErrorCode.METHOD_NOT_FOUND:
            raise
        sentence = f"The server needs {wanted.method[:60]} and this session has no handler for it: give on_elicit, on_sample or on_roots"
        raise RemoteProtocolError(error.code, sentence) from None


def _wrong(sentence: str) -> RemoteProtocolError:
    return RemoteProtocolError(ErrorCode.INVALID_REQUEST, sentence)
