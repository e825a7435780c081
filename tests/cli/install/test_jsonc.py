"""One entry into JSON that people write, and out again; every other byte stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.jsonc import drop_entry, parse, put_entry, read_entry

ENTRY = {"command": "/opt/python", "args": ["-m", "mcp_workbench", "bridge"]}
SECTION = "mcpServers"

VS_CODE = """\
{
	// servers of mine
	"inputs": [], /* none */
	"servers": { // by hand
		// the first
		"github": {"url": "https://example.org/mcp"}, // with a trailing comma
	},
}
"""


def put(text: str) -> str:
    return put_entry(text, SECTION, "notebook", ENTRY)


def drop(text: str) -> str:
    return drop_entry(text, SECTION, "notebook")


def test_comments_tabs_and_trailing_commas_stay_and_the_entry_looks_like_its_neighbours() -> None:
    after = put_entry(VS_CODE, "servers", "notebook", {"command": "python"})
    assert after == VS_CODE.replace("// by hand", '// by hand\n\t\t"notebook": {\n\t\t\t"command": "python"\n\t\t},')
    assert drop_entry(after, "servers", "notebook") == VS_CODE


@pytest.mark.parametrize(
    "text", ["", " \n", "{}", "{ }", "{\n}\n", '{"mcpServers": {}}', '{"a": 1, "mcpServers": {\n}}', '{"a": {"b": []},}']
)
def test_a_file_without_servers_gets_the_entry_and_keeps_the_rest(text: str) -> None:
    after = put(text)
    assert read_entry(after, SECTION, "notebook") == ENTRY
    before = parse(text).data if text.strip() else {}
    assert parse(after).data == before | {SECTION: {"notebook": ENTRY}}
    assert parse(drop(after)).data == before | {SECTION: {}}


def test_line_ends_of_windows_stay_the_only_ones() -> None:
    after = put('{\r\n    "mcpServers": {\r\n        "a": {}\r\n    }\r\n}\r\n')
    assert after.count("\n") == after.count("\r\n") > 10


def test_a_file_of_one_line_stays_one() -> None:
    assert "\n" not in put('{"mcpServers": {"a": {}}}')


def test_an_entry_of_that_name_is_replaced_where_it_stands() -> None:
    text = '{\n  "mcpServers": {\n    "a": {}, "notebook": {"url": "x"}, // mine\n    "b": {}\n  }\n}\n'
    after = put(text)
    assert after.replace(json.dumps(ENTRY, indent=2).replace("\n", "\n    "), '{"url": "x"}') == text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('{"mcpServers": {"a": 1, "notebook": {}}}', '{"mcpServers": {"a": 1}}'),
        ('{"mcpServers": {"a": 1, /* of a */ "notebook": {}}}', '{"mcpServers": {"a": 1 /* of a */ }}'),
        ('{"mcpServers": {"a": 1,\n  // mine\n  "notebook": {}\n}}', '{"mcpServers": {"a": 1\n  // mine\n}}'),
        ('{"mcpServers": {\n  "a": 1, // of a\n  "notebook": {}, "b": 2\n}}', '{"mcpServers": {\n  "a": 1, // of a\n  "b": 2\n}}'),
        ('{"mcpServers": {\n  "notebook": {} // mine\n}}', '{"mcpServers": {\n   // mine\n}}'),
        ('{"mcpServers": {"notebook": {},}}', '{"mcpServers": {}}'),
        ('{"mcpServers": {}}', '{"mcpServers": {}}'),
        ("{}", "{}"),
    ],
)
def test_an_entry_that_people_have_moved_is_removed_with_its_comma(text: str, rest: str) -> None:
    assert drop(text) == rest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1', "line 1 is not understood: a comma or } is expected, it ends there"),
        ('{\n"a": 1\n"b": 2}', "line 3 is not understood: a comma or } is expected, something else is there"),
        ("{'a': 1}", "a name in quotes is expected"),
        ('{"a" 1}', "a colon is expected"),
        ('{"a": }', "a value is expected"),
        ('{"a": sk-secret}', "a value is expected"),
        ('{"a": NaN}', "a value is expected"),
        ('{"a": [1 2]}', "a comma or ] is expected"),
        ('{"a": "\\q"}', "a value is expected"),
        ("{} {}", "nothing more is expected"),
        ("{} /* ", "nothing more is expected"),
        ("[]", "is no JSON object"),
        ('{"mcpServers": []}', "'mcpServers' in it is no JSON object"),
        ('{"mcpServers": {}, "mcpServers": {}}', "2 members called 'mcpServers'"),
        ('{"mcpServers": {"notebook": {}, "notebook": {}}}', "2 members called 'notebook'"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested deeper than 100"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_place_and_never_shown(text: str, sentence: str) -> None:
    for act in (put, drop):
        with pytest.raises(Refused) as refusal:
            act(text)
        assert sentence in str(refusal.value)
        assert "secret" not in str(refusal.value)


NAMES = st.sampled_from(["a", "mcpServers", "notebook", "é\n", "//", ""])
SPACE = st.text(alphabet=" \t\n", max_size=3) | st.sampled_from([" // c\n", "/* c */", "/* {\n */ ", '\n  // "x": 1,\n'])
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "{", "// no comment", '"', "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def written(draw: st.DrawFn, data: Any) -> str:
    """Some data as somebody may have written it."""
    if not isinstance(data, (list, dict)):
        return json.dumps(data, ensure_ascii=draw(st.booleans()))
    parts: list[str] = []
    for item in data:
        name = f"{json.dumps(item)}{draw(SPACE)}:{draw(SPACE)}" if isinstance(data, dict) else ""
        parts.append(f"{draw(SPACE)}{name}{draw(written(data[item] if isinstance(data, dict) else item))}{draw(SPACE)}")
    trailing = draw(st.sampled_from(["", ","])) if parts else ""
    opening, closing = "{}" if isinstance(data, dict) else "[]"
    return f"{opening}{','.join(parts)}{trailing}{draw(SPACE)}{closing}"


@given(
    others=st.dictionaries(st.sampled_from(["a", "//"]), DATA, max_size=2),
    servers=st.none() | st.dictionaries(NAMES, DATA, max_size=3),
    draw=st.data(),
)
def test_however_it_is_written_only_the_entry_is_put_in_replaced_and_taken_out(
    others: dict[str, Any], servers: dict[str, Any] | None, draw: st.DataObject
) -> None:
    data = others if servers is None else others | {SECTION: servers}
    text = draw.draw(SPACE) + draw.draw(written(data)) + draw.draw(SPACE)
    assert parse(text).data == data
    after = put(text)
    assert parse(after).data == data | {SECTION: (servers or {}) | {"notebook": ENTRY}}
    assert put(after) == after
    start = next((at for at, (one, other) in enumerate(zip(text, after, strict=False)) if one != other), len(text))
    if "notebook" not in (servers or {}):
        assert text[start:] == after[len(after) - len(text) + start :], "one piece was put in, and nothing else was touched"
    gone = drop(after)
    assert parse(gone).data == data | {SECTION: {name: value for name, value in (servers or {}).items() if name != "notebook"}}
    if servers and "notebook" not in servers:
        assert gone == text
