"""What is about to be listed: everything in it can be sent, and it fits a page."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.listing import MAX_DEPTH, fault_in, listed_size
from mcp_workbench.protocol.cursors import PAGE_BYTES
from mcp_workbench.protocol.wire import Icon, Prompt, PromptArgument, Tool, ToolAnnotations


def tool(schema: Any = None, **members: Any) -> Tool:
    return Tool(name="f", input_schema={"type": "object"} if schema is None else schema, **members)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_the_size_is_that_of_the_entry_on_the_wire() -> None:
    entry = tool(description="é", icons=[Icon(src="data:,x")], annotations=ToolAnnotations(read_only_hint=True))
    assert listed_size(entry, "f") == len(msgspec.json.encode(entry))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (tool(title="\ud800"), "f: title holds half of a surrogate pair"),
        (tool({"properties": {"x": {"enum": ["a", "\udfff"]}}}), r"f: input_schema.properties.x.enum\[1\] holds half of a surrogate pair"),
        (tool({"properties": {"\ud800": {}}}), "f: input_schema.properties holds half of a surrogate pair"),
        (tool({"x": object()}), "f: input_schema.x is an object, which has no JSON form"),
        (tool({"minimum": math.nan}), "f: input_schema.minimum is not finite"),
        (tool({"x": {1: 2}}), "f: input_schema.x has a key that is an int, keys are text"),
        (tool({"x": nested(MAX_DEPTH)}), r"f: input_schema.x.* is nested deeper than 100 levels"),
        (tool(title=5), r"f: its listing breaks MCP's form: Expected `str`, got `int` - at `\$.title`"),
        (tool(annotations=ToolAnnotations(read_only_hint=1)), "at `.*readOnlyHint`"),  # type: ignore[arg-type]
        (Prompt(name="f", arguments=[PromptArgument(name="x", description=[])]), "Expected `str`, got `array`"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(entry: Any, words: str) -> None:
    with pytest.raises(RegistrationError, match=words):
        listed_size(entry, "f")


def test_what_no_page_can_hold_is_refused_with_what_to_shorten() -> None:
    schema = {"properties": {"x": {"enum": [f"value {number}" for number in range(30_000)]}}}
    with pytest.raises(
        RegistrationError, match=rf"f: its listing is \d{{3}},\d{{3}} bytes, {PAGE_BYTES:,} fit a page. Shorten input_schema;"
    ):
        listed_size(tool(schema, description="x" * 1000), "f")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_what_has_no_fault_arrives_as_it_is(value: Any) -> None:
    if fault_in(value) is None:
        assert msgspec.json.decode(msgspec.json.encode(value)) == value
