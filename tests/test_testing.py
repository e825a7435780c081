"""A live server in plain tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from mcp_workbench.exploring.comparing.answers import VOLATILE
from mcp_workbench.testing import Server
from tests.exploring.rig import calling


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("tested", builtin_tools=False)

    @workbench.tool(read_only=True)
    def count(n: int) -> dict[str, int]:
        """Count."""
        return {"n": n, "at": 7}

    with calling(workbench):
        yield workbench


def test_it_is_asked_like_a_function_and_answers_what_is_compared(workbench: Workbench) -> None:
    with Server(workbench.url, token=workbench.token, volatile=["structuredContent.at"]) as server:
        answer = server.call("count", {"n": 3})
        assert answer["structuredContent"] == {"n": 3, "at": VOLATILE}
        assert "_meta" not in answer
        assert server.call("count")["isError"] is True
        assert server.call("nothing")["error"]["code"] == -32602
        assert server.ask("tools/list")["tools"].keys() == {"count"}
        promised = server.promise("count")
        assert promised is not None
        assert promised["inputSchema"]["required"] == ["n"]
        assert promised["annotations"] == {"readOnlyHint": True}
        assert server.promise("nothing") is None


def test_it_starts_a_command(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text("import mcp_workbench as wb\n@wb.tool\ndef one() -> int:\n    'One.'\n    return 1\nwb.run_stdio()\n")
    with Server([sys.executable, str(script)]) as server:
        assert server.call("one") == {"content": [{"type": "text", "text": "1"}]}


def test_without_a_server_it_says_so_and_leaves_nothing_behind(workbench: Workbench) -> None:
    places: tuple[str | list[str] | None, ...] = (None, "", [])
    for nowhere in places:
        with pytest.raises(ValueError, match="set MCP_SERVER"):
            Server(nowhere)
    with pytest.raises(HandshakeRefused), Server(workbench.url, token="wrong"):
        pass
    with pytest.raises(ConnectionClosed), Server("ws://127.0.0.1:1/mcp"):
        pass


def test_what_the_server_asks_is_answered_as_the_test_says_and_nothing_else_is() -> None:
    workbench = Workbench("asking", builtin_tools=False)

    @workbench.tool(read_only=True)
    def ask(ctx: Context) -> list[str]:
        """Ask twice."""
        form = {"type": "object", "properties": {}}
        return [ctx.elicit(question, schema=form).action for question in ("First?", "Second?")]

    def answer(message: str, action: str) -> dict[str, Any]:
        params = {"message": message, "requestedSchema": {"type": "object", "properties": {}}}
        return {"method": "elicitation/create", "params": params, "result": {"action": action}}

    with calling(workbench), Server(workbench.url, token=workbench.token, asks={"elicitation": {"form": {}}}) as server:
        answers = [answer("Second?", "decline"), answer("First?", "accept")]
        assert server.call("ask", answers=answers)["structuredContent"] == {"result": ["accept", "decline"]}
        with pytest.raises(AssertionError, match=r"no answer to: elicitation/create Second\?"):
            server.call("ask", answers=answers[1:])
        assert "structuredContent" in server.call("ask", answers=answers), "each call has its own"
