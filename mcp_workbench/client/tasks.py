"""A call that its server answered with a task (SEP-2663), until it has ended.

The caller of `call_tool` sees none of this: it gets the result, however long that takes. A listen tells how the task stands;
where the server has none for it, or a listen is silent for long, `tasks/get` asks. What the task asks is answered by the
same handlers as everything else a server may ask, each key once. Who stops waiting takes the work back with `tasks/cancel`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.client import rounds
from mcp_workbench.client.conversation import Conversation
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


class Follower:
    """Follows one task.

    Args:
        conversation: Where to ask.
        feeds: Where to listen.
        handlers: Answer what the task asks.
        timeout_s: Seconds for each answer of the server; the task itself may take as long as it takes.
        meta: `_meta` of each request.
    """

    def __init__(self, conversation: Conversation, feeds: ModernFeeds, handlers: Handlers, timeout_s: float, meta: dict[str, Any]) -> None:
        self._conversation = conversation
        self._feeds = feeds
        self._handlers = handlers
        self._timeout_s = timeout_s
        self._meta = meta
        self._answered: set[str] = set()

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
        except BaseException:
            self._take_back(task.task_id)
            raise
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
                if task.input_requests is not UNSET:
                    await self._answer(task.task_id, task.input_requests)
                task = await self._told(updates) or await self._look(task, pause=updates.ended)
        finally:
            await updates.aclose()
        return task

    async def _told(self, updates: Updates[wire.Task]) -> wire.Task | None:
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


def _question(wanted: Any) -> rounds.InputRequest:
    try:
        return msgspec.convert(wanted, rounds.InputRequest)
    except msgspec.ValidationError as error:
        raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"What the server's task asks has the wrong shape: {error}") from None
