"""The one module that translates: our field names against those of `mcp-types`, object by object."""

from __future__ import annotations

import mcp_types as types
import msgspec
import pytest
from pydantic import BaseModel

from mcp_workbench.protocol import wire
from tests.support import task_schema

SAME_NAMES = sorted(
    name
    for name, kind in vars(wire).items()
    if isinstance(kind, type)
    and issubclass(kind, wire.Wire)
    and isinstance(theirs := getattr(types, name, None), type)
    and issubclass(theirs, BaseModel)
    and not issubclass(kind, wire.Task)  # theirs are those of 2025-11-25
)


def names_on_the_wire(kind: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items()}


@pytest.mark.parametrize("name", SAME_NAMES)
def test_every_field_we_write_is_one_the_specification_has(name: str) -> None:
    ours = {field.encode_name for field in msgspec.structs.fields(getattr(wire, name))}
    # The specification tells text and blob apart by type; ours is one object with one of the two.
    theirs = names_on_the_wire(getattr(types, name)) | ({"text", "blob"} if name == "ResourceContents" else set())
    assert ours <= theirs, name


@pytest.mark.parametrize("name", SAME_NAMES)
def test_every_field_that_is_required_is_one_we_have(name: str) -> None:
    ours = {field.encode_name for field in msgspec.structs.fields(getattr(wire, name))}
    theirs: type[BaseModel] = getattr(types, name)
    required = {field.alias or key for key, field in theirs.model_fields.items() if field.is_required()}
    # `type` is written by msgspec as a tag; resultType, ttlMs and cacheScope are completed by the Peer.
    assert required - {"type", "resultType"} <= ours, name


def test_the_comparison_covers_what_travels() -> None:
    assert {"Tool", "Resource", "Prompt", "CallToolResult", "ListToolsResult", "DiscoverResult", "TextContent"} <= set(SAME_NAMES)


def test_a_task_has_the_fields_of_the_extension() -> None:
    ours = {field.encode_name for field in msgspec.structs.fields(wire.Task)} - {"_meta"}
    kinds = (task_schema.WorkingTask, task_schema.InputRequiredTask, task_schema.CompletedTask, task_schema.FailedTask)
    assert ours == set().union(*(names_on_the_wire(kind) for kind in kinds))


def test_what_is_not_set_is_left_out_and_null_is_kept_where_it_means_something() -> None:
    assert msgspec.json.encode(wire.CallToolResult(content=[])) == b'{"content":[]}'
    assert msgspec.json.encode(wire.CallToolResult(content=[], structured_content=None)) == b'{"content":[],"structuredContent":null}'
    assert msgspec.json.encode(wire.ListChanged(list_changed=True)) == b'{"listChanged":true}'


def test_keys_of_meta_are_those_of_the_specification() -> None:
    assert {field.encode_name for field in msgspec.structs.fields(wire.RequestMeta)} == {
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/logLevel",
        "progressToken",
        "traceparent",
    }
