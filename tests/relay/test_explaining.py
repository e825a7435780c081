"""What a bridge adds to a kernel's answers, and that it leaves the others as they are."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.relay.choosing import Choice
from mcp_workbench.relay.explaining import RESTART_IS_NEWS_S, Explaining
from mcp_workbench.relay.memory import Memory
from tests.relay.rig import NOW, an_entry


def after_a_restart(now: float = NOW) -> Explaining:
    """Of a kernel that had sales and restarted 40 s before `NOW`."""
    explaining = Explaining(Memory(), lambda: now)
    explaining.note_kernel(an_entry())
    explaining.status(answered("DataFrames:\nsales v1 · 2 rows"), Choice(None, ()), with_others=False)
    explaining.note_kernel(an_entry(pid=2))
    return explaining


def asked(tool: str, **arguments: object) -> bytes:
    return json.dumps({"id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}).encode()


def answered(text: str, *, is_error: bool = False) -> bytes:
    result = {"content": [{"type": "text", "text": text}], "isError": is_error}
    return json.dumps({"id": 1, "result": result}, separators=(",", ":")).encode()


@pytest.mark.parametrize("name", ["sales", '"sales"', "`sales`", "df://sales"])
def test_a_name_is_known_however_models_write_it(name: str) -> None:
    text = after_a_restart().with_restart(asked("df_read", name=name), answered("No DataFrame 'sales' is published.", is_error=True))
    first, second = (item["text"] for item in json.loads(text)["result"]["content"])
    assert first.startswith("Kernel restarted 40 s ago; sales is not published yet")
    assert second == "No DataFrame 'sales' is published."


@pytest.mark.parametrize(
    ("request_text", "answer"),
    [
        (asked("df_read", name="sales"), answered("No DataFrame 'sales' is published.")),
        (asked("df_read", name="sales"), answered("where: expected a condition", is_error=True)),
        (asked("top_routes", name="sales"), answered("No DataFrame 'sales' is published.", is_error=True)),
        (asked("df_read", name="sales"), b'{"id":1,"result":{"isError":true}}'),
        (b'{"id":1,"method":"tools/call"}', answered("No DataFrame 'sales' is published.", is_error=True)),
    ],
)
def test_what_a_restart_does_not_explain_is_left_as_it_is(request_text: bytes, answer: bytes) -> None:
    assert after_a_restart().with_restart(request_text, answer) == answer


def test_what_is_missing_stays_news_and_the_restart_itself_does_not() -> None:
    late = after_a_restart(NOW + RESTART_IS_NEWS_S)
    unknown = answered("No DataFrame 'x' is published.", is_error=True)
    assert late.with_restart(asked("df_read", name="x"), unknown) == unknown
    assert b"sales is not published yet" in late.with_restart(asked("df_read", name="sales"), unknown)
    assert b"sales not published yet" in late.status(answered("idle"), Choice(None, ()), with_others=False)


def test_without_a_restart_an_unknown_tool_of_the_workbenchs_own_is_what_the_kernel_says() -> None:
    explaining = Explaining(Memory(), lambda: NOW)
    explaining.note_kernel(an_entry())
    assert not explaining.after_restart
    error = b'{"id":1,"error":{"code":-32602,"message":"Unknown tool: df_read, as nothing is published"}}'
    assert explaining.unknown_tool(asked("df_read"), error) == "Unknown tool: df_read, as nothing is published"
    assert explaining.unknown_tool(asked("never_heard_of"), error) is None
    assert explaining.unknown_tool(asked("df_read"), b'{"id":1,"error":{"code":-32603,"message":"internal error"}}') is None
