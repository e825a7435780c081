"""MCP's objects as they stand on the wire: the one module that translates snake_case to camelCase.

Each Struct names the revision that brought it or its later fields. Fields left `UNSET` (or `None`
where the spec has no null) are omitted. Params are converted and checked by `msgspec.convert`, so a
wrong shape becomes one sentence with the JSON path.

Source: https://modelcontextprotocol.io/specification/ (2024-11-05 … 2026-07-28).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Json = Any
"""Any JSON value as Python objects: None, bool, int, float, str, list, dict with str keys."""


class Wire(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True, kw_only=True):
    """Base: camelCase on the wire, defaults left out."""


# --- facts about the two sides -------------------------------------------------------------------


class Icon(Wire, frozen=True, kw_only=True):
    """An icon for people (2025-11-25)."""

    src: str
    mime_type: str | UnsetType = UNSET
    sizes: list[str] | UnsetType = UNSET
    theme: Literal["light", "dark"] | UnsetType = UNSET


class Implementation(Wire, frozen=True, kw_only=True):
    """Name and version of a program."""

    name: str
    version: str
    title: str | UnsetType = UNSET
    website_url: str | UnsetType = UNSET
    icons: list[Icon] | UnsetType = UNSET


class ClientCapabilities(Wire, frozen=True, kw_only=True):
    """What a client can do; legacy: once in `initialize`, modern: in every request's `_meta`."""

    roots: dict[str, Json] | UnsetType = UNSET
    sampling: dict[str, Json] | UnsetType = UNSET
    elicitation: dict[str, Json] | UnsetType = UNSET
    extensions: dict[str, Json] | UnsetType = UNSET
    experimental: dict[str, Json] | UnsetType = UNSET
    tasks: dict[str, Json] | UnsetType = UNSET


class ListChanged(Wire, frozen=True, kw_only=True, omit_defaults=False):
    """A capability that announces changes of its list."""

    list_changed: bool = False


class ResourcesCapability(Wire, frozen=True, kw_only=True, omit_defaults=False):
    """Resources with subscriptions."""

    subscribe: bool = False
    list_changed: bool = False


class ServerCapabilities(Wire, frozen=True, kw_only=True):
    """What a server offers."""

    tools: ListChanged | UnsetType = UNSET
    resources: ResourcesCapability | UnsetType = UNSET
    prompts: ListChanged | UnsetType = UNSET
    logging: dict[str, Json] | UnsetType = UNSET
    completions: dict[str, Json] | UnsetType = UNSET
    extensions: dict[str, Json] | UnsetType = UNSET
    experimental: dict[str, Json] | UnsetType = UNSET


# --- content ---------------------------------------------------------------------------------------


class Annotations(Wire, frozen=True, kw_only=True):
    """Hints on content and resources."""

    audience: list[Literal["user", "assistant"]] | UnsetType = UNSET
    priority: float | UnsetType = UNSET
    last_modified: str | UnsetType = UNSET


class TextContent(Wire, frozen=True, kw_only=True, tag="text"):
    """Text."""

    text: str
    annotations: Annotations | UnsetType = UNSET


class ImageContent(Wire, frozen=True, kw_only=True, tag="image"):
    """An image, base64."""

    data: str
    mime_type: str
    annotations: Annotations | UnsetType = UNSET


class AudioContent(Wire, frozen=True, kw_only=True, tag="audio"):
    """Sound, base64 (2025-03-26)."""

    data: str
    mime_type: str
    annotations: Annotations | UnsetType = UNSET


class ResourceLink(Wire, frozen=True, kw_only=True, tag="resource_link"):
    """A resource to read when wanted (2025-06-18)."""

    uri: str
    name: str
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    size: int | UnsetType = UNSET


class ResourceContents(Wire, frozen=True, kw_only=True):
    """What reading gave: exactly one of text and blob (base64)."""

    uri: str
    mime_type: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    blob: str | UnsetType = UNSET
    meta: dict[str, Json] | UnsetType = msgspec.field(default=UNSET, name="_meta")


class EmbeddedResource(Wire, frozen=True, kw_only=True, tag="resource"):
    """Contents carried along."""

    resource: ResourceContents


Content = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource


# --- what is listed ----------------------------------------------------------------------------------


class ToolAnnotations(Wire, frozen=True, kw_only=True):
    """Hints for hosts (2025-03-26); a hint, never a guard."""

    title: str | UnsetType = UNSET
    read_only_hint: bool | UnsetType = UNSET
    destructive_hint: bool | UnsetType = UNSET
    idempotent_hint: bool | UnsetType = UNSET
    open_world_hint: bool | UnsetType = UNSET


