"""`prompts/list`, `prompts/get` and `completion/complete`."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.runner import Execution
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.primitives import (
    PromptDefinition,
    Registry,
    ResourceDefinition,
    complete,
    prompt_messages,
)
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.cursors import page
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.function_work import OtherWork, OwnFunction
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Work
from mcp_workbench.telemetry.records import CallRecord


class Prompts:
    """Answers the prompts methods and completion.

    Args:
        prompts: The author's prompts.
        resources: The author's templates, whose variables can be completed.
        execution: Where the author's functions run.
        suspended: Where calls wait that have asked their client something.
    """

    def __init__(
        self,
        prompts: Registry[PromptDefinition],
        resources: Registry[ResourceDefinition],
        execution: Execution,
        suspended: Suspended,
    ) -> None:
        self._suspended = suspended
        self._prompts = prompts
        self._resources = resources
        self._execution = execution

    def list(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`prompts/list`."""
        prompts = self._prompts.list()
        shown, following = page("prompts", prompts, exchange.params.cursor, key=attrgetter("name"), size=attrgetter("listed_bytes"))
        return wire.ListPromptsResult(prompts=[prompt.listed for prompt in shown], next_cursor=following or UNSET)

    def get(self, session: Session, exchange: Exchange, record: CallRecord) -> Work:
        """`prompts/get`."""
        name = record.target = exchange.params.name
        definition = self._prompts.get(name)
        if definition is None:
            raise RemoteProtocolError(ErrorCode.INVALID_PARAMS, f"Unknown prompt: {name[:100]}. prompts/list names those there are.")
        record.tool_version, record.defined_at = definition.edition, definition.defined_at
        return PromptWork(self._execution, session, exchange, record, definition, self._suspended)

    def complete(self, session: Session, exchange: Exchange, record: CallRecord) -> Work:
        """`completion/complete`; completers are the author's code, so they run in a tool thread."""
        params: wire.CompleteParams = exchange.params
        definition: PromptDefinition | ResourceDefinition | None
        if isinstance(params.ref, wire.PromptReference):
            record.target = params.ref.name
            definition = self._prompts.get(params.ref.name)
        else:
            uri = record.target = params.ref.uri
            definition = next((resource for resource in self._resources if resource.uri == uri), None)
        if definition is None:
            # The templates of df:// URIs are real, and have nothing to complete with.
            if isinstance(params.ref, wire.TemplateReference) and params.ref.uri.startswith("df://"):
                raise RemoteProtocolError(
                    ErrorCode.INVALID_PARAMS, "df:// templates complete nothing; resources/list names what is published"
                )
            raise RemoteProtocolError(
                ErrorCode.INVALID_PARAMS, f"Nothing to complete: {record.target[:200]} is neither a prompt nor a resource template here"
            )
        return CompletionWork(self._execution, session, exchange, record, definition)


class PromptWork(OtherWork):
    """One `prompts/get`."""

    __slots__ = ("_definition",)

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        definition: PromptDefinition,
        suspended: Suspended,
    ) -> None:
        super().__init__(execution, session, exchange, record, definition, suspended)
        self._definition = definition

    def bind(self, call: Call) -> dict[str, Any]:
        """The arguments, converted from text."""
        arguments = self.exchange.params.arguments
        return self.bind_definition(call, self._definition, {} if arguments is UNSET else dict(arguments))

    def render(self, value: object) -> wire.Result:
        """The messages."""
        messages = prompt_messages(self._definition.name, value)
        return wire.GetPromptResult(messages=messages, description=self._definition.listed.description)


class CompletionWork(OtherWork):
    """One `completion/complete`: a function of ours that calls the author's completer."""

    __slots__ = ("_definition",)

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        definition: PromptDefinition | ResourceDefinition,
    ) -> None:
        super().__init__(execution, session, exchange, record, OwnFunction(f"completion of {definition.name}", complete))
        self._definition = definition

    def bind(self, call: Call) -> dict[str, Any]:
        """What is typed so far, what was chosen before, and what there is to choose from."""
        params: wire.CompleteParams = self.exchange.params
        chosen = {} if params.context is UNSET or params.context.arguments is UNSET else params.context.arguments
        return {
            "argument": params.argument.name,
            "typed": params.argument.value,
            "context": chosen,
            "choices": self._definition.choices,
            "completers": self._definition.completers,
        }

    def render(self, value: object) -> wire.Result:
        """The values."""
        return wire.CompleteResult(completion=value)  # type: ignore[arg-type]  # `complete` gives CompletionValues
