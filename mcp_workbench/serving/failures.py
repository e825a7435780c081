"""What an exception of user code becomes: a sentence for the model, a traceback for the author.

Runs on the thread that ran the code, because asking an exception for its text runs code of its class.
The model is told type, message and the author's own function and line; the traceback stays in the call
record.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any

from mcp_workbench.errors import Cancelled, NotAnswered, ToolError
from mcp_workbench.telemetry.records import freeze_exception

MAX_MESSAGE_CHARS = 2000
UNWRITABLE = "The result could not be written as JSON: it holds text that is not Unicode, or an object. Its author can correct this."
"""What is told in place of a result that no JSON can carry."""


class Failure(Exception):  # carries what is left of another exception
    """A failed run of user code, reduced to texts."""

    def __init__(self, sentence: str, frozen: traceback.TracebackException | None, *, is_mistake: bool = False) -> None:
        super().__init__(sentence)
        self.required_capabilities: dict[str, Any] | None = None
        """What its client would have had to declare, when it failed for that."""
        self.sentence = sentence
        self.frozen = frozen
        """For the call record; None where there is nothing to look up."""
        self.is_mistake = is_mistake
        """Whether the code said so to its caller on purpose, and is not at fault itself."""


def failure_of(error: BaseException, function: Callable[..., Any], *, on_main: bool = False) -> Failure:
    """Reduce an exception.

    Args:
        error: What `function` raised.
        function: The author's function, to find its line in the traceback.
        on_main: It ran on the notebook's main thread, where an interrupt is the person's.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, ToolError):
        # The author, or the workbench itself, wrote this text for the model.
        failure = Failure(_cut(_text_of(error)), _frozen(error), is_mistake=True)
        failure.required_capabilities = error.required_capabilities if isinstance(error, NotAnswered) else None
        return failure
    if isinstance(error, Cancelled):
        return Failure("The call was cancelled.", None)
    place = _place(error, function)
    message = _cut(_text_of(error))
    if on_main and isinstance(error, KeyboardInterrupt):
        message = message or "the person interrupted it"
    return Failure(f"{type(error).__name__}: {message}{place}" if message else f"{type(error).__name__}{place}", _frozen(error))


def _frozen(error: BaseException) -> traceback.TracebackException | None:
    try:
        return freeze_exception(error)
    except BaseException:  # noqa: BLE001  # an exception whose own __str__ raises has no printable traceback
        return None


def _text_of(error: BaseException) -> str:
    try:
        # A plain str, whatever subclass came, and without lone surrogates, which no JSON can carry.
        return str.__str__(str(error)).encode("utf-8", "replace").decode()
    except BaseException:  # noqa: BLE001  # user code: __str__ may raise anything, SystemExit and the exception itself included
        return "(its message could not be read)"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE_CHARS else f"{text[:MAX_MESSAGE_CHARS]} … ({len(text):,} characters in all)"


def _place(error: BaseException, function: Callable[..., Any]) -> str:
    """` (in top_routes, line 4)`: the innermost line of the author's own function, else of its file."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    own: tuple[str, int] | None = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code is code or frame.f_code.co_filename == code.co_filename:
            own = (frame.f_code.co_name, line)
    return f" (in {own[0]}, line {own[1]})" if own else ""
