"""Functions as tools."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import mcp_types
import msgspec
import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.events import DefinedAt
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol.wire import ToolAnnotations


class Context:
    pass


class AsyncContext:
    pass


def top_routes(n: int = 5) -> dict[str, int]:
    """Busiest routes.

    Args:
        n: How many routes.

    Returns:
        Flights by route.
    """
    return {"JFK-LAX": n}


def listed(tool: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(tool.listed))
    return decoded


def test_a_function_is_listed_by_signature_and_docstring() -> None:
    assert listed(define_tool(top_routes)) == {
        "name": "top_routes",
        "description": "Busiest routes.\n\nReturns: Flights by route.",
        "inputSchema": {
            "type": "object",
            "properties": {"n": {"type": "integer", "default": 5, "description": "How many routes."}},
            "additionalProperties": False,
        },
        "outputSchema": {"type": "object", "additionalProperties": {"type": "integer"}},
    }


def test_the_official_types_accept_what_is_listed() -> None:
    tool = define_tool(
        top_routes,
        title="Routes",
        icons="https://example.org/i.png",
        read_only=True,
        annotations={"title": "Routes", "idempotent_hint": True},
    )
    parsed = mcp_types.Tool.model_validate(listed(tool))
    assert parsed.annotations is not None
    assert parsed.annotations.read_only_hint is True
    assert parsed.output_schema is not None


def test_a_definition_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        define_tool(top_routes).name = "other"  # type: ignore[misc]


def test_defaults_and_what_the_author_says() -> None:
    plain = define_tool(top_routes)
    assert (plain.timeout_s, plain.max_chars, plain.version, plain.tags) == (None, None, 1, frozenset())
    told = define_tool(
        top_routes, name="routes", description="Mine.", tags=["a", "b"], timeout_s=2, max_chars=100, version=3, run_on="inline"
    )
    assert (told.name, told.timeout_s, told.max_chars, told.version, told.tags) == ("routes", 2.0, 100, 3, frozenset({"a", "b"}))
    assert (plain.run_on, told.run_on) == ("thread", "inline")
    assert listed(told)["description"] == "Mine."
    assert define_tool(top_routes, tags="one").tags == {"one"}


def test_hints_may_be_given_short() -> None:
    tool = define_tool(top_routes, destructive=True, annotations=ToolAnnotations(title="T"))
    assert listed(tool)["annotations"] == {"title": "T", "destructiveHint": True}
    assert "annotations" not in listed(define_tool(top_routes))


def test_hints_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(RegistrationError, match="read_only=True and the annotation read_only_hint=False disagree"):
        define_tool(top_routes, read_only=True, annotations={"readOnlyHint": False})
    with pytest.raises(RegistrationError, match="a tool that is read_only cannot be destructive"):
        define_tool(top_routes, read_only=True, destructive=True)


def test_the_context_is_passed_by_name_and_never_listed() -> None:
    def tool(a: int, ctx: Context) -> None: ...
    async def awaited(a: int, ctx: AsyncContext) -> None: ...

    for function, run_on in ((tool, "thread"), (awaited, "async")):
        definition = define_tool(function, sync_context=Context, async_context=AsyncContext)
        assert definition.context_parameter == "ctx"
        assert definition.run_on == run_on
        assert list(listed(definition)["inputSchema"]["properties"]) == ["a"]


def test_the_wrong_context_fails_at_registration() -> None:
    async def awaited(ctx: Context) -> None: ...

    with pytest.raises(RegistrationError, match="an async def takes AsyncContext"):
        define_tool(awaited, sync_context=Context, async_context=AsyncContext)


def remade(default: int) -> Callable[[int], int]:
    def tool(n: int = default) -> int:
        return n

    return tool


def test_the_digest_changes_only_with_what_is_published() -> None:
    first, again, other = (define_tool(remade(default)) for default in (1, 1, 2))
    assert first.digest == again.digest
    assert first.function is not again.function
    assert first.digest != other.digest
    assert first.digest != define_tool(remade(1), version=2).digest
    assert first.digest == define_tool(remade(1), defined_at=DefinedAt("<cell>", 1, "[9]"), timeout_s=3).digest


def test_where_it_was_defined_is_read_off_or_told() -> None:
    assert define_tool(top_routes).defined_at.file == "test_tools.py"
    where = DefinedAt("<cell>", 2, "[12]")
    assert define_tool(top_routes, defined_at=where).defined_at is where


def test_a_partial_is_a_tool_under_a_name_of_its_own() -> None:
    def scale(x: int, factor: int) -> int:
        return x * factor

    tool = define_tool(functools.partial(scale, factor=3), name="triple")
    bound = tool.arguments.bind({"x": 2})
    assert tool.function(**bound.kwargs) == 6


@pytest.mark.parametrize(
    ("function", "options", "words"),
    [
        (lambda: 1, {}, "has no name of its own"),
        (dict, {}, "dict is a class"),
        (top_routes, {"name": "top routes"}, "cannot be named"),
        (top_routes, {"run_on": "dask"}, 'run_on="dask" is not in this version'),
        (top_routes, {"timeout_s": 0}, "timeout_s"),
        (top_routes, {"max_chars": 0}, "max_chars"),
        (top_routes, {"version": 0}, "version"),
        (top_routes, {"icons": "ftp://x"}, "an icon's src"),
    ],
)
def test_what_cannot_be_offered_is_refused_at_registration(function: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(RegistrationError, match=words):
        define_tool(function, **options)


def test_a_tool_that_needs_a_task_must_be_able_to_become_one() -> None:
    def long() -> None: ...

    with pytest.raises(RegistrationError, match='with run_on="inline" a call never goes on'):
        define_tool(long, needs_task=True, run_on="inline")
    with pytest.raises(RegistrationError, match="with background_after_s=None a call never goes on"):
        define_tool(long, needs_task=True, background_after_s=None)
    with pytest.raises(RegistrationError, match="needs_task is True or False"):
        define_tool(long, needs_task="yes")  # type: ignore[arg-type]  # what an author may write
    assert (define_tool(long, needs_task=True).needs_task, define_tool(long).needs_task) == (True, False)
