from __future__ import annotations

import pytest

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.content import fit_result
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, V2026_07_28

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
