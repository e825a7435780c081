"""Which messages belong together, by what they say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.jsonrpc import decode
from mcp_workbench.protocol import wire
from mcp_workbench.telemetry import Direction
from mcp_workbench.views.exchanges import LONGEST, exchanges, id_text

IN, OUT = Direction.IN, Direction.OUT


def named(direction: Direction, said: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return exchanges(direction, decode(json.dumps(said).encode()))


def message(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **members}


@pytest.mark.parametrize(
    ("direction", "said", "begins", "belongs"),
    [
        (IN, message(id=5, method="tools/list"), ("i5",), ()),
        (IN, message(id="5", method="tools/list"), ('i"5"',), ()),
        (IN, message(id=5, method="tools/call", params={"_meta": {"progressToken": "p"}}), ("i5", 'it"p"'), ()),
        (OUT, message(id=5, result={}), (), ("i5",)),
        (OUT, message(id=5, error={"code": -32601, "message": "no"}), (), ("i5",)),
        (OUT, message(id=1, method="elicitation/create", params={}), ("o1",), ()),
        (IN, message(id=1, result={}), (), ("o1",)),
        (OUT, message(method="notifications/progress", params={"progressToken": "p", "progress": 1}), (), ('it"p"',)),
        (IN, message(method="notifications/cancelled", params={"requestId": 5}), (), ("i5",)),
        (OUT, message(method="notifications/message", params={"_meta": {wire.META_SUBSCRIPTION: 9}}), (), ("i9",)),
        (OUT, message(method="notifications/message", params={"level": "info"}), (), ()),
        (IN, message(method="notifications/cancelled", params={"requestId": [5]}), (), ()),
        (IN, [message(id=1, method="ping"), message(id=2, method="ping")], ("i1", "i2"), ()),
        (OUT, message(id=None, error={"code": -32700, "message": "no"}), (), ()),
        (IN, "no message", (), ()),
    ],
)
def test_a_message_names_what_it_opens_and_what_it_belongs_to(
    direction: Direction, said: Any, begins: tuple[str, ...], belongs: tuple[str, ...]
) -> None:
    assert named(direction, said) == (begins, belongs)


@given(st.text() | st.integers())
def test_ids_of_any_length_have_short_names_that_differ_where_they_do(request_id: str | int) -> None:
    assert len(id_text(request_id)) <= LONGEST
    assert id_text(request_id) != id_text(f"{request_id}{request_id}x")


def test_what_is_no_id_has_no_name() -> None:
    assert [id_text(None), id_text([1]), id_text(2.5)] == ["", "", ""]
