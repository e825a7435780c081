"""Which of the workbench's own tools are on offer, and whose their names are."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pytest

import mcp_workbench as wb
from mcp_workbench.errors import RegistrationError
from mcp_workbench.execution.context import Context
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.tools import ToolDefinition, define_tool
from mcp_workbench.serving.builtin.lenient import Names, Version
from mcp_workbench.serving.builtin.own_tools import Group, OwnTools, define
from tests.support.host import ScriptedHost
from tests.support.stage import running, server_of


def df_look(ctx: Context, name: str, columns: Names = None, version: Version = None, offset: int = 0) -> str:
    """Look."""
    return name


def nothing() -> None: ...


class Offered:
    """Own tools, and how often clients would have been told."""

    def __init__(self) -> None:
        self.registry: Registry[ToolDefinition] = Registry()
        self.authored: Registry[ToolDefinition] = Registry()
        self.own = OwnTools(self.registry, self.authored)
        self.wanted, self.made, self.told = False, 0, 0
        self.registry.on_change.append(self._note)

    def _note(self) -> None:
        self.told += 1

    def make(self) -> Iterable[ToolDefinition]:
        self.made += 1
        return [define(df_look)]

    def group(self) -> Group:
        return Group(("df_look",), self.make, lambda: self.wanted)


def test_a_group_is_made_when_it_is_first_wanted_and_once() -> None:
    offered = Offered()
    offered.own.add(offered.group())
    offered.own.offer(offered=True)
    assert (offered.made, offered.told, len(offered.registry)) == (0, 0, 0)
    for wanted in (True, True, False, True):
        offered.wanted = wanted
        offered.own.refresh()
    assert (offered.made, offered.told) == (1, 3)
    assert "df_look" in offered.registry
    offered.own.offer(offered=False)
    assert len(offered.registry) == 0
    assert offered.own.names() == ("df_look",), "the name stays kept"


def test_a_name_stands_for_one_tool() -> None:
    offered = Offered()
    offered.own.add(offered.group())
    with pytest.raises(RegistrationError, match="each name stands for one tool"):
        offered.own.add(offered.group())
    with pytest.raises(RegistrationError, match='give yours another: name="my_df_look"'):
        offered.own.keep("df_look")
    offered.authored.add(define_tool(nothing))
    with pytest.raises(RegistrationError, match="nothing: there is a tool of that name already"):
        offered.own.add(Group(("nothing",), list))


def test_no_function_of_the_author_takes_a_name_of_ours() -> None:
    with pytest.raises(RegistrationError, match="name of one of the workbench's own tools"):
        wb.Workbench().tool(name="df_read")(nothing)


def test_what_may_be_left_out_has_no_default_of_another_type_and_the_usage_is_short() -> None:
    tool = define(df_look)
    assert tool.listed.input_schema["properties"] == {
        "name": {"type": "string"},
        "columns": {"type": "array", "items": {"type": "string"}},
        "version": {"type": "integer"},
        "offset": {"type": "integer", "default": 0},
    }
    assert tool.arguments.usage == "df_look(name, columns?, version?, offset=0)"


def test_a_cell_that_publishes_and_defines_changes_the_list_once(monkeypatch: pytest.MonkeyPatch) -> None:
    host = ScriptedHost()
    monkeypatch.setattr("mcp_workbench.workbench.core.current_host", lambda: host)
    workbench = wb.Workbench()
    with running(workbench, builtin_tools=True):
        told: list[str] = []
        cursor = workbench._offer.chronicle.cursor()
        workbench._offer.tools.on_change.append(lambda: told.append("tools"))
        with host.running_cell():
            workbench.publish(flights=pd.DataFrame({"a": [1, 2], "b": 0}))
            workbench.tool(nothing)
            assert told == []
        assert told == ["tools"]
        assert {"df_read", "nothing"} <= {tool.name for tool in workbench._offer.catalog.list()}
        lines = [line.text for line in workbench._offer.chronicle.since(cursor, "anybody")]
        assert lines == ["flights v1 published: 2 rows x 2 columns", "function nothing added"]
        with host.running_cell() as cell:
            facts = workbench._offer.kernel_facts()
            assert (facts.cell, facts.waiting) == (cell, 0)
            assert facts.said(8.0) == "kernel busy in cell [2] for 8 s"
        assert server_of(workbench) is not None
    assert workbench._offer.kernel_facts().said(0) == "kernel idle"
