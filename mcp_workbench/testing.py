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

import msgspec

from mcp_workbench.client.connect import connect
from mcp_workbench.client.handlers import Handlers
from mcp_workbench.engine import Engine
from mcp_workbench.errors import PeerError, RemoteProtocolError
from mcp_workbench.exploring.comparing.answers import Volatile, answered, refused
from mcp_workbench.exploring.comparing.contract import promise_of, tools_of
from mcp_workbench.exploring.comparing.playing import Playing
from mcp_workbench.exploring.comparing.questions import Question
from mcp_workbench.exploring.comparing.verification import DifferentError
from mcp_workbench.protocol import wire
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
            replaced by one word. In questions of the server's too, as `message`.
        asks: What the server is told that its client can be asked, as capabilities: `{"elicitation": {"form": {}}, "roots": {}}`. The
            answers are given with each call.

    Raises:
        ValueError: There is no address, or a place cannot be read.
    """

    def __init__(
        self,
        where: str | Secret | Sequence[str] | None,
        *,
        token: str | Secret | None = None,
        volatile: Iterable[str] = (),
        asks: Mapping[str, Any] | None = None,
    ) -> None:
        where, token = hidden(where) if isinstance(where, str) else where, hidden(token)
        if not where or (isinstance(where, Secret) and not where.reveal()):
            raise ValueError("the server to test is not known: set MCP_SERVER to its address, and MCP_SERVER_TOKEN to its token")
        self._volatile = Volatile(volatile)
        self._opening = connect(where, token=token)
        self._abilities = msgspec.convert(asks or {}, wire.ClientCapabilities)
        self._opening.answered_by(self._play)
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

    def call(self, tool: str, arguments: Mapping[str, Any] | None = None, *, answers: Iterable[Mapping[str, Any]] = ()) -> Any:
        """Call a tool; see `ask`."""
        return self.ask("tools/call", {"name": tool, "arguments": dict(arguments or {})}, answers=answers)

    def ask(self, method: str, params: Mapping[str, Any] | None = None, *, answers: Iterable[Mapping[str, Any]] = ()) -> Any:
        """Make any request.

        Args:
            method: Its method.
            params: Its params.
            answers: To what the server asks meanwhile, `{"method": "elicitation/create", "params": {…}, "result": {…}}` each, or
                `"error": {"code": …, "message": …}` in place of the result. Matched by method and params, equal ones in their order.

        Returns:
            The result, or `{"error": {"code": …, "message": …}}`.

        Raises:
            DifferentError: The server asked something that has no answer here; an AssertionError that says what.
        """
        questions = [_question(each) for each in answers]
        return self._engine.run(self._ask(method, dict(params or {}), questions), timeout_s=WITHIN_S)

    def _play(self, own: Handlers) -> Playing:
        self._playing = Playing(own, self._abilities, self._volatile)
        return self._playing

    async def _ask(self, method: str, params: dict[str, Any], questions: list[Question]) -> Any:
        self._playing.begin(questions, self._session.era)
        try:
            answer = answered(await self._session.ask(method, params), self._volatile)
        except PeerError as error:
            answer = refused(error.code, error.message, self._volatile)
        except RemoteProtocolError:
            if self._playing.lacked is None:
                raise
        if self._playing.lacked is not None:
            raise DifferentError(f"the server asked what this test has no answer to: {self._playing.lacked}")
        return answer

    def promise(self, tool: str) -> dict[str, Any] | None:
        """What a tool promises: its schemas without the texts in them, and its annotations; None: there is no such tool."""
        listed = tools_of(self._engine.run(self._session.list_tools(), timeout_s=WITHIN_S)).get(tool)
        return None if listed is None else promise_of(listed)


def _question(answer: Mapping[str, Any]) -> Question:
    error = answer.get("error")
    refused = None if error is None else (error["code"], error["message"], None)
    return Question(answer["method"], dict(answer.get("params") or {}), answer.get("result"), refused)
