"""`tasks/get`, `tasks/update`, `tasks/cancel`, and who is told of a task (extension `io.modelcontextprotocol/tasks`, SEP-2663).

Which calls become tasks is decided in `tools.py`: those that would be answered early, where the client has declared the
extension with the call. All three methods look things up and are answered in order; none runs anything. A task that is
unknown, given up or somebody else's is one and the same to whoever asks.
"""

from __future__ import annotations

import asyncio
import logging

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.task import Task
from mcp_workbench.serving.task_memory import TaskMemory
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.sessions.session import Session
from mcp_workbench.telemetry.records import CallRecord

logger = logging.getLogger("mcp_workbench")

NEEDED: dict[str, wire.Json] = {"extensions": {wire.TASKS: {}}}
"""What a client must declare, as on the wire."""

SAID_EVERY_S = 0.5
"""What a task's function says is told this often at most."""


class Tasks:
    """Answers the methods of one server, and tells those that listen. The protocol loop's thread only.

    Args:
        memory: The tasks there are.
        limits: `max_result_bytes` is used.
    """

    def __init__(self, memory: TaskMemory, limits: Limits) -> None:
        self._memory = memory
        self._limits = limits
        self._sessions: Sessions | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: dict[Task, None] = {}
        self._later: dict[Task, asyncio.TimerHandle] = {}
        """Those whose function has said something, which is told before long."""

    def get(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`tasks/get`."""
        task = self._asked_for(session, exchange, record)
        if task.job.over:
            task.job.note_fetched()
        return task.shown(session.peer.room(exchange))

    def update(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`tasks/update`: the answers reach the call before this is answered."""
        self._asked_for(session, exchange, record).update(exchange.params.input_responses)
        return wire.EmptyResult()

    def cancel(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`tasks/cancel`; one that has ended stays as it is."""
        task = self._asked_for(session, exchange, record)
        self._memory.jobs.cancel(task.job, "its client asked for it with tasks/cancel")
        return wire.EmptyResult()

    def _asked_for(self, session: Session, exchange: Exchange, record: CallRecord) -> Task:
        check_declared(exchange)
        task_id: str = exchange.params.task_id
        task = self._memory.find(session.principal.name, task_id)
        if task is None:
            raise RemoteProtocolError(
                ErrorCode.INVALID_PARAMS,
                f"Invalid params: no task {task_id[:40]!r} of yours is kept. A task that has ended is kept for an hour after it was "
                "fetched, for a day at most, and none beyond a restart of the kernel. Make the call again.",
            )
        record.target = task.job.id  # not the task's id: whoever has that may answer and cancel it
        return task

    # --- telling -----------------------------------------------------------------------------------------

    def connect(self, sessions: Sessions, loop: asyncio.AbstractEventLoop) -> None:
        """From now on tell the listens of these sessions."""
        self._sessions, self._loop = sessions, loop
        self._memory.on_change.append(self._changed)
        self._memory.on_said.append(self._said)

    def close(self) -> None:
        """Tell nobody any more."""
        if self._changed in self._memory.on_change:
            self._memory.on_change.remove(self._changed)
            self._memory.on_said.remove(self._said)
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()

    def followed(self, exchange: Exchange, principal: str, task_ids: list[str]) -> list[Task]:
        """Those of the tasks a listen names that there are for this principal.

        Raises:
            RemoteProtocolError: -32021, the client has not declared that it takes tasks.
        """
        check_declared(exchange)
        found = (self._memory.find(principal, task_id) for task_id in dict.fromkeys(task_ids))
        return [task for task in found if task is not None]

    def follow(self, session: Session, exchange: Exchange, tasks: list[Task]) -> None:
        """A listen was acknowledged: tell it how its tasks stand, now and when that changes."""
        for task in tasks:
            if self._sessions is not None:
                self._sessions.follow_task(session, task.id)
            session.notify_task(self._told(task), exchange.id)

    def _changed(self, task: Task) -> None:
        if (timer := self._later.pop(task, None)) is not None:
            timer.cancel()  # what it has said is told with this
        # In the next turn of the loop: what changes together is told once, and after the answer to what changed it.
        if self._loop is not None and not self._due:
            self._loop.call_soon(self._tell)
        self._due[task] = None

    def _said(self, task: Task) -> None:
        if self._loop is not None and self._sessions is not None and task not in self._later and self._sessions.task_followed(task.id):
            self._later[task] = self._loop.call_later(SAID_EVERY_S, self._changed, task)

    def _tell(self) -> None:
        due, self._due = self._due, {}
        for task in due:
            if self._sessions is not None and self._sessions.task_followed(task.id):
                self._sessions.task_changed(self._told(task))

    def _told(self, task: Task) -> wire.Task:
        if task.job.over:
            task.job.note_fetched()  # its listener has the result
        return task.shown(self._limits.max_result_bytes)


def check_declared(exchange: Exchange) -> None:
    """Refuse whoever has not declared, with this very request, that it takes tasks.

    Raises:
        RemoteProtocolError: -32021.
    """
    if not exchange.client.takes_tasks:
        raise undeclared(f"{exchange.method} is of the extension {wire.TASKS}, which this request has not declared")


def undeclared(sentence: str) -> RemoteProtocolError:
    """The error for a client that does not take tasks."""
    return RemoteProtocolError(ErrorCode.MISSING_CLIENT_CAPABILITY, sentence, {"requiredCapabilities": NEEDED})
