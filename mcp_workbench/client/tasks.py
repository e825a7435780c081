"""A call that its server answered with a task (SEP-2663), until it has ended.

The caller of `call_tool` sees none of this: it gets the result, however long that takes. A listen tells how the task stands;
where the server has none for it, or a listen is silent for long, `tasks/get` asks. What the task asks is answered by the
same handlers as everything else a server may ask, each key once. Who stops waiting takes the work back with `tasks/cancel`.

A task has no `notifications/progress` (the extension forbids them); its `statusMessage` is for "progress descriptions". So
whoever wants progress is given that as its message, and the numbers that our own servers tell beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.client import rounds
from mcp_workbench.client.conversation import MAX_PROGRESS, Conversation
from mcp_workbench.client.courier import Courier
from mcp_workbench.client.handlers import Handlers
from mcp_workbench.client.listens import ModernFeeds
from mcp_workbench.client.results import read_result
from mcp_workbench.client.updates import Updates
from mcp_workbench.errors import CallTimedOut, PeerError, RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire

OVER = frozenset({"completed", "failed", "cancelled"})
POLL_S = 1.0
"""Pause between two looks where the server advises none."""
LONGEST_SILENCE_S = 60.0
"""After which a listen that says nothing is checked by a look."""


class _Progress(wire.Wire, frozen=True, kw_only=True):
    """What our own servers tell as numbers; of others, only the words."""

    progress: float = 0.0
    total: float | None = None
    message: str | None = None


class Follower:
    """Follows one task.

    Args:
        conversation: Where to ask.
        feeds: Where to listen.
        handlers: Answer what the task asks.
        timeout_s: Seconds for each answer of the server; the task itself may take as long as it takes.
        meta: `_meta` of each request.
        on_progress: Called with progress, total and message of the running task each time they are others; of a server that tells
            no numbers with 0, None and the task's `statusMessage`.
    """

    def __init__(
        self,
        conversation: Conversation,
        feeds: ModernFeeds,
        handlers: Handlers,
        timeout_s: float,
        meta: dict[str, Any],
        on_progress: Callable[..., Any] | None = None,
    ) -> None:
        self._conversation = conversation
        self._feeds = feeds
        self._handlers = handlers
        self._timeout_s = timeout_s
        self._meta = meta
        self._answered: set[str] = set()
        self._courier = None if on_progress is None else Courier(on_progress, "on_progress", MAX_PROGRESS)
        self._told_progress: _Progress | None = None

    async def result(self, created: dict[str, Any]) -> dict[str, Any]:
        """What the call comes to.

        Args:
            created: The result of type `task`.

        Returns:
            The call's result; of a task that was cancelled elsewhere, one with `isError` that says so.

        Raises:
            PeerError: The call failed with this error, or the server knows the task no longer.
            Exception: Whatever a handler raises; the task is cancelled then.
        """
        task = read_result("tools/call", created, wire.Task)
        try:
            task = await self._until_over(task)
            if self._courier is not None:
                await self._courier.finish(self._timeout_s)
        except BaseException:
            self._take_back(task.task_id)
            raise
        finally:
            if self._courier is not None:
                self._courier.stop()
        if task.status == "cancelled":
            said = task.status_message or "The task was cancelled."
            return {"content": [{"type": "text", "text": said}], "isError": True}
        if task.status == "failed":
            error = task.error or wire.RpcError(code=ErrorCode.INTERNAL_ERROR, message="The task failed without an error")
            raise PeerError(error.code, error.message, None if error.data is UNSET else error.data)
        if not isinstance(task.result, dict):
            raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, "The server's task has completed without a result")
        return task.result

    async def _until_over(self, task: wire.Task) -> wire.Task:
        updates = Updates(self._feeds.task(task.task_id))
        try:
            # A server need not tell by itself how a task stands.
            with suppress(PeerError, CallTimedOut, RemoteProtocolError):
                await updates.__aenter__()
            while task.status not in OVER:
                self._tell_progress(task)
                if task.input_requests is not UNSET:
                    await self._answer(task.task_id, task.input_requests)
                task = await self._news(updates) or await self._look(task, pause=updates.ended)
        finally:
            await updates.aclose()
        return task

    def _tell_progress(self, task: wire.Task) -> None:
        progress = _progress_of(task)
        if self._courier is not None and progress is not None and progress != self._told_progress:
            self._told_progress = progress
            self._courier.deliver(progress.progress, progress.total, progress.message)

    async def _news(self, updates: Updates[wire.Task]) -> wire.Task | None:
        """The next news; None when there are none for long, or nothing more is told."""
        if updates.ended:
            return None
        try:
            async with asyncio.timeout(LONGEST_SILENCE_S):
                return await anext(updates)
        except (TimeoutError, StopAsyncIteration, PeerError):
            return None

    async def _look(self, task: wire.Task, *, pause: bool) -> wire.Task:
        if pause:
            await asyncio.sleep(POLL_S if task.poll_interval_ms is UNSET else task.poll_interval_ms / 1000)
        result = await self._request("tasks/get", {"taskId": task.task_id})
        return read_result("tasks/get", result, wire.Task)

    async def _answer(self, task_id: str, asked: dict[str, Any]) -> None:
        new = {key: _question(wanted) for key, wanted in asked.items() if key not in self._answered}
        if not new:
            return
        self._answered.update(new)
        responses = {key: await rounds.answer(self._handlers, wanted) for key, wanted in new.items()}
        await self._request("tasks/update", {"taskId": task_id, "inputResponses": responses})

    async def _request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return await self._conversation.request(method, params | {"_meta": self._meta}, timeout_s=self._timeout_s)

    def _take_back(self, task_id: str) -> None:
        if not self._conversation.closed:
            self._conversation.tell("tasks/cancel", {"taskId": task_id, "_meta": self._meta}, timeout_s=self._timeout_s)


def _progress_of(task: wire.Task) -> _Progress | None:
    told = {} if task.meta is UNSET else task.meta
    with suppress(msgspec.ValidationError):  # it is a hint of ours: one that is none leaves the words
        if wire.META_PROGRESS in told:
            return msgspec.convert(told[wire.META_PROGRESS], _Progress)
    return None if task.status_message is UNSET else _Progress(message=task.status_message)


def _question(wanted: Any) -> rounds.InputRequest:
    try:
        return msgspec.convert(wanted, rounds.InputRequest)
    except msgspec.ValidationError as error:
        raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"What the server's task asks has the wrong shape: {error}") from None
