"""docs/agents.md, call by call: its notebook is run, every call on it is made, and what comes is compared with what it says."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mcp_workbench as wb
from mcp_workbench.hosts import HostIdentity, PlainHost
from mcp_workbench.protocol.versions import LATEST_LEGACY
from tests.serving.builtin.pages import without_what_differs
from tests.support.stage import running, talking, within
from tests.support.talk import Talk, text_of

PAGE = (Path(__file__).parents[3] / "docs" / "agents.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Example:
    """One call of the page."""

    call: str
    answer: str


def _examples() -> list[Example]:
    blocks = re.findall(r"^```\n> (.+)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
    return [Example(call, answer.removesuffix("\n")) for call, answer in blocks]


def _mistakes() -> list[Example]:
    table = PAGE.partition("## What it says when")[2]
    return [Example(call, answer) for call, answer in re.findall(r"^\| `(.+?)` \| (.+) \|$", table, re.MULTILINE)]


def _notebook(workbench: wb.Workbench) -> dict[str, Any]:
    """The page's notebook, on a Workbench of the test's own."""
    found = re.search(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"wb": workbench}
    exec(compile(found[1].replace("import mcp_workbench as wb\n", ""), "<cell>", "exec"), names)
    return names


async def _made(talk: Talk, call: str) -> str:
    """Make a call as it is written: the first argument of ours is the name, function or job."""
    parsed = ast.parse(call, mode="eval").body
    assert isinstance(parsed, ast.Call)
    assert isinstance(parsed.func, ast.Name)
    tool, arguments = parsed.func.id, {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in parsed.keywords}
    for value in parsed.args:
        first = {"df": "name", "notebook": "function", "job": "job"}[tool.partition("_")[0]]
        arguments[first] = ast.literal_eval(value)
    message = await talk.request("tools/call", {"name": tool, "arguments": arguments})
    return text_of(message["result"]) if "result" in message else str(message["error"]["message"])


def test_every_call_on_the_page_is_answered_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlainHost, "identity", lambda host: HostIdentity("ipykernel", None, "morning.ipynb"))  # a notebook's page
    workbench = wb.Workbench(name="morning")
    names = _notebook(workbench)
    examples, mistakes = _examples(), _mistakes()
    assert len(examples) == 12
    assert len(mistakes) == 18

    async def main() -> None:
        async with talking(workbench, LATEST_LEGACY) as talk:
            cursor = ""
            for example in examples:
                if example.call.startswith("df_changes"):
                    names["flights"].loc[6] = ["UA", "IAH", 33.0]
                    workbench.touch("flights")
                said = await _made(talk, example.call.replace("CURSOR", cursor))
                cursor = cursor or re.findall(r"cursor (\S+)", said)[0]
                assert without_what_differs(said) == without_what_differs(example.answer), example.call
            for mistake in mistakes:
                assert without_what_differs(await _made(talk, mistake.call)) == without_what_differs(mistake.answer), mistake.call

    with running(workbench, builtin_tools=True):
        within(main)


def test_the_table_names_every_tool_of_the_workbench_as_it_is_called() -> None:
    workbench = wb.Workbench(name="morning")
    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    with running(workbench, builtin_tools=True):
        own = {tool.name: tool for tool in workbench._offer.builtins}
    table = PAGE.partition("## The tools")[2].partition("##")[0]
    called = {call.partition("(")[0]: call for call in re.findall(r"`(\w+\([^`]*\))`", table) if not call.startswith("wb.")}
    assert called.keys() == own.keys()
    for name, call in called.items():
        parameters = [part.partition("=")[0].removesuffix("?") for part in call.partition("(")[2].removesuffix(")").split(", ")]
        assert parameters == list(own[name].arguments.names), call
