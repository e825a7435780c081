"""What the extension `io.modelcontextprotocol/tasks` lets a server write, as models that take nothing else.

`mcp-types` has the tasks of 2025-11-25, which are others; so the schema of the extension stands here.
Source: https://github.com/modelcontextprotocol/ext-tasks, schema/2026-07-28/schema.ts.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from mcp_workbench.protocol import wire

Message = dict[str, Any]
METHODS = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})
NOTIFICATION = "notifications/tasks"


def _is_iso(text: str) -> str:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text
    return text


Moment = Annotated[str, AfterValidator(_is_iso)]
Milliseconds = Annotated[int, Field(gt=0, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Task(_Strict):
    """What every form of a task has."""

    taskId: str  # noqa: N815  # as on the wire
    createdAt: Moment  # noqa: N815
    lastUpdatedAt: Moment  # noqa: N815
    ttlMs: Milliseconds | None  # noqa: N815
    pollIntervalMs: Milliseconds | None = None  # noqa: N815
    statusMessage: str | None = None  # noqa: N815


class CreateTaskResult(Task):
    status: Literal["working", "input_required", "completed", "cancelled", "failed"]


class WorkingTask(Task):
    status: Literal["working"]


class InputRequest(_Strict):
    method: Literal["elicitation/create", "sampling/createMessage", "roots/list"]
    params: Message


class InputRequiredTask(Task):
    status: Literal["input_required"]
    inputRequests: Annotated[dict[str, InputRequest], Field(min_length=1)]  # noqa: N815


class CallToolResult(_Strict):
    content: list[Message]
    structuredContent: Any = None  # noqa: N815
    isError: bool = False  # noqa: N815
    meta: Message | None = Field(default=None, alias="_meta")


class CompletedTask(Task):
    status: Literal["completed"]
    result: CallToolResult


class RpcError(_Strict):
    code: int
    message: str
    data: Any = None


class FailedTask(Task):
    status: Literal["failed"]
    error: RpcError


class CancelledTask(Task):
    status: Literal["cancelled"]


_DETAILED: TypeAdapter[Any] = TypeAdapter(
    Annotated[WorkingTask | InputRequiredTask | CompletedTask | FailedTask | CancelledTask, Field(discriminator="status")]
)


def check_result(method: str, result: Message) -> None:
    """Read the result of `tools/call` that is a task, or of one of the extension's methods."""
    kind = result["resultType"]
    assert result["_meta"][wire.META_SERVER_INFO]["name"] == "mcp-workbench"
    body = {key: value for key, value in result.items() if key not in ("resultType", "_meta")}
    if method == "tools/call":
        assert kind == "task"
        CreateTaskResult.model_validate(body)
        return
    assert kind == "complete"
    if method == "tasks/get":
        _DETAILED.validate_python(body)
    else:
        assert body == {}, "an acknowledgement is empty"


def check_notification(params: Message) -> None:
    """Read the params of `notifications/tasks`."""
    assert params["_meta"].keys() - {wire.META_PROGRESS} == {wire.META_SUBSCRIPTION}
    _DETAILED.validate_python({key: value for key, value in params.items() if key != "_meta"})
