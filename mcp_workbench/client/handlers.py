"""What a client does for a server that asks: elicitation, sampling, roots.

The same three functions answer the requests of legacy servers (`server_requests`) and the
`input_required` results of modern ones (`rounds`). This module knows what is asked and what an answer
looks like, nothing of connections.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.sampling import ToolChoice, has_tools, misfit_of_answer, misfit_of_messages

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
    """Everything as it came, camelCase: model preferences, temperature …"""
    tools: list[dict[str, Any]] = field(default_factory=list)
    """Tools that the model may want used, as on the wire; none unless `sample_tools=True` was declared."""
    tool_choice: ToolChoice = "auto"
    """Whether it may (`auto`), must (`required`) or must not (`none`) want one."""


ElicitAction = Literal["accept", "decline", "cancel"]
ElicitOutcome = Mapping[str, Any] | bool | ElicitAction
"""The form's content (accepted), or what the person did: True accepted, False declined. A field left out has the form's default."""
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


class _ToolChoice(wire.Wire, frozen=True, kw_only=True):
    mode: ToolChoice = "auto"


class _SampleParams(wire.Wire, frozen=True, kw_only=True):
    messages: list[dict[str, Any]]
    max_tokens: int | UnsetType = UNSET
    system_prompt: str | UnsetType = UNSET
    tools: list[wire.Tool] | UnsetType = UNSET
    tool_choice: _ToolChoice | UnsetType = UNSET


class StandIn(Protocol):
    """Answers in the place of the user's functions, for instance what a recording's client answered."""

    def capabilities(self) -> wire.ClientCapabilities:
        """What is declared instead."""

    async def answer(self, method: str, params: dict[str, Any]) -> wire.Result:
        """As `Handlers.answer`."""


@dataclass(slots=True)
class Handlers:
    """The user's functions, sync or async; a sync one runs on the loop and must not block. None: not able to."""

    elicit: ElicitHandler | None = None
    sample: SampleHandler | None = None
    roots: RootsHandler | None = None
    sample_tools: bool = False
    """Whether `sample` takes tools."""
    tasks: bool = True
    """Whether calls may be answered with a task, which is followed then."""
    instead: StandIn | None = None
    """Answers everything in their place; None: they answer."""

    def can(self, method: str) -> bool:
        """Whether there is a function for a question."""
        functions = {"elicitation/create": self.elicit, "sampling/createMessage": self.sample, "roots/list": self.roots}
        return functions.get(method) is not None

    def capabilities(self) -> wire.ClientCapabilities:
        """What may be declared: only what there is a handler for, and whether calls may be answered with tasks."""
        if self.instead is not None:
            return self.instead.capabilities()
        return wire.ClientCapabilities(
            # Mode `url` is not declared: a handler for forms would accept pages that nobody opened.
            elicitation=UNSET if self.elicit is None else {"form": {}},
            sampling=UNSET if self.sample is None else {"tools": {}} if self.sample_tools else {},
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
        if self.instead is not None:
            return await self.instead.answer(method, params)
        if method == "elicitation/create" and self.elicit is not None:
            return await _elicit(self.elicit, params)
        if method == "sampling/createMessage" and self.sample is not None:
            return await _sample(self.sample, params, with_tools=self.sample_tools)
        if method == "roots/list" and self.roots is not None:
            return _roots_answer(await _outcome(self.roots()))
        raise RemoteProtocolError(ErrorCode.METHOD_NOT_FOUND, f"Method not found: {method[:100]}; this client has no handler for it")


async def _elicit(handler: ElicitHandler, params: dict[str, Any]) -> wire.ElicitResult:
    asked = _convert(params, _ElicitParams)
    if asked.mode != "form":
        raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, "Invalid params: this client takes elicitations of mode form only")
    answer = await _outcome(handler(ElicitRequest(asked.message, asked.requested_schema, params)))
    if isinstance(answer, Mapping):
        return wire.ElicitResult(action="accept", content=_prefilled(asked.requested_schema) | dict(answer))
    if answer is True or answer == "accept":
        return wire.ElicitResult(action="accept", content=_prefilled(asked.requested_schema) or UNSET)
    if answer is False:
        return wire.ElicitResult(action="decline")
    if answer in ACTIONS:
        return wire.ElicitResult(action=answer)
    raise TypeError(
        f"on_elicit must return the form's content as a mapping, True or False, or one of {ACTIONS}; got {type(answer).__name__}"
    )


def _prefilled(schema: dict[str, Any]) -> dict[str, Any]:
    # 2025-11-25 client/elicitation: "clients that support defaults SHOULD pre-populate form fields with these values".
    properties = schema.get("properties")
    fields = properties.items() if isinstance(properties, dict) else ()
    return {name: field["default"] for name, field in fields if isinstance(field, dict) and field.get("default") is not None}


async def _sample(handler: SampleHandler, params: dict[str, Any], *, with_tools: bool) -> wire.CreateMessageResult:
    asked = _convert(params, _SampleParams)
    _check_tools(asked, with_tools=with_tools)
    choice = asked.tool_choice.mode if asked.tool_choice else "auto"
    tools = params["tools"] if asked.tools else []
    request = SampleRequest(asked.messages, asked.max_tokens or None, asked.system_prompt or None, params, tools, choice)
    answer = await _outcome(handler(request))
    if isinstance(answer, str):
        return wire.CreateMessageResult(role="assistant", content={"type": "text", "text": answer}, model="unnamed", stop_reason="endTurn")
    try:
        result = msgspec.convert(answer, wire.CreateMessageResult)
    except msgspec.ValidationError as error:
        raise TypeError(f"on_sample must return a text or a mapping with role, content and model: {error}") from None
    misfit = misfit_of_answer(result.content, frozenset() if choice == "none" else frozenset(tool["name"] for tool in tools))
    if misfit is not None:
        raise TypeError(f"on_sample returned what no server takes: {misfit}")
    return result


def _check_tools(asked: _SampleParams, *, with_tools: bool) -> None:
    # 2025-11-25 client/sampling: tools without the capability MUST be answered with an error.
    if not with_tools and (asked.tools is not UNSET or asked.tool_choice is not UNSET or has_tools(asked.messages)):
        raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, "Invalid params: this client has not declared sampling.tools")
    if (misfit := misfit_of_messages(asked.messages)) is not None:
        raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, f"Invalid params: {misfit}")


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
