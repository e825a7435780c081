"""What a client does for a server that asks: elicitation, sampling, roots.

The same three functions answer the requests of legacy servers (`server_requests`) and the
`input_required` results of modern ones (`rounds`). This module knows what is asked and what an answer
looks like, nothing of connections.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire

ACTIONS = ("accept", "decline", "cancel")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ElicitRequest:
    """The server asks the person something."""

    message: str
    """What to ask."""
    schema: dict[str, Any]
    """JSON Schema of the form: an object of flat properties."""
    params: dict[str, Any]
    """Everything as it came, camelCase."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """The server asks for a model's completion."""

    messages: list[dict[str, Any]]
    """`{"role": …, "content": …}` each, as on the wire."""
    max_tokens: int | None
    """Upper bound wanted; None when not said."""
    system_prompt: str | None
    params: dict[str, Any]
    """Everything as it came, camelCase: model preferences, temperature, tools …"""


ElicitAction = Literal["accept", "decline", "cancel"]
ElicitOutcome = Mapping[str, Any] | ElicitAction
"""The form's content (accepted), or what the person did instead."""
SampleOutcome = Mapping[str, Any] | str
"""A CreateMessageResult as on the wire, or just the text."""
RootsOutcome = Iterable[str | Mapping[str, Any]]
"""`file://` URIs, or `{"uri": …, "name": …}`."""
ElicitHandler = Callable[[ElicitRequest], ElicitOutcome | Awaitable[ElicitOutcome]]
SampleHandler = Callable[[SampleRequest], SampleOutcome | Awaitable[SampleOutcome]]
RootsHandler = Callable[[], RootsOutcome | Awaitable[RootsOutcome]]


class _ElicitParams(wire.Wire, frozen=True, kw_only=True):
    message: str
    requested_schema: dict[str, Any] = msgspec.field(default_factory=dict)
    mode: str = "form"


class _SampleParams(wire.Wire, frozen=True, kw_only=True):
    messages: list[dict[str, Any]]
    max_tokens: int | UnsetType = UNSET
    system_prompt: str | UnsetType = UNSET


@dataclass(slots=True)
class Handlers:
    """The user's functions, sync or async; a sync one runs on the loop and must not block. None: not able to."""

    elicit: ElicitHandler | None = None
    sample: SampleHandler | None = None
    roots: RootsHandler | None = None
    tasks: bool = True
    """Whether calls may be answered with a task, which is followed then."""

    def capabilities(self) -> wire.ClientCapabilities:
        """What may be declared: only what there is a handler for, and whether calls may be answered with tasks."""
        return wire.ClientCapabilities(
            # Mode `url` is not declared: a handler for forms would accept pages that nobody opened.
            elicitation=UNSET if self.elicit is None else {"form": {}},
            sampling=UNSET if self.sample is None else {},
            roots=UNSET if self.roots is None else {},
            extensions={wire.TASKS: {}} if self.tasks else UNSET,
        )

    async def answer(self, method: str, params: dict[str, Any]) -> wire.Result:
        """Let the right handler answer.

        Args:
            method: `elicitation/create`, `sampling/createMessage` or `roots/list`.
            params: Its params as they came.

        Raises:
            RemoteProtocolError: -32601 there is no handler for it; -32602 the params have the wrong shape.
            TypeError: The handler returned something else than it may.
            Exception: Whatever the handler raises.
        """
        if method == "elicitation/create" and self.elicit is not None:
            return await _elicit(self.elicit, params)
        if method == "sampling/createMessage" and self.sample is not None:
            return await _sample(self.sample, params)
        if method == "roots/list" and self.roots is not None:
            return _roots_answer(await _outcome(self.roots()))
        raise RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, f"Method not found: {method[:100]}; this client has no handler for it")


async def _elicit(handler: ElicitHandler, params: dict[str, Any]) -> wire.ElicitResult:
    asked = _convert(params, _ElicitParams)
    if asked.mode != "form":
        raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, "Invalid params: this client takes elicitations of mode form only")
    answer = await _outcome(handler(ElicitRequest(asked.message, asked.requested_schema, params)))
    if isinstance(answer, Mapping):
        return wire.ElicitResult(action="accept", content=dict(answer))
    if answer in ACTIONS:
        return wire.ElicitResult(action=answer)
    raise TypeError(f"on_elicit must return the form's content as a mapping, or one of {ACTIONS}; got {type(answer).__name__}")


async def _sample(handler: SampleHandler, params: dict[str, Any]) -> wire.CreateMessageResult:
    asked = _convert(params, _SampleParams)
    request = SampleRequest(asked.messages, asked.max_tokens or None, asked.system_prompt or None, params)
    answer = await _outcome(handler(request))
    if isinstance(answer, str):
        return wire.CreateMessageResult(role="assistant", content={"type": "text", "text": answer}, model="unnamed", stop_reason="endTurn")
    try:
        return msgspec.convert(answer, wire.CreateMessageResult)
    except msgspec.ValidationError as error:
        raise TypeError(f"on_sample must return a text or a mapping with role, content and model: {error}") from None


def _roots_answer(answer: RootsOutcome) -> wire.ListRootsResult:
    entries = [{"uri": entry} if isinstance(entry, str) else entry for entry in ([answer] if isinstance(answer, str) else answer)]
    try:
        return wire.ListRootsResult(roots=msgspec.convert(entries, list[wire.Root]))
    except msgspec.ValidationError as error:
        raise TypeError(f"on_roots must return file:// URIs or mappings with uri and name: {error}") from None


async def _outcome(returned: T | Awaitable[T]) -> T:
    return await returned if inspect.isawaitable(returned) else returned


def _convert(params: dict[str, Any], shape: type[T]) -> T:
    try:
        return msgspec.convert(params, shape)
    except msgspec.ValidationError as error:
        raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, f"Invalid params: {error} of params") from None