class Tool(Wire, frozen=True, kw_only=True):
    """A tool as listed. `title`, `output_schema` since 2025-06-18, `icons` since 2025-11-25."""

    name: str
    input_schema: dict[str, Json]
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    output_schema: dict[str, Json] | UnsetType = UNSET
    annotations: ToolAnnotations | UnsetType = UNSET
    icons: list[Icon] | UnsetType = UNSET
    meta: dict[str, Json] | UnsetType = msgspec.field(default=UNSET, name="_meta")


class Resource(Wire, frozen=True, kw_only=True):
    """A resource as listed."""

    uri: str
    name: str
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    size: int | UnsetType = UNSET
    annotations: Annotations | UnsetType = UNSET
    icons: list[Icon] | UnsetType = UNSET


class ResourceTemplate(Wire, frozen=True, kw_only=True):
    """A family of resources as listed."""

    uri_template: str
    name: str
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    icons: list[Icon] | UnsetType = UNSET


class PromptArgument(Wire, frozen=True, kw_only=True):
    """One argument of a prompt; always text on the wire."""

    name: str
    description: str | UnsetType = UNSET
    required: bool | UnsetType = UNSET


class Prompt(Wire, frozen=True, kw_only=True):
    """A prompt as listed."""

    name: str
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    arguments: list[PromptArgument] | UnsetType = UNSET
    icons: list[Icon] | UnsetType = UNSET


class PromptMessage(Wire, frozen=True, kw_only=True):
    """One message of a prompt."""

    role: Literal["user", "assistant"]
    content: Content


# --- params ---------------------------------------------------------------------------------------------

