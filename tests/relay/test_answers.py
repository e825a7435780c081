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


def test_notebook_use_stands_once_and_at_the_end_of_the_whole_list() -> None:
    assert json.loads(answers.with_use(listed("a"))) == {"id": 1, "result": {"tools": [{"name": "a"}, USE_LISTED], "ttlMs": 0}}
    for unchanged in (listed("a", nextCursor="1"), listed(USE_NAME), b'{"id":1,"result":{}}'):
        assert answers.with_use(unchanged) == unchanged


def test_a_line_is_added_to_the_content_and_to_nothing_else() -> None:
    text = b'{"id":1,"result":{"content":[{"type":"text","text":"a"}],"structuredContent":{}}}'
    result = json.loads(answers.with_line(text, "b"))["result"]
    assert [item["text"] for item in result["content"]] == ["a", "b"]
    assert result["structuredContent"] == {}
    assert answers.with_line(b'{"id":1,"result":{}}', "b") == b'{"id":1,"result":{}}'
