"""The exceptions of the workbench, named by whose fault they are.

Everyone may import this module; it imports nothing of the package. The table that says which
situation ends in which exception, code or result is docs/errors.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_one_line(*kinds: type[Exception]) -> Iterator[None]:
    """Around what raises these for mistakes of its caller and nothing else: a notebook shows what is wrong, and no lines of ours."""
    try:
        yield
    except kinds as error:
        line = f"{type(error).__name__}: {error}"
        error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]  # IPython asks for this
        raise


class WorkbenchError(Exception):
    """Base of every exception the workbench raises on purpose."""


class LocalProtocolError(WorkbenchError):
    """Our own code used the protocol wrongly: a bug on this side."""


class RemoteProtocolError(WorkbenchError):
    """The other side broke the protocol; carries the JSON-RPC error it is answered with."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class PeerError(WorkbenchError):
    """The other side answered a request of ours with a JSON-RPC error.

    Attributes:
        code: The JSON-RPC error code.
        message: The other side's sentence.
        data: Whatever it added; `None` when absent.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class ConnectionClosed(WorkbenchError):
    """The connection is gone, cleanly or not.

    Attributes:
        code: WebSocket close code; 1006 when the other side vanished without one.
        reason: The closing side's words; may be empty.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"connection closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class HandshakeRefused(ConnectionClosed):
    """The server refused the WebSocket handshake.

    Attributes:
        status: HTTP status of the refusal, for instance 401 for a missing or wrong token.
        reason: What the server said and what to do, as a sentence, which is the same over HTTP.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(1006, reason)
        self.status = status

    def __str__(self) -> str:
        return self.reason


class RequestRefused(HandshakeRefused):
    """An HTTP server refused what this client is, or what it asks: no access, nothing there, or its session has ended.

    Attributes:
        status: HTTP status of the refusal: 401, 403, 404 …
        code: 1008; 1001 where a session has ended.
        reason: What the server said and what to do, as a sentence.
    """

    def __init__(self, status: int, code: int, reason: str) -> None:
        ConnectionClosed.__init__(self, code, reason)
        self.status = status


class SlowConsumer(WorkbenchError):
    """The other side stopped reading: its connection or stream was ended."""


class ToolError(WorkbenchError):
    """Raised by a tool's author: the text is meant for the model and becomes an `isError` result."""


class NotAnswered(ToolError):
    """Raised inside a tool by `ctx.elicit()` and the like: the client cannot be asked, or gave no answer that fits.

    Attributes:
        required_capabilities: What the client would have had to declare, as on the wire; None when that is not the reason.
    """

    def __init__(self, sentence: str, required_capabilities: dict[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.required_capabilities = required_capabilities


class Cancelled(WorkbenchError):
    """Raised inside a tool by `ctx.check_cancelled()` once the client has cancelled the call."""


class CallTimedOut(WorkbenchError):
    """The call ran longer than its `timeout_s`."""


class KernelBusy(WorkbenchError):
    """The kernel could not take the call: every queue it may wait in is full."""


class RegistrationError(WorkbenchError, ValueError):
    """A tool, resource, prompt or DataFrame cannot be offered as written; shows function, parameter and value."""
