"""An agent's call as a line for a cell."""

from __future__ import annotations

import ast
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench import Context, Workbench
from mcp_workbench.events import Era
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.as_cell import LONGEST, as_cell


@pytest.fixture(scope="module")
def workbench() -> Workbench:
    workbench = Workbench("cells", builtin_tools=False)
    workbench.publish(flights=pd.DataFrame({"a": [1]}), planes=pd.DataFrame({"b": [1]}))

    @workbench.tool
    def top_routes(flights: pd.DataFrame, n: int = 5, where: str = "", other: pd.DataFrame | None = None) -> int:
        return n

    @workbench.tool(name="route-count")
    async def count(what: str) -> int:
        return len(what)

    @workbench.tool
    def watched(n: int, ctx: Context) -> int:
        return n

    workbench.tool(name="nameless", description="x")(lambda: 1)
    return workbench


def record(target: str, request: Any, method: str = "tools/call", request_id: str | int = 7) -> CallRecord:
    call = CallRecord("c1", "s1", "default", Era.LEGACY, method, target, request_id, 0, 0.0, 1)
    text = json.dumps(request).encode()
    call.request = Message("s1", Direction.IN, 0, 0.0, len(text), text)
    return call


def sent(target: str, arguments: Any = None, name: str | None = None, request_id: str | int = 7) -> dict[str, Any]:
    params = {"name": target if name is None else name} | ({} if arguments is None else {"arguments": arguments})
    return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"flights": "flights", "n": 3}, "top_routes(flights, n=3)"),
        ({"n": 3}, "top_routes(flights, n=3)"),
        (None, "top_routes(flights)"),
        ({"flights": "df://planes", "where": "flights"}, "top_routes(planes, where='flights')"),
        ({"flights": "flights v2", "other": "_r7"}, "top_routes(wb.get('flights', version=2), other=wb.get('_r7'))"),
        ({"other": None, "n": 1.5}, "top_routes(flights, n=1.5, other=None)"),
        ({"flights": "absent", "typo": [True]}, "top_routes('absent', typo=[True])"),
        ({"n": 3, "flights": ["flights"]}, "top_routes(['flights'], n=3)"),
    ],
)
def test_dataframes_stand_by_their_names_and_all_else_as_literals(workbench: Workbench, arguments: Any, line: str) -> None:
    assert as_cell(record("top_routes", sent("top_routes", arguments)), workbench._offer) == line


def test_a_coroutine_is_awaited_under_the_name_its_author_gave_it(workbench: Workbench) -> None:
    call = record("route-count", sent("route-count", {"what": 'it\'s "x"\n'}))
    assert as_cell(call, workbench._offer) == "await count(what='it\\'s \"x\"\\n')"


def test_a_call_in_a_batch_or_by_way_of_another_tool_or_of_a_job_is_the_call_that_was_meant(workbench: Workbench) -> None:
    offer = workbench._offer
    batch = [{"jsonrpc": "2.0", "method": "x"}, sent("top_routes", {"n": 1}, request_id="7"), sent("top_routes", {"n": 2})]
    assert as_cell(record("top_routes", batch), offer) == "top_routes(flights, n=2)"
    inner = {"function": "top_routes", "arguments": {"n": 4}}
    assert as_cell(record("top_routes", sent("", inner, "notebook_call")), offer) == "top_routes(flights, n=4)"
    assert as_cell(record("top_routes", sent("top_routes", {"n": 1}), "job"), offer) == "top_routes(flights, n=1)"


def test_where_no_line_would_do_the_same_there_is_none(workbench: Workbench) -> None:
    offer = workbench._offer
    cut = record("top_routes", sent("top_routes"))
    assert cut.request is not None
    cut.request.raw = b""
    gone = record("top_routes", sent("top_routes"))
    gone.request = None
    for call in (
        cut,
        gone,
        record("absent", sent("absent")),
        record("watched", sent("watched", {"n": 1})),
        record("nameless", sent("nameless")),
        record("top_routes", sent("top_routes", {"class": 1})),
        record("top_routes", sent("top_routes", {"x); evil(": 1})),
        record("top_routes", sent("top_routes", {"ｎ": 1})),
        record("top_routes", sent("top_routes", {"__debug__": 1})),
        record("top_routes", sent("top_routes", {"where": "x" * LONGEST})),
        record("top_routes", sent("top_routes", [1])),
        record("top_routes", [sent("top_routes", request_id=8)]),
        record("flights", sent("flights"), "resources/read"),
    ):
        assert as_cell(call, offer) == ""


def test_of_a_failed_call_the_arguments_are_known_without_its_request(workbench: Workbench) -> None:
    call = record("top_routes", {})
    call.arguments, call.request = b'{"n": 9}', None
    assert as_cell(call, workbench._offer) == "top_routes(flights, n=9)"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(st.characters(codec="utf-8")), VALUES)
def test_nothing_that_was_sent_becomes_code(workbench: Workbench, flights: str, where: Any) -> None:
    line = as_cell(record("top_routes", sent("top_routes", {"flights": flights, "where": where})), workbench._offer)
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    assert call.func.id == "top_routes"
    [first], [second] = call.args, call.keywords
    assert ast.literal_eval(second.value) == where
    if not isinstance(first, ast.Constant):
        assert ast.unparse(first).startswith(("flights", "planes", "wb.get("))
