"""URI templates, both ways, and against hostile URIs."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.uri_templates import MAX_PATH, MAX_URI, UriTemplate, best_match

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("template", "uri", "values"),
    [
        ("notes://today", "notes://today", {}),
        ("notes://today", "notes://today/", None),
        ("notes://today", "NOTES://today", {}),
        ("notes://today", "notes://Today", None),
        ("weather://{station}", "weather://JFK", {"station": "JFK"}),
        ("weather://{station}", "weather://", None),
        ("weather://{station}", "weather://JFK/now", None),
        ("weather://{station}", "weather://a?b", None),
        ("weather://{station}", "weather://S%C3%A3o%20Paulo", {"station": "São Paulo"}),
        ("weather://{station}", "weather://São Paulo", {"station": "São Paulo"}),
        ("weather://{station}", "weather://a%2Fb", {"station": "a/b"}),
        ("weather://{station}", "weather://a%252Fb", {"station": "a%2Fb"}),
        ("weather://{station}", "weather://100%", {"station": "100%"}),
        ("weather://{station}", "weather://%FF", None),
        ("weather://{station}", "w%65ather://JFK", None),
        ("weather://{station}/now", "weather://JFK/n%6Fw", {"station": "JFK"}),
        ("x://é/{a}", "x://%C3%A9/1", {"a": "1"}),
        ("x://%C3%A9/{a}", "x://é/1", {"a": "1"}),
        ("x://{a}/Y:z", "x://1/Y:z", {"a": "1"}),
        ("file://{+path}", "file://a/b/c.txt", {"path": "a/b/c.txt"}),
        ("file://{+path}/raw", "file://a/raw/raw", {"path": "a/raw"}),
        ("x://{+a}-{b}", "x://p-q/r-s", {"a": "p-q/r", "b": "s"}),
        ("x://{a}-{b}", "x://1-2-3", {"a": "1", "b": "2-3"}),
        ("x://{a}.csv", "x://a.csv.csv", {"a": "a.csv"}),
        ("df://{name}/rows{?offset,limit}", "df://f/rows", {"name": "f"}),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?", {"name": "f"}),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?limit=5&offset=2", {"name": "f", "limit": "5", "offset": "2"}),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?limit", {"name": "f", "limit": ""}),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?limit=5&limit=6", None),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?limt=5", None),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?limit=a%26b%3D%2B+c", {"name": "f", "limit": "a&b=++c"}),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?limit=%FF", None),
        ("df://{name}/rows{?offset,limit}", "df://f/rows?&", None),
        ("x://y?fixed=1&v={v}", "x://y?fixed=1&v=2", {"v": "2"}),
    ],
)
def test_a_uri_gives_its_values_or_none(template: str, uri: str, values: dict[str, str] | None) -> None:
    assert UriTemplate(template).match(uri) == values


@pytest.mark.parametrize(
    ("template", "position", "found"),
    [
        ("x://{a", 4, "a { without its }"),
        ("x://a}", 5, "a } without its {"),
        ("x://{}", 4, "{}"),
        ("x://{a*}", 4, "{a*}"),
        ("x://{a:3}", 4, "{a:3}"),
        ("x://a{/id}", 5, "{/id}"),
        ("x://a{#id}", 5, "{#id}"),
        ("x://a{&id}", 5, "{&id}"),
        ("x://a{;id}", 5, "{;id}"),
        ("x://a{.id}", 5, "{.id}"),
        ("x://{a,b}", 4, "{a,b}"),
        ("x://{a b}", 4, "{a b}"),
        ("x://{{a}}", 4, "{{a}"),
        ("x://{?a,}", 4, "{?a,}"),
        ("x://{a}{b}", 7, "two variables with no text between them"),
        ("x://y{?a}z", 9, "something after the query expression"),
        ("x://y{?a}{?b}", 9, "something after the query expression"),
        ("x://y?b=1{?a}", 9, "a query expression after a literal ?"),
        ("x://%FF", 4, "percent-encoded bytes that are not UTF-8"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_position(template: str, position: int, found: str) -> None:
    with pytest.raises(RegistrationError, match=rf"position {position}: found {re.escape(found)}"):
        UriTemplate(template)


@pytest.mark.parametrize("template", ["", "today", "/a/b", "{scheme}://x", "1x://a", "x" * 2000 + "://"])
def test_what_is_no_uri_is_refused(template: str) -> None:
    with pytest.raises(RegistrationError, match="Expected a URI with a scheme"):
        UriTemplate(template)


def test_a_variable_stands_once() -> None:
    with pytest.raises(RegistrationError, match="the variable a stands there twice"):
        UriTemplate("x://{a}/y{?a}")


def test_more_pieces_than_anyone_needs_are_refused() -> None:
    with pytest.raises(RegistrationError, match="more than 32 pieces"):
        UriTemplate("x://" + "/".join(f"{{v{number}}}" for number in range(40)))


def test_variables_come_in_order_and_query_ones_are_optional() -> None:
    template = UriTemplate("x://{b}/{+a}{?d,c}")
    assert template.variables == ("b", "a", "d", "c")
    assert template.optional == ("d", "c")


@given(TEXT, TEXT, TEXT, st.text(st.characters(codec="utf-8"), max_size=10))
def test_what_is_expanded_is_matched_again(a: str, b: str, path: str, query: str) -> None:
    template = UriTemplate("x://{a}/{b}/+{+path}{?q,r}")
    values = {"a": a, "b": b, "path": path, "q": query}
    assert template.match(template.expand(**values)) == values


@given(TEXT, st.text(st.characters(codec="utf-8"), max_size=10))
def test_every_way_to_encode_a_uri_matches_alike(value: str, query: str) -> None:
    template = UriTemplate("x://{a}{?q}")
    everything = f"x://{''.join(f'%{byte:02x}' for byte in value.encode())}?q={''.join(f'%{byte:02X}' for byte in query.encode())}"
    assert template.match(everything) == {"a": value, "q": query}
    assert template.match(f"x://{quote(value, safe='')}?q={quote(query, safe='')}") == {"a": value, "q": query}


def test_expanding_needs_the_path_and_knows_its_names() -> None:
    template = UriTemplate("x://{a}{?q}")
    assert template.expand(a="1") == "x://1"
    for wrong in ({}, {"a": ""}, {"a": "1", "z": "2"}):
        with pytest.raises(ValueError, match="needs a value for each of a, q"):
            template.expand(**wrong)


def as_regular_expression(template: str) -> re.Pattern[str]:
    """The obvious way, which backtracks: the oracle for short texts."""
    pattern = re.sub(r"\\{\\\+(\w+)\\}", r"(?P<\1>[^?#]+?)", re.escape(template))
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/?#]+?)", pattern))


@given(
    st.lists(st.sampled_from(["{", "{+"]), min_size=1, max_size=4),
    st.lists(st.text("-/a", min_size=1, max_size=2), min_size=4, max_size=4),
    st.text("-/a?", max_size=14),
)
def test_matching_agrees_with_a_backtracking_oracle(openings: list[str], separators: list[str], rest: str) -> None:
    template = "x:" + "".join(
        f"{separator}{opening}v{number}}}" for number, (separator, opening) in enumerate(zip(separators, openings, strict=False))
    )
    expected = as_regular_expression(template).fullmatch("x:" + rest)
    values = UriTemplate(template).match("x:" + rest)
    assert (values is None) == (expected is None)
    if values is not None and expected is not None:
        assert values == expected.groupdict()


def test_a_hostile_uri_costs_no_more_than_its_length() -> None:
    template = UriTemplate("x://" + "-".join(f"{{+v{number}}}" for number in range(15)) + "/end")
    # A backtracking matcher would try about 2,000 ** 14 / 14! ways here and never come back.
    assert template.match("x://" + "-" * (MAX_PATH - 10)) is None


def test_a_uri_past_the_bounds_matches_nothing() -> None:
    template = UriTemplate("x:{a}{?q}")
    assert template.match("x:" + "a" * (MAX_PATH - 2)) is not None
    assert template.match("x:" + "a" * (MAX_PATH - 1)) is None
    assert template.match("x:a?q=" + "a" * (MAX_URI - 6)) is not None
    assert template.match("x:a?q=" + "a" * (MAX_URI - 5)) is None


@given(st.text(max_size=60))
def test_no_uri_raises(uri: str) -> None:
    for template in ("x://{a}", "x:{+a}{?q}"):
        UriTemplate(template).match("x:" + uri)
        UriTemplate(template).match(uri)


@given(st.text("x:/{}?+,ab%2", max_size=20))
def test_any_template_is_parsed_or_refused(text: str) -> None:
    try:
        template = UriTemplate("x:" + text)
    except RegistrationError:
        return
    values = dict.fromkeys(template.variables, "v")
    assert template.match(template.expand(**values)) is not None


def test_the_most_literal_template_is_meant() -> None:
    templates = {
        name: UriTemplate(text) for name, text in {"any": "df://{+rest}", "rows": "df://{name}/rows", "one": "df://f/rows"}.items()
    }
    assert best_match(templates, "df://f/rows") == ("one", {})
    assert best_match(templates, "df://g/rows") == ("rows", {"name": "g"})
    assert best_match(templates, "df://g/h") == ("any", {"rest": "g/h"})
    assert best_match(templates, "other://") is None
