from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.asking_again import cell_in

FOLDED = ("ｔｉｍｅｏｕｔ＿ｓ", "ｏｎ_progress", "ﬁ", "ｌog_level", "ª", "__debug__", "None", "match", "self", "", "a b", "timeout_s")


def given_arguments(cell: str) -> Any:
    """What the cell calls its tool with."""
    tree = compile(cell, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    compile(cell, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "call_tool")
    call = next(calls)
    return {each.arg: ast.literal_eval(each.value) for each in call.keywords} or (ast.literal_eval(call.args[1]) if call.args[1:] else {})


@pytest.mark.parametrize("name", FOLDED)
def test_a_name_that_python_reads_as_another_stands_as_a_literal(name: str) -> None:
    arguments = {name: "v"}
    assert given_arguments(cell_in("wb.connect()", "tools/call", {"name": "t", "arguments": arguments})) == arguments


@given(st.dictionaries(st.one_of(st.text(max_size=8), st.sampled_from(FOLDED)), st.integers(), max_size=3))
def test_a_cell_calls_with_what_was_sent_whatever_it_is_called(arguments: dict[str, int]) -> None:
    assert given_arguments(cell_in("wb.connect()", "tools/call", {"name": "t", "arguments": arguments})) == arguments
