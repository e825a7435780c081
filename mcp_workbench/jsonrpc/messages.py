"""What one text can mean: five kinds of message, a batch of them, or something malformed."""

from __future__ import annotations

from typing import Any

import msgspec

RequestId = str | int
"""MCP: a string or an integer, never null; echoed with its exact type."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """Wants an answer."""

    id: RequestId
    method: str
    params: dict[str, Any] | None = None


class Notification(msgspec.Struct, frozen=True, gc=False):
    """Is never answered, not even with an error."""

    method: str
    params: dict[str, Any] | None = None


class ResultResponse(msgspec.Struct, frozen=True, gc=False):
    """Answers a request of ours."""

    id: RequestId
    result: dict[str, Any]


class ErrorResponse(msgspec.Struct, frozen=True, gc=False):
    """Answers a request of ours with an error; `id` is None when the other side could not tell which."""

    id: RequestId | None
    code: int
    message: str
    data: Any = None


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A text, or an entry of a batch, that is no message."""

    code: int
    """What to answer: PARSE_ERROR or INVALID_REQUEST."""
    reason: str
    """What was expected and what came; never quotes the text."""
    id: RequestId | None = None
    """The id to answer to, where one could be read."""
    answerable: bool = True
    """False for a broken notification or response: those are counted, never answered."""


Message = Request | Notification | ResultResponse | ErrorResponse


class Batch(msgspec.Struct, frozen=True):
    """A JSON array of messages (2025-03-26 only; the peer decides whether it is welcome)."""

    entries: tuple[Message | Malformed, ...]
