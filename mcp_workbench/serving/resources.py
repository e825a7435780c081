"""`resources/list`, `resources/templates/list`, `resources/read`: the author's resources, the published DataFrames, kept results."""

from __future__ import annotations

import base64
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.runner import Execution
from mcp_workbench.jsonrpc import encode
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.reading import DataFrameResources
from mcp_workbench.live.documents import Documents
from mcp_workbench.primitives import Registry, ResourceDefinition, find_resource, to_jsonable
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.cursors import page
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.budgets import chars_for, content_bytes
from mcp_workbench.serving.function_work import OtherWork, OwnFunction
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.work import Work
from mcp_workbench.telemetry.records import CallRecord

_uri: Callable[[wire.Resource], str] = attrgetter("uri")
_uri_template: Callable[[wire.ResourceTemplate], str] = attrgetter("uri_template")


def _size(listed: wire.Resource | wire.ResourceTemplate) -> int:
    """Encoded here, for a page at a time: what is listed of a DataFrame is made anew for every list."""
    return len(encode(listed))


class Resources:
    """Answers the resources methods; subscriptions are next door.

    Args:
        registry: The author's resources and templates.
        dataframes: The published DataFrames, and results that are DataFrames.
        documents: Results that were too long for a message.
        execution: Where reading runs.
        suspended: Where calls wait that have asked their client something.
    """

    def __init__(
        self,
        registry: Registry[ResourceDefinition],
        dataframes: DataFrameResources,
        documents: Documents,
        execution: Execution,
        suspended: Suspended,
    ) -> None:
        self._suspended = suspended
        self._registry = registry
        self._dataframes = dataframes
        self._documents = documents
        self._execution = execution

    def list(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`resources/list`."""
        listed = [definition.listed for definition in self._registry if isinstance(definition.listed, wire.Resource)]
        listed = sorted(listed + self._dataframes.list(), key=_uri)
        shown, following = page("resources", listed, exchange.params.cursor, key=_uri, size=_size)
        return wire.ListResourcesResult(resources=list(shown), next_cursor=following or UNSET)

    def list_templates(self, session: Session, exchange: Exchange, record: CallRecord) -> wire.Result:
        """`resources/templates/list`."""
        listed = [definition.listed for definition in self._registry if isinstance(definition.listed, wire.ResourceTemplate)]
        listed = sorted(listed + self._dataframes.templates() + self._documents.templates(), key=_uri_template)
        shown, following = page("templates", listed, exchange.params.cursor, key=_uri_template, size=_size)
        return wire.ListResourceTemplatesResult(resource_templates=list(shown), next_cursor=following or UNSET)

    def read(self, session: Session, exchange: Exchange, record: CallRecord) -> Work:
        """`resources/read`: in a tool thread, because it reads data or runs the author's function."""
        uri = record.target = exchange.params.uri
        found = find_resource(self._registry, uri)
        if found is not None:
            record.tool_version, record.defined_at = found[0].edition, found[0].defined_at
            return ResourceWork(self._execution, session, exchange, record, *found, self._suspended)
        if self._dataframes.claims(uri):
            return DataFrameWork(self._execution, session, exchange, record, OwnFunction(uri[:200], self._dataframes.read))
        if self._documents.resolve(uri) is not None:
            return DocumentWork(self._execution, session, exchange, record, OwnFunction(uri[:200], self._documents.read))
        raise exchange.resource_not_found(f"No resource {uri[:200]}; resources/list and resources/templates/list name those there are")

    def topic_of(self, uri: str, principal: str) -> str | None:
        """What a subscription to this URI is about; None when there is no such resource."""
        topic = self._dataframes.topic_of(uri, principal)
        if topic is not None:
            return topic
        return uri if find_resource(self._registry, uri) is not None else None


class DataFrameWork(OtherWork):
    """Reading what the workbench itself serves: a published DataFrame or a kept result."""

    __slots__ = ()

    def bind(self, call: Call) -> dict[str, Any]:
        """URI and principal."""
        return {"uri": self.exchange.params.uri, "principal": self.session.principal.name}

    def render(self, value: object) -> wire.Result:
        """The contents, as they are."""
        return wire.ReadResourceResult(contents=value)  # type: ignore[arg-type]  # such functions give list[ResourceContents]

    def error_for(self, error: BaseException) -> RemoteProtocolError | None:
        """A name that is not there is the protocol's not-found."""
        return self.exchange.resource_not_found(str(error)) if isinstance(error, NotFound) else super().error_for(error)


class DocumentWork(DataFrameWork):
    """Reading a slice of a long result: as much as the client's host shows, and its connection takes."""

    __slots__ = ()

    def bind(self, call: Call) -> dict[str, Any]:
        """URI, principal, and how much when the URI does not say."""
        room = content_bytes(self.session.peer.room(self.exchange))
        # A character is six bytes at most as JSON, base64 makes four bytes of three.
        chars = min(chars_for(self.exchange.client.info), room // 6)
        return super().bind(call) | {"default_chars": chars, "default_bytes": room * 3 // 4}


class ResourceWork(OtherWork):
    """Reading one of the author's resources."""

    __slots__ = ("_definition", "_variables")

    def __init__(
        self,
        execution: Execution,
        session: Session,
        exchange: Exchange,
        record: CallRecord,
        definition: ResourceDefinition,
        variables: dict[str, str],
        suspended: Suspended,
    ) -> None:
        super().__init__(execution, session, exchange, record, definition, suspended)
        self._definition = definition
        self._variables = variables

    def bind(self, call: Call) -> dict[str, Any]:
        """The URI's variables, converted."""
        return self.bind_definition(call, self._definition, dict(self._variables))

    def render(self, value: object) -> wire.Result:
        """Text stays text, bytes become base64, anything else JSON."""
        return wire.ReadResourceResult(contents=contents_of(self.exchange.params.uri, value, self._definition.mime_type))


def contents_of(uri: str, value: object, mime_type: str | None) -> list[wire.ResourceContents]:
    """What a resource's function returned, as contents.

    Args:
        uri: As it was asked for.
        value: Text, bytes, `ResourceContents`, a list of those, or anything JSON can hold.
        mime_type: What the author says; None: by the value.

    Raises:
        ToolError: The value has no JSON form; names its type.
    """
    if isinstance(value, wire.ResourceContents):
        return [value]
    if isinstance(value, list) and value and all(isinstance(item, wire.ResourceContents) for item in value):
        return value
    if isinstance(value, str):
        return [wire.ResourceContents(uri=uri, mime_type=mime_type or "text/plain", text=value)]
    if isinstance(value, bytes | bytearray | memoryview):
        blob = base64.b64encode(bytes(value)).decode("ascii")
        return [wire.ResourceContents(uri=uri, mime_type=mime_type or "application/octet-stream", blob=blob)]
    return [wire.ResourceContents(uri=uri, mime_type=mime_type or "application/json", text=encode(to_jsonable(value)).decode())]
