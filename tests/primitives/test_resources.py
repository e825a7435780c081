"""Functions as resources."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.resources import define_resource, find_resource
from mcp_workbench.protocol.wire import Resource, ResourceTemplate


class Context:
    pass


def weather(station: str, days: int = 1, unit: Literal["C", "F"] = "C") -> str:
    """The weather.

    Args:
        station: Where.
    """
    return f"{station} {days} {unit}"


def today() -> str:
    return "today"


def listed(definition: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(definition.listed))
    return decoded


def test_a_uri_without_variables_is_one_resource() -> None:
    definition = define_resource("notes://today", today, title="Today", mime_type="text/markdown")
    assert isinstance(definition.listed, Resource)
    assert not definition.is_template
    assert listed(definition) == {"uri": "notes://today", "name": "today", "title": "Today", "mimeType": "text/markdown"}


def test_a_uri_with_variables_is_a_template() -> None:
    definition = define_resource("weather://{station}{?days}", weather)
    assert isinstance(definition.listed, ResourceTemplate)
    assert definition.is_template
    assert definition.uri == "weather://{station}{?days}"
    assert listed(definition) == {"uriTemplate": "weather://{station}{?days}", "name": "weather", "description": "The weather."}


def test_values_out_of_the_uri_are_converted_like_a_tools_arguments() -> None:
    definition = define_resource("weather://{station}{?days}", weather)
    found = find_resource([definition], "weather://JFK?days=3")
    assert found is not None
    assert found[0].arguments.bind(found[1]).kwargs == {"station": "JFK", "days": 3}
    wrong = find_resource([definition], "weather://JFK?days=many")
    assert wrong is not None
    with pytest.raises(ArgumentError, match='days: expected a valid integer, got text "many"'):
        definition.arguments.bind(wrong[1])


def test_of_two_that_match_the_more_literal_one_is_read() -> None:
    definitions = [define_resource("weather://{station}", weather), define_resource("weather://JFK", today)]
    found = find_resource(definitions, "weather://JFK")
    assert found is not None
    assert found[0].name == "today"
    assert find_resource(definitions, "weather://") is None


def test_a_resource_may_take_a_context() -> None:
    def note(ctx: Context) -> str:
        return ""

    assert define_resource("notes://a", note, sync_context=Context).context_parameter == "ctx"


def test_known_values_of_variables_are_kept_for_completion() -> None:
    definition = define_resource("weather://{station}{?unit}", weather, completions={"station": lambda prefix, context: ["JFK"]})
    assert definition.choices == {"unit": ("C", "F")}
    assert list(definition.completers) == ["station"]


def needs_more(station: str, day: int) -> str:
    return ""


@pytest.mark.parametrize(
    ("uri", "function", "options", "words"),
    [
        ("weather://{city}", weather, {}, "has the variable city, the function has no such parameter"),
        ("weather://{station}", needs_more, {}, r"parameter day is no variable of .*; add \{day\} or give it a default"),
        ("weather://{station}{?day}", needs_more, {}, "day stands in the query and may be left out"),
        ("weather", weather, {}, "Expected a URI with a scheme"),
        (weather, weather, {}, "A resource needs its URI first"),
        ("notes://a", lambda: 1, {}, "This resource has no name"),
        ("weather://{station}", weather, {"completions": {"sation": list}}, "nearest is station"),
        ("weather://{station}", weather, {"timeout_s": -1}, "timeout_s"),
    ],
)
def test_function_and_uri_must_fit_together(uri: object, function: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(RegistrationError, match=words):
        define_resource(uri, function, **options)


def test_the_digest_changes_with_what_is_listed() -> None:
    first, again = define_resource("notes://a", today), define_resource("notes://a", today)
    assert first.digest == again.digest
    assert first.digest != define_resource("notes://b", today).digest