ProgressToken = str | int
LogLevel = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
LOG_LEVELS: tuple[LogLevel, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
Name = Annotated[str, msgspec.Meta(max_length=1024)]
Uri = Annotated[str, msgspec.Meta(max_length=8192)]
"""Bounded, because subscribed URIs are kept."""


TaskId = Annotated[str, msgspec.Meta(max_length=256)]


class NoParams(Wire, frozen=True, kw_only=True):
    """`ping`, `server/discover`, `notifications/initialized` …: nothing but `_meta`."""


class InitializeParams(Wire, frozen=True, kw_only=True):
    """`initialize` (up to 2025-11-25)."""

    protocol_version: str
    capabilities: ClientCapabilities
    client_info: Implementation


class ListParams(Wire, frozen=True, kw_only=True):
    """The four list methods."""

    cursor: str | None = None


class CallToolParams(Wire, frozen=True, kw_only=True):
    """`tools/call`."""

    name: Name
    arguments: dict[str, Json] | UnsetType = UNSET
    input_responses: dict[str, Json] | UnsetType = UNSET
    """Answers to an `input_required` result (2026-07-28)."""
    request_state: str | UnsetType = UNSET


class UriParams(Wire, frozen=True, kw_only=True):
    """`resources/read`, `resources/subscribe`, `resources/unsubscribe`."""

    uri: Uri
    input_responses: dict[str, Json] | UnsetType = UNSET
    request_state: str | UnsetType = UNSET


class GetPromptParams(Wire, frozen=True, kw_only=True):
    """`prompts/get`."""

    name: Name
    arguments: dict[str, str] | UnsetType = UNSET
    input_responses: dict[str, Json] | UnsetType = UNSET
    request_state: str | UnsetType = UNSET


class PromptReference(Wire, frozen=True, kw_only=True, tag="ref/prompt"):
    """What is being completed: a prompt's argument."""

    name: str
    title: str | UnsetType = UNSET


class TemplateReference(Wire, frozen=True, kw_only=True, tag="ref/resource"):
    """What is being completed: a variable of a resource template."""

    uri: str


class CompletionArgument(Wire, frozen=True, kw_only=True):
    """The argument and what was typed so far."""

    name: str
    value: str


class CompletionContext(Wire, frozen=True, kw_only=True):
    """Arguments already chosen (2025-06-18)."""

    arguments: dict[str, str] | UnsetType = UNSET


class CompleteParams(Wire, frozen=True, kw_only=True):
    """`completion/complete`."""

    ref: PromptReference | TemplateReference
    argument: CompletionArgument
    context: CompletionContext | UnsetType = UNSET


class SetLevelParams(Wire, frozen=True, kw_only=True):
    """`logging/setLevel` (up to 2025-11-25)."""

    level: LogLevel


class ListenFilter(Wire, frozen=True, kw_only=True):
    """What a `subscriptions/listen` wants to hear, and in the acknowledgement what it will hear."""

    tools_list_changed: bool | UnsetType = UNSET
    prompts_list_changed: bool | UnsetType = UNSET
    resources_list_changed: bool | UnsetType = UNSET
    resource_subscriptions: list[Uri] | UnsetType = UNSET
    task_ids: list[TaskId] | UnsetType = UNSET
    """Of the extension for tasks."""


class ListenParams(Wire, frozen=True, kw_only=True):
    """`subscriptions/listen` (2026-07-28)."""

    notifications: ListenFilter


class TaskParams(Wire, frozen=True, kw_only=True):
    """`tasks/get` and `tasks/cancel` (extension `io.modelcontextprotocol/tasks`)."""

    task_id: TaskId


class UpdateTaskParams(Wire, frozen=True, kw_only=True):
    """`tasks/update`: answers to what a task asks, by the keys it asked under."""

    task_id: TaskId
    input_responses: dict[str, Json]


class CancelledParams(Wire, frozen=True, kw_only=True):
    """`notifications/cancelled`."""

    request_id: str | int
    reason: str | UnsetType = UNSET


class ProgressParams(Wire, frozen=True, kw_only=True):
    """`notifications/progress`; `message` since 2025-03-26."""

    progress_token: ProgressToken
    progress: float
    total: float | UnsetType | None = UNSET
    message: str | UnsetType | None = UNSET


class ResourceUpdatedParams(Wire, frozen=True, kw_only=True):
    """`notifications/resources/updated`; `_meta` carries the subscription id in the modern era."""

    uri: str
    meta: dict[str, Json] | UnsetType = msgspec.field(default=UNSET, name="_meta")


class LogParams(Wire, frozen=True, kw_only=True):
    """`notifications/message`."""

    level: LogLevel
    data: Json
    logger: str | UnsetType = UNSET
    meta: dict[str, Json] | UnsetType = msgspec.field(default=UNSET, name="_meta")


META_PREFIX = "io.modelcontextprotocol/"
META_VERSION = META_PREFIX + "protocolVersion"
META_CAPABILITIES = META_PREFIX + "clientCapabilities"
META_CLIENT_INFO = META_PREFIX + "clientInfo"
META_LOG_LEVEL = META_PREFIX + "logLevel"
META_SERVER_INFO = META_PREFIX + "serverInfo"
META_SUBSCRIPTION = META_PREFIX + "subscriptionId"
META_PROGRESS = "mcp-workbench/progress"
"""Ours, in what is seen of a task: its progress as numbers, in the shape of `notifications/progress`."""
TASKS = META_PREFIX + "tasks"
"""The extension for tasks (SEP-2663), as both sides declare it under `extensions`."""


class RequestMeta(Wire, frozen=True, kw_only=True):
    """`params._meta` of a request, as far as the protocol reads it. The first three are the modern envelope."""

    protocol_version: str | UnsetType = msgspec.field(default=UNSET, name=META_VERSION)
    client_capabilities: ClientCapabilities | UnsetType = msgspec.field(default=UNSET, name=META_CAPABILITIES)
    client_info: Implementation | UnsetType = msgspec.field(default=UNSET, name=META_CLIENT_INFO)
    log_level: LogLevel | UnsetType = msgspec.field(default=UNSET, name=META_LOG_LEVEL)
    progress_token: ProgressToken | UnsetType = msgspec.field(default=UNSET, name="progressToken")
    traceparent: Json | UnsetType = msgspec.field(default=UNSET, name="traceparent")
    """Not of MCP's own: whatever else than a text stands there is nobody's mistake that a call should fail for."""


# --- results ----------------------------------------------------------------------------------------------


class Result(Wire, frozen=True, kw_only=True):
    """Base of results. The Peer adds what the modern era demands (`resultType`, `_meta.serverInfo`)."""

    meta: dict[str, Json] | UnsetType = msgspec.field(default=UNSET, name="_meta")


class EmptyResult(Result, frozen=True, kw_only=True):
    """`{}`."""


class InitializeResult(Result, frozen=True, kw_only=True):
    """Answer to `initialize`."""

    protocol_version: str
    capabilities: ServerCapabilities
    server_info: Implementation
    instructions: str | UnsetType = UNSET


class CacheableResult(Result, frozen=True, kw_only=True):
    """A result that says how long it may be kept; the Peer fills both in for the modern era, where they are required."""

    ttl_ms: int | UnsetType = UNSET
    cache_scope: Literal["public", "private"] | UnsetType = UNSET


class DiscoverResult(CacheableResult, frozen=True, kw_only=True):
    """Answer to `server/discover` (2026-07-28)."""

    supported_versions: list[str]
    capabilities: ServerCapabilities
    instructions: str | UnsetType = UNSET


class ListToolsResult(CacheableResult, frozen=True, kw_only=True):
    """Answer to `tools/list`."""

    tools: list[Tool]
    next_cursor: str | UnsetType = UNSET


class ListResourcesResult(CacheableResult, frozen=True, kw_only=True):
    """Answer to `resources/list`."""

    resources: list[Resource]
    next_cursor: str | UnsetType = UNSET


class ListResourceTemplatesResult(CacheableResult, frozen=True, kw_only=True):
    """Answer to `resources/templates/list`."""

    resource_templates: list[ResourceTemplate]
    next_cursor: str | UnsetType = UNSET


class ListPromptsResult(CacheableResult, frozen=True, kw_only=True):
    """Answer to `prompts/list`."""

    prompts: list[Prompt]
    next_cursor: str | UnsetType = UNSET


class ReadResourceResult(CacheableResult, frozen=True, kw_only=True):
    """Answer to `resources/read`."""

    contents: list[ResourceContents]


class CallToolResult(Result, frozen=True, kw_only=True):
    """Answer to `tools/call`; what the model can act on comes as `is_error` with a sentence."""

    content: list[Content]
    structured_content: Json | UnsetType = UNSET
    """2025-06-18: an object; 2026-07-28: any JSON value, null included."""
    is_error: bool = False


class GetPromptResult(Result, frozen=True, kw_only=True):
    """Answer to `prompts/get`."""

    messages: list[PromptMessage]
    description: str | UnsetType = UNSET


class InputRequest(Wire, frozen=True, kw_only=True):
    """What a call needs to know of its client (2026-07-28): an elicitation, a sampling or a look at its roots."""

    method: str
    params: dict[str, Json]


class InputRequiredResult(Result, frozen=True, kw_only=True):
    """Answer to `tools/call`, `prompts/get` or `resources/read`: ask again, with the answers and this state (2026-07-28)."""

    input_requests: dict[str, InputRequest]
    request_state: str


class RpcError(Wire, frozen=True, kw_only=True):
    """A JSON-RPC error as part of a result."""

    code: int
    message: str
    data: Json | UnsetType = UNSET


TaskStatus = Literal["working", "input_required", "completed", "failed", "cancelled"]


class Task(Result, frozen=True, kw_only=True):
    """A call that goes on after it was answered: answer to `tasks/get`, and params of `notifications/tasks` (SEP-2663)."""

    task_id: str
    status: TaskStatus
    created_at: str
    last_updated_at: str
    ttl_ms: int | None
    """Milliseconds from its creation for which it is kept; null: no end is set yet."""
    poll_interval_ms: int | UnsetType = UNSET
    status_message: str | UnsetType = UNSET
    input_requests: dict[str, Json] | UnsetType = UNSET
    """Of one that waits for its client: everything it asks."""
    result: Json | UnsetType = UNSET
    """Of a completed one: what the call would have been answered with."""
    error: RpcError | UnsetType = UNSET
    """Of a failed one: the error that the call would have been answered with."""


class CreateTaskResult(Task, frozen=True, kw_only=True):
    """Answer to `tools/call`: it goes on as this task (SEP-2663)."""


class ElicitResult(Result, frozen=True, kw_only=True):
    """A client's answer to `elicitation/create` (2025-06-18)."""

    action: str
    content: dict[str, Json] | UnsetType = UNSET


class CreateMessageResult(Result, frozen=True, kw_only=True):
    """A client's answer to `sampling/createMessage`."""

    role: str
    content: Json
    model: str
    stop_reason: str | UnsetType = UNSET


class Root(Wire, frozen=True, kw_only=True):
    """One of a client's roots."""

    uri: str
    name: str | UnsetType = UNSET


class ListRootsResult(Result, frozen=True, kw_only=True):
    """A client's answer to `roots/list`."""

    roots: list[Root]


class CompletionValues(Wire, frozen=True, kw_only=True):
    """At most 100 values."""

    values: list[str]
    total: int | UnsetType = UNSET
    has_more: bool | UnsetType = UNSET


class CompleteResult(Result, frozen=True, kw_only=True):
    """Answer to `completion/complete`."""

    completion: CompletionValues
