"""The bridge's own texts."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.events import Era
from mcp_workbench.relay import answers
from mcp_workbench.relay.answers import USE_LISTED, USE_NAME
from mcp_workbench.serving.builtin import own_tools
from mcp_workbench.workbench import Workbench
from tests.relay.rig import OWN_TOOLS
from tests.support.oracle import Oracle


def test_instructions_are_as_long_as_hosts_read() -> None:
    assert len(answers.INSTRUCTIONS) <= 1500


def test_authors_cannot_take_the_name_of_the_bridges_tool() -> None:
    assert own_tools.OF_THE_BRIDGE == (USE_NAME,)
    with pytest.raises(RegistrationError, match="notebook_use is the name of one of the workbench's own tools"):
        Workbench().tool(name="notebook_use")(lambda: None)


@pytest.mark.parametrize(("era", "version"), [(Era.LEGACY, "2025-11-25"), (Era.MODERN, "2026-07-28"), (None, "2024-11-05")])
def test_a_sentence_is_a_result_in_every_era(era: Era | None, version: str) -> None:
    oracle = Oracle(version)
    oracle.note_sent({"id": "x", "method": "tools/call"})
    (message,) = oracle.check(answers.tool_answer(era, "x", "A sentence.", is_error=True))
    assert message["result"]["isError"] is True


def listed(*names: str, **more: str) -> bytes:
    return json.dumps({"id": 1, "result": {"tools": [{"name": name} for name in names], "ttlMs": 0} | more}).encode()


def test_what_is_added_stands_at_the_end_of_the_whole_list() -> None:
    assert json.loads(answers.with_tools(listed("a"), [USE_LISTED])) == {
        "id": 1,
        "result": {"tools": [{"name": "a"}, USE_LISTED], "ttlMs": 0},
    }
    for unchanged in (listed("a", nextCursor="1"), b'{"id":1,"result":{}}'):
        assert answers.with_tools(unchanged, [USE_LISTED]) == unchanged
    assert answers.with_tools(listed("a"), []) == listed("a")


@pytest.mark.parametrize("with_use", [True, False])
def test_added_is_what_is_missing_and_nothing_where_the_kernel_wants_none(with_use: bool) -> None:
    use = ["notebook_use"] if with_use else []
    for present, missing in [
        (["a"], []),
        (["a", "notebook_status"], [name for name in OWN_TOOLS if name != "notebook_status"]),
        (OWN_TOOLS, []),
    ]:
        assert [tool["name"] for tool in answers.added_tools(present, with_use=with_use)] == missing + use
    assert answers.added_tools([USE_NAME], with_use=with_use) == []


def test_a_line_is_added_to_the_content_and_to_nothing_else() -> None:
    text = b'{"id":1,"result":{"content":[{"type":"text","text":"a"}],"structuredContent":{}}}'
    result = json.loads(answers.with_line(text, "b"))["result"]
    assert [item["text"] for item in result["content"]] == ["a", "b"]
    assert result["structuredContent"] == {}
    first = json.loads(answers.with_line(text, "b", first=True))["result"]
    assert answers.text_of(first) == "b\na"
    assert answers.with_line(b'{"id":1,"result":{}}', "b") == b'{"id":1,"result":{}}'
