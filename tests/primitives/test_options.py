"""Options that tools, resources and prompts share."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import msgspec
import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.options import (
    MAX_ENTRIES,
    MAX_TEXT_BYTES,
    checked_count,
    checked_flag,
    checked_icons,
    checked_name,
    checked_run_on,
    checked_tags,
    checked_text,
    checked_timeout,
    digest_of,
    one_struct,
)
from mcp_workbench.protocol.wire import Icon, Tool, ToolAnnotations


def function() -> None: ...


def test_the_name_is_the_functions_own_or_the_given_one() -> None:
    assert checked_name(None, function, "tool") == "function"
    assert checked_name("a.b-c_9", function, "tool") == "a.b-c_9"
    assert checked_name("x" * 128, function, "tool") == "x" * 128


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "naïve", "a/b", "a\n", 3])
def test_a_name_mcp_does_not_allow_is_refused(name: object) -> None:
    with pytest.raises(RegistrationError, match="A tool cannot be named"):
        checked_name(name, function, "tool")


@pytest.mark.parametrize("nameless", [lambda: 1, functools.partial(function)])
def test_what_has_no_name_says_how_to_give_one(nameless: Any) -> None:
    with pytest.raises(RegistrationError, match=r"This prompt has no name of its own .* give it one, for instance name="):
        checked_name(None, nameless, "prompt")


def test_where_a_function_runs_follows_from_its_kind() -> None:
    assert checked_run_on(None, is_async=False, label="f") == "thread"
    assert checked_run_on(None, is_async=True, label="f") == "async"
    assert checked_run_on("inline", is_async=False, label="f") == "inline"
    assert [checked_run_on("main", is_async=is_async, label="f") for is_async in (False, True)] == ["main", "main"]


@pytest.mark.parametrize("run_on", ["dask", "Main", object(), 3])
def test_places_this_version_does_not_have_say_so(run_on: object) -> None:
    with pytest.raises(RegistrationError, match="is not in this version"):
        checked_run_on(run_on, is_async=False, label="f")


def test_a_slip_of_the_pen_is_told_the_nearest_place() -> None:
    with pytest.raises(RegistrationError, match='run_on="mian" is not in this version, nearest is "main"; write "thread"'):
        checked_run_on("mian", is_async=False, label="f")


@pytest.mark.parametrize(("run_on", "is_async"), [("thread", True), ("inline", True), ("async", False)])
def test_a_place_the_function_cannot_run_at_is_refused(run_on: str, is_async: bool) -> None:
    with pytest.raises(RegistrationError, match=rf'f: run_on="{run_on}" is for an? '):
        checked_run_on(run_on, is_async=is_async, label="f")


def test_a_timeout_is_a_positive_number_of_seconds() -> None:
    assert checked_timeout(None, "f") is None
    assert checked_timeout(5, "f") == 5.0
    for wrong in (0, -1, float("inf"), float("nan"), True, "5"):
        with pytest.raises(RegistrationError, match="timeout_s is a number of seconds above 0"):
            checked_timeout(wrong, "f")


def test_a_count_starts_at_one() -> None:
    assert checked_count(1, "version", "f") == 1
    for wrong in (0, -1, 1.5, True, "2"):
        with pytest.raises(RegistrationError, match="f: version is a whole number from 1 up"):
            checked_count(wrong, "version", "f")


def test_a_text_is_listed_as_it_is_and_an_empty_one_not_at_all() -> None:
    assert checked_text("é\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "title", "f") == "é😀"
    assert checked_text("x" * MAX_TEXT_BYTES, "title", "f") == "x" * MAX_TEXT_BYTES
    assert checked_text(None, "title", "f") is msgspec.UNSET
    assert checked_text("", "title", "f") is msgspec.UNSET


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (5, "f: title is text, got the number 5"),
        (b"x", "f: title is text, got a bytes"),
        ("\ud800", "f: title holds half of a surrogate pair"),
        ("x" * (MAX_TEXT_BYTES + 1), "f: title is 65,537 bytes, 65,536 are listed"),
        ("é" * MAX_TEXT_BYTES, "f: title is 131,072 bytes"),
    ],
)
def test_a_text_that_cannot_be_listed_says_why(text: object, words: str) -> None:
    with pytest.raises(RegistrationError, match=words):
        checked_text(text, "title", "f")


def test_a_flag_is_a_bool_and_nothing_that_looks_like_one() -> None:
    assert [checked_flag(flag, "read_only", "f") for flag in (None, True, False)] == [None, True, False]
    for wrong in (0, 1, "", "x", "no", b""):
        with pytest.raises(RegistrationError, match="f: read_only is True or False, got "):
            checked_flag(wrong, "read_only", "f")


def test_tags_are_one_text_or_some() -> None:
    assert checked_tags("one", "f") == {"one"}
    assert checked_tags({"a", "b"}, "f") == checked_tags(iter(["a", "b"]), "f") == {"a", "b"}
    assert checked_tags((), "f") == frozenset()


def test_an_option_without_end_is_refused_at_its_bound() -> None:
    for check, value in ((checked_tags, "x"), (checked_icons, "https://x")):
        with pytest.raises(RegistrationError, match=f"takes up to {MAX_ENTRIES}, got more"):
            check(itertools.repeat(value), "f")


def test_an_object_is_checked_like_its_members() -> None:
    assert one_struct(ToolAnnotations, ToolAnnotations(title="t"), "f") == ToolAnnotations(title="t")
    with pytest.raises(RegistrationError, match="f: ToolAnnotations: Expected `str`, got `int`"):
        one_struct(ToolAnnotations, ToolAnnotations(title=5), "f")  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match="f: Icon: Expected `str`, got `int`"):
        checked_icons(Icon(src=5), "f")  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match="f: expected Icon or its members by name, got the number 5"):
        checked_icons([5], "f")
    with pytest.raises(RegistrationError, match='f: Icon has no member "int"'):
        checked_icons([{5: 5}], "f")


def test_an_icon_may_be_given_as_its_uri() -> None:
    assert checked_icons("https://example.org/a.png", "f") == [Icon(src="https://example.org/a.png")]
    assert checked_icons([{"src": "data:,x", "mime_type": "image/png"}], "f") == [Icon(src="data:,x", mime_type="image/png")]
    assert checked_icons([], "f") is msgspec.UNSET
    assert checked_icons(None, "f") is msgspec.UNSET


@pytest.mark.parametrize("src", ["javascript:alert(1)", "http://example.org/a.png", "file:///etc/passwd", ""])
def test_an_icon_from_elsewhere_is_refused(src: str) -> None:
    with pytest.raises(RegistrationError, match="an icon's src begins with https:// or data:"):
        checked_icons([src], "f")


def test_members_may_be_named_as_in_python_or_as_on_the_wire() -> None:
    expected = ToolAnnotations(read_only_hint=True)
    assert one_struct(ToolAnnotations, {"read_only_hint": True}, "f") == expected
    assert one_struct(ToolAnnotations, {"readOnlyHint": True}, "f") == expected


def test_an_unknown_or_wrong_member_is_refused() -> None:
    with pytest.raises(RegistrationError, match='has no member "readonly_hint", nearest is read_only_hint'):
        one_struct(ToolAnnotations, {"readonly_hint": True}, "f")
    with pytest.raises(RegistrationError, match="f: ToolAnnotations: Expected `bool`, got `int`"):
        one_struct(ToolAnnotations, {"read_only_hint": 1}, "f")


def test_the_digest_does_not_depend_on_the_order_of_members() -> None:
    one = Tool(name="f", input_schema={"a": 1, "b": 2})
    other = Tool(name="f", input_schema={"b": 2, "a": 1})
    assert digest_of(one, 1) == digest_of(other, 1)
    assert digest_of(one, 1) != digest_of(one, 2)
