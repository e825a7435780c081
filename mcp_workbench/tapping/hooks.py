"""What may be done to a message that passes a tap: delay it, change it, drop it.

Hooks run in the order they were added, on the tap's own loop, one message after the other in each direction: who blocks
there holds this tap up and nothing else. A hook that raises, whatever it is, changes nothing: the message passes as it was, and
the failure is kept to be shown.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from mcp_workbench.jsonrpc import encode
from mcp_workbench.telemetry.messages import Direction

logger = logging.getLogger("mcp_workbench.tapping")

FAILURES_KEPT = 20

_UNREAD: Any = object()


class Passing:
    """A message on its way through a tap, as a hook sees it."""

    def __init__(self, session_id: str, direction: Direction, text: bytes) -> None:
        self.session_id = session_id
        """`tap1` …"""
        self.direction = direction
        """`in`: from the client to the server; `out`: back."""
        self.text = text
        """As it came, and as it will go on."""
        self.dropped = False
        self._value: Any = _UNREAD

    def __repr__(self) -> str:
        return f"<Passing {self.session_id} {self.direction} {self.method or 'response'} of {len(self.text):,} bytes>"

    @property
    def value(self) -> Any:
        """What it says, as plain JSON values: an object, or a list for a batch. None where it is no JSON.

        Changing it changes nothing: pass what should go on to `change`.
        """
        if self._value is _UNREAD:
            try:
                self._value = msgspec.json.decode(self.text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._value = None
        return self._value

    @property
    def method(self) -> str:
        """The method of a request or notification; empty for responses and batches."""
        method = self.value.get("method") if isinstance(self.value, dict) else None
        return method if isinstance(method, str) else ""

    @property
    def id(self) -> str | int | None:
        """The id of a request or response."""
        return self.value.get("id") if isinstance(self.value, dict) else None

    def change(self, value: Any) -> None:
        """Let something else go on in its place.

        Args:
            value: A JSON value, encoded here; or bytes, which go on as they are.

        Raises:
            TypeError: It has no JSON form.
        """
        self.text = bytes(value) if isinstance(value, bytes | bytearray) else encode(value)
        self._value = _UNREAD

    def drop(self) -> None:
        """Let nothing go on. Whoever waits for it waits: a request that is dropped is never answered."""
        self.dropped = True


Hook = Callable[[Passing], Awaitable[None] | None]
"""Sync or async; what it awaits delays the message and those behind it in the same direction."""


class Hooks:
    """The hooks of one tap. Added from any thread; run on the tap's loop."""

    def __init__(self) -> None:
        self._hooks: dict[Direction, list[Hook]] = {Direction.IN: [], Direction.OUT: []}
        self.failures: deque[str] = deque(maxlen=FAILURES_KEPT)
        """Tracebacks of hooks that raised, the latest last."""
        self.changed = self.dropped = 0

    def add(self, direction: Direction, hook: Hook) -> None:
        """One more, behind those that are there."""
        self._hooks[direction] = [*self._hooks[direction], hook]

    def any(self, direction: Direction) -> bool:
        """Whether there are any for messages in this direction."""
        return bool(self._hooks[direction])

    async def pass_through(self, passing: Passing) -> bytes | None:
        """Run them.

        Returns:
            The text that goes on; None: nothing does.
        """
        before = passing.text
        for hook in self._hooks[passing.direction]:
            await self._run(hook, passing)
            if passing.dropped:
                self.dropped += 1
                return None
        self.changed += passing.text != before
        return passing.text

    async def _run(self, hook: Hook, passing: Passing) -> None:
        text = passing.text
        try:
            awaitable = _called(hook, passing)
            if inspect.isawaitable(awaitable):
                await awaitable
            _check(passing)
        except GeneratorExit:  # this coroutine is closed
            raise
        except BaseException as error:  # a named boundary: user code, which may well say sys.exit() and await what was cancelled
            if isinstance(error, asyncio.CancelledError) and _cancelled_itself():
                raise
            passing.text, passing.dropped = text, False
            self.failures.append(traceback.format_exc())
            logger.exception("a hook of a tap failed; the message passes as it was")


def _called(hook: Hook, passing: Passing) -> Awaitable[None] | None:
    try:
        return hook(passing)
    except GeneratorExit as error:
        raise RuntimeError("the hook raised GeneratorExit") from error


def _check(passing: Passing) -> None:
    if not isinstance(passing.text, bytes):
        kind = type(passing.text).__name__
        raise TypeError(f"a message's text is bytes, and the hook has set it to {kind}: change(value) takes JSON values")


def _cancelled_itself() -> bool:
    """Whether the tap ends, and not only something that a hook has awaited."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
