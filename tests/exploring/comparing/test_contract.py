from __future__ import annotations

from typing import Any

from mcp_workbench.exploring.comparing.contract import Contract, promise_of, tools_of
from tests.exploring.comparing.rig import HOSTILE


def listed(name: str, schema: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"} if schema is None else schema, **more}


def contract(before: list[Any], now: list[Any], *, descriptions: bool = False) -> Contract:
    return Contract(tools_of(before), tools_of(now), descriptions=descriptions)


def test_a_tool_that_is_gone_breaks_the_contract_and_a_new_one_does_not() -> None:
    changed = contract([listed("a"), listed("b")], [listed("b"), listed("c")])
    assert (changed.gone, changed.new, changed.changed, changed.ok) == (("a",), ("c",), {}, False)
    assert contract([listed("a")], [listed("a"), listed("c")]).ok
    assert changed.summary() == "contract of 2 tools: gone a; new c"


def test_schemas_and_annotations_are_compared() -> None:
    before = [listed("a", {"properties": {"n": {"type": "integer"}}}, outputSchema={"type": "object"}, annotations={"readOnlyHint": True})]
    now = [listed("a", {"properties": {"n": {"type": "string"}}}, annotations={"readOnlyHint": False})]
    found = contract(before, now).changed["a"]
    assert [each.where for each in found] == ["$.inputSchema.properties.n.type", "$.outputSchema", "$.annotations.readOnlyHint"]


def test_texts_for_people_count_where_that_is_asked_for() -> None:
    schema = {"title": "A", "properties": {"description": {"type": "string", "description": "old", "default": {"title": "kept"}}}}
    after = {"title": "B", "properties": {"description": {"type": "string", "description": "new", "default": {"title": "kept"}}}}
    before, now = [listed("a", schema, description="old")], [listed("a", after, description="new", title="T")]
    assert contract(before, now).ok
    found = contract(before, now, descriptions=True).changed["a"]
    assert [each.where for each in found] == [
        "$.inputSchema.title",
        "$.inputSchema.properties.description.description",
        "$.description",
        "$.title",
    ]
    promised = promise_of(tools_of(before)["a"])
    assert promised == {"inputSchema": {"properties": {"description": {"type": "string", "default": {"title": "kept"}}}}}


def test_what_is_no_tool_is_passed_over_and_an_unknown_past_is_said() -> None:
    assert tools_of([{"name": 7}, {}, listed("a")]).keys() == {"a"}
    assert "not known" in contract([], [listed("a")]).summary()


def test_what_others_said_is_text() -> None:
    changed = contract([listed(HOSTILE, {"default": HOSTILE}), listed(HOSTILE + "2")], [listed(HOSTILE, {"default": 1})])
    assert "<img" not in changed._repr_html_()
    assert "\x1b" not in repr(changed) + changed._repr_html_()


def test_a_default_that_is_a_secret_shows_itself_nowhere() -> None:
    def wanting(password: str, n: int) -> list[Any]:
        return [listed("in", {"properties": {"password": {"default": password}, "n": {"default": n}}})]

    changed = contract(wanting("an ordinary word", 1), wanting("another word", 2))
    assert [each.where for each in changed.changed["in"]] == [
        "$.inputSchema.properties.password.default",
        "$.inputSchema.properties.n.default",
    ]
    for shown in (repr(changed), changed._repr_html_()):
        assert "word" not in shown.replace("password", "")
        assert "‹redacted:" in shown
    assert "$.inputSchema.properties.n.default: 1 → 2" in repr(changed)
