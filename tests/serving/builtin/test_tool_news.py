"""The chronicle's lines about the author's tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_workbench.live.chronicle import Chronicle
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.tools import ToolDefinition, define_tool
from mcp_workbench.serving.builtin.tool_news import ToolNews


def one(n: int) -> None: ...


def other(n: float, region: str = "all") -> None: ...


class Notebook:
    def __init__(self) -> None:
        self.tools: Registry[ToolDefinition] = Registry()
        self.chronicle = Chronicle()
        self.news = ToolNews(self.tools, self.chronicle)
        self._start = self.chronicle.cursor()

    def define(self, function: Callable[..., Any], name: str, description: str = "") -> None:
        self.tools.add(define_tool(function, name=name, description=description))

    @property
    def lines(self) -> list[str]:
        return [line.text for line in self.chronicle.since(self._start, "anybody")]


def test_what_is_added_changed_and_withdrawn_is_one_line_each() -> None:
    notebook = Notebook()
    notebook.define(one, "a")
    notebook.define(one, "a")
    notebook.define(other, "a")
    notebook.define(other, "a", description="Other words.")
    notebook.tools.remove("a")
    assert notebook.lines == [
        "function a added",
        "function a changed: n int -> float; region added (str = 'all')",
        "function a changed: described anew",
        "function a withdrawn",
    ]


def test_a_cell_that_adds_many_is_one_line() -> None:
    notebook = Notebook()
    with notebook.tools.paused():
        for number in range(8):
            notebook.define(one, f"f{number}")
    assert notebook.lines == ["functions f0, f1, f2, f3, f4 and 3 more added"]
    with notebook.tools.paused():
        notebook.tools.remove("f0")
        notebook.define(one, "f0")
    assert len(notebook.lines) == 1
