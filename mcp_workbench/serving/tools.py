"""`tools/list` and `tools/call`."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.runner import Execution
from mcp_workbench.jsonrpc import ErrorCode, encode
from mcp_workbench.primitives import Rendering, RenderRequest, ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.cursors import page
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.catalog import Catalog
from mcp_workbench.serving.function_work import FunctionWork
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Done, Work
from mcp_workbench.telemetry.records import MAX_ARGUMENTS, CallRecord


class Tools:
    """Answers the tools methods.

    Args:
        catalog: The tools on offer.
        rendering: Turns what tools return into content.
        execution: Where tools run.
        news: Where calls wait that have nothing to say yet.
        after_call: Called on the loop thread when a tool has ended, however it ended.
    """

    def __init__(self, catalog: Catalog, rendering: Rendering, execution: Execution, news: News, after_call: Callable[[], None]) -> None:
        self._catalog = catalog
        self._rendering = rendering
        self._execution = execution
        self._news = news
        self._after_call = after_call

    def list(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`tools/list`."""
        tools = self._catalog.list()
        shown, following = page("tools", tools, exchange.params.cursor, key=attrgetter("name"), size=attrgetter("listed_bytes"))
        return wire.ListToolsResult(tools=[tool.listed for tool in shown], next_cursor=following or UNSET)

    def call(self, session: Session, exchange: Exchange, record: CallRecord) -> Work:
        """`tools/call`."""
        params: wire.CallToolParams = exchange.params
        record.target = params.name
        tool = self._catalog.get(params.name)
        if tool is None:
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, self._unknown(params.name))
        record.tool_version, record.defined_at = tool.digest, tool.defined_at
        return ToolWork(self._execution, session, exchange, record, tool, self._rendering, self._news, self._after_call)

    def _unknown(self, name: str) -> str:
        nearest = self._catalog.nearest(name)
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        return f"Unknown tool: {name[:100]}{hint}. tools/list names those there are."


class ToolWork(FunctionWork):
    """One `tools/call`."""

    __slots__ = ("_after_call", "_leave", "_news", "_rendering", "tool")

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        tool: ToolDefinition,
        rendering: Rendering,
        news: News,
        after_call: Callable[[], None],
    ) -> None:
        super().__init__(execution, session, exchange, record, tool)
        self.tool = tool
        self._rendering = rendering
        self._news = news
        self._leave: Callable[[], None] | None = None
        self._after_call = after_call

    def start(self, done: Done) -> None:
        """Run; a call that has nothing to say yet waits first."""
        waiting = None if self.tool.waits is None else self.tool.waits(self._arguments, self.session.principal.name)
        if waiting is None or waiting.ready():
            super().start(done)
        else:
            self._done = done
            self._leave = self._news.wait(waiting, self._go_on)

    def _go_on(self) -> None:
        self._leave = None
        if self._done is not None:
            super().start(self._done)

    def cancel(self, reason: str) -> None:
        """Ask it to end; one that waits has ended."""
        if self._leave is None:
            super().cancel(reason)
            return
        self._leave()
        self._leave = None
        if self._done is not None:
            self._done(None)

    @property
    def _arguments(self) -> dict[str, wire.Json]:
        arguments = self.exchange.params.arguments
        return {} if arguments is UNSET else arguments

    def bind(self, call: Call) -> dict[str, Any]:
        """Validate the arguments and take the snapshots they name."""
        return self.bind_definition(call, self.tool, self._arguments)

    def render(self, value: object) -> wire.CallToolResult:
        """Content, structured content, and which versions were read."""
        request = RenderRequest(tool=self.tool.name, max_chars=self.tool.max_chars, principal=self.session.principal.name)
        rendered = self._rendering.render(value, request, self.tool.output)
        content = list(rendered.content)
        if self.notes:
            content.append(wire.TextContent(text=f"Read: {', '.join(self.notes)}"))
        return wire.CallToolResult(content=content, structured_content=rendered.structured)

    def fail(self, sentence: str, reason: str) -> Answer:
        """An `isError` result: whatever goes wrong with a tool, the model can act on the sentence."""
        arguments = encode(self._arguments)
        self.record.arguments = arguments if len(arguments) <= MAX_ARGUMENTS else None
        return tool_error(sentence)

    def ended(self) -> None:
        """The function may have changed a published DataFrame: somebody should look."""
        self._after_call()


def tool_error(sentence: str) -> wire.CallToolResult:
    """A result that says what went wrong and what to do."""
    return wire.CallToolResult(content=[wire.TextContent(text=sentence)], is_error=True)
