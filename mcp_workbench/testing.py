"""A live server in plain tests: what the files that `to_test` writes are made with, and tests by hand may be.

    with Server(["python", "server.py"]) as server:
        assert server.call("add", {"a": 1, "b": 2})["structuredContent"] == {"result": 3}

Answers come as they are compared (`exploring.comparing.answers`): without what belongs to the conversation or differs every time.
Needs no pytest; what it says of the server are literals in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from mcp_workbench.client.connect import connect
from mcp_workbench.engine import Engine
from mcp_workbench.errors import PeerError
from mcp_workbench.exploring.comparing.answers import Volatile, answered
from mcp_workbench.exploring.comparing.contract import promise_of, tools_of
from mcp_workbench.secret import Secret, hidden

THREAD_NAME = "mcp-workbench-testing"
WITHIN_S = 600.0
"""Longest wait for the loop; the session's own bounds are much shorter, but a task is followed until it has ended."""


class Server:
    """One session with a server, for tests that are no coroutines. From one thread.

    Args:
        where: Its address, or the command that starts it.
        token: Shown to an address.
        volatile: Places in answers that differ every time, as `structuredContent.now` or `content[*].text`: what stands there is
            replaced by one word.

    Raises:
        ValueError: There is no address, or a place cannot be read.
    """

    def __init__(
        self, where: str | Secret | Sequence[str] | None, *, token: str | Secret | None = None, volatile: Iterable[str] = ()
    ) -> None:
        where, token = hidden(where) if isinstance(where, str) else where, hidden(token)
        if not where or (isinstance(where, Secret) and not where.reveal()):
            raise ValueError("the server to test is not known: set MCP_SERVER to its address, and MCP_SERVER_TOKEN to its token")
        self._volatile = Volatile(volatile)
        self._opening = connect(where, token=token)
        self._engine = Engine(name=THREAD_NAME)

    def __enter__(self) -> Self:
        """Connect."""
        self._engine.start()
        try:
            self._session = self._engine.run(self._open(), timeout_s=WITHIN_S)
        except BaseException:
            self._engine.stop()
            raise
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            self._engine.run(self._session.close())
        finally:
            self._engine.stop()

    async def _open(self) -> Any:
        return await self._opening

    def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Call a tool; a result, or `{"error": {"code": …, "message": …}}`."""
        return self.ask("tools/call", {"name": tool, "arguments": dict(arguments or {})})

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Make any request; a result, or `{"error": {"code": …, "message": …}}`."""
        return self._engine.run(self._ask(method, dict(params or {})), timeout_s=WITHIN_S)

    async def _ask(self, method: str, params: dict[str, Any]) -> Any:
        try:
            return answered(await self._session.ask(method, params), self._volatile)
        except PeerError as error:
            return self._volatile.without({"error": {"code": error.code, "message": error.message}})

    def promise(self, tool: str) -> dict[str, Any] | None:
        """What a tool promises: its schemas without the texts in them, and its annotations; None: there is no such tool."""
        listed = tools_of(self._engine.run(self._session.list_tools(), timeout_s=WITHIN_S)).get(tool)
        return None if listed is None else promise_of(listed)
