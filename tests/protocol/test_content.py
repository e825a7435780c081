from __future__ import annotations

import pytest
from msgspec import UNSET

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.content import fit_result
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, V2025_06_18, V2026_07_28

TEXT = wire.TextContent(text="t")


@pytest.mark.parametrize("version", [*LEGACY_VERSIONS, V2026_07_28])
def test_a_result_every_client_can_read_is_passed_on_as_it_is(version: str) -> None:
    for result in (
        wire.CallToolResult(content=[TEXT]),
        wire.ListToolsResult(tools=[]),
        wire.ReadResourceResult(contents=[]),
        wire.EmptyResult(),
    ):
        assert fit_result(result, version) is result


def test_what_a_client_cannot_take_is_described_in_words() -> None:
    result = wire.CallToolResult(
        content=[
            wire.ResourceLink(uri="df://a", name="a"),
            wire.ResourceLink(uri="df://b", name="b", description="rows"),
            wire.AudioContent(data="AAAA", mime_type="audio/wav"),
        ]
    )
    fitted = fit_result(result, "2024-11-05")
    assert isinstance(fitted, wire.CallToolResult)
    assert fitted.content == [
        wire.TextContent(text="Resource df://a"),
        wire.TextContent(text="Resource df://b (rows)"),
        wire.TextContent(text="[audio, audio/wav: clients of 2024-11-05 cannot take it]"),
    ]
    assert len(result.content) == 3
    assert isinstance(result.content[0], wire.ResourceLink)


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_an_output_schema_is_promised_only_to_clients_that_get_structured_content(version: str) -> None:
    schema = {"type": "object"}
    tool = wire.Tool(name="a", input_schema=schema, output_schema=schema, title="A")
    listed = fit_result(wire.ListToolsResult(tools=[tool, wire.Tool(name="b", input_schema=schema)]), version)
    called = fit_result(wire.CallToolResult(content=[TEXT], structured_content={}), version)
    assert isinstance(listed, wire.ListToolsResult)
    assert isinstance(called, wire.CallToolResult)
    assert (listed.tools[0].output_schema is UNSET) == (called.structured_content is UNSET) == (version < V2025_06_18)
    assert [(tool.name, tool.title) for tool in listed.tools] == [("a", "A"), ("b", UNSET)]
    assert tool.output_schema == schema
