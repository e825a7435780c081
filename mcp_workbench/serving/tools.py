"""`tools/list` and `tools/call`."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.runner import Execution
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.primitives import Registry, Rendering, RenderRequest, ToolDefinition
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.cursors import page
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.function_work import FunctionWork
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Answer, Work
from mcp_workbench.telemetry.records import CallRecord


class Tools:
    """Answers the tools methods.

    Args:
        registry: The tools on offer.
        rendering: Turns what tools return into content.
        execution: Where tools run.
        after_call: Called on the loop thread when a tool has ended, however it ended.
    """

    def __init__(
        self, registry: Registry[ToolDefinition], rendering: Rendering, execution: Execution, after_call: Callable[[], None]
    ) -> None:
        self._registry = registry
        self._rendering = rendering
        self._execution = execution
        self._after_call = after_call

    def list(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`tools/list`."""
        tools = self._registry.list()
        shown, following = page("tools", tools, exchange.params.cursor, key=attrgetter("name"), size=attrgetter("listed_bytes"))
        return wire.ListToolsResult(tools=[tool.listed for tool in shown], next_cursor=following or UNSET)

    def call(self, session: Session, exchange: Exchange, record: CallRecord) -> Work:
        """`tools/call`."""
        params: wire.CallToolParams = exchange.params
        record.target = params.name
        tool = self._registry.get(params.name)
        if tool is None:
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, self._unknown(params.name))
        record.tool_version, record.defined_at = tool.digest, tool.defined_at
        return ToolWork(self._execution, session, exchange, record, tool, self._rendering, self._after_call)

    def _unknown(self, name: str) -> str:
        nearest = self._registry.nearest(name)
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        return f"Unknown tool: {name[:100]}{hint}. tools/list names those there are."


class ToolWork(FunctionWork):
    """One `tools/call`."""

    __slots__ = ("_after_call", "_rendering", "tool")

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        tool: ToolDefinition,
        rendering: Rendering,
        after_call: Callable[[], None],
    ) -> None:
        super().__init__(execution, session, exchange, record, tool)
        self.tool = tool
        self._rendering = rendering
        self._after_call = after_call

    def bind(self, call: Call) -> dict[str, Any]:
        """Validate the arguments and take the snapshots they name."""
        arguments = self.exchange.params.arguments
        return self.bind_definition(call, self.tool, {} if arguments is UNSET else arguments)

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
        return tool_error(sentence)

    def ended(self) -> None:
        """The function may have changed a published DataFrame: somebody should look."""
        self._after_call()


def tool_error(sentence: str) -> wire.CallToolResult:
    """A result that says what went wrong and what to do."""
    return wire.CallToolResult(content=[wire.TextContent(text=sentence)], is_error=True)
