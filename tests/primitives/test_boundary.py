"""Whatever the author's code does at registration: a definition, or a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.boundary import concerning, ends_in_a_sentence
from mcp_workbench.primitives.prompts import define_prompt
from mcp_workbench.primitives.resources import define_resource
from mcp_workbench.primitives.tools import define_tool


class Hostile:
    """Answers every question by raising."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise AssertionError("repr was called")


def define_thing(function: object, *, title: str | None = None, error: BaseException | None = None, binders: Any = ()) -> str:
    if error is not None:
        raise error
    return f"{title}"


defined = ends_in_a_sentence(define_thing)


def refused(function: object, **options: Any) -> RegistrationError:
    with pytest.raises(RegistrationError) as caught:
        defined(function, **options)
    return caught.value


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), SystemExit(3), GeneratorExit(), RecursionError(), StopIteration()])
def test_whatever_is_raised_becomes_a_sentence_from_the_original(error: BaseException) -> None:
    refusal = refused(refused, error=error)
    assert str(refusal) == f"refused cannot be offered: reading it raised {type(error).__name__}."
    assert refusal.__cause__ is error


def test_a_refusal_from_inside_is_kept_as_it_is() -> None:
    inner = RegistrationError("the better sentence")
    assert refused(refused, error=inner) is inner


def test_an_interrupt_is_the_users_and_passes() -> None:
    with pytest.raises(KeyboardInterrupt), concerning("f"):
        raise KeyboardInterrupt


def test_an_unknown_option_is_answered_with_the_nearest_one() -> None:
    assert str(refused(refused, tilte="x")) == "refused: a thing has no option tilte; nearest is title."


def test_without_a_near_one_the_authors_options_are_named() -> None:
    assert str(refused(refused, zzz=1)) == "refused: a thing has no option zzz; it has title, error."


def test_a_function_of_which_nothing_can_be_asked_is_called_by_its_type() -> None:
    assert str(refused(Hostile(), error=OSError())).startswith("a ")
    assert "Hostile cannot be offered: reading it raised OSError." in str(refused(Hostile(), error=OSError()))


def plain(x: int = 1) -> None:
    """Nothing."""


DEFINE = [define_tool, define_prompt, lambda function, **options: define_resource("note://a", function, **options)]
WRONG: list[tuple[str, Any]] = [
    *[(option, value) for option in ("title", "description") for value in (5, b"x", ["x"], Hostile(), "\ud800", "x" * 70_000)],
    *[("icons", value) for value in (5, Hostile(), [5], "\ud800", "https://\ud800", [{"src": 5}], [{5: 5}], iter(lambda: "https://x", ""))],
    *[("name", value) for value in (5, "", "\ud800", Hostile())],
    *[("version", value) for value in (0, 1.0, True, 10**400, Hostile())],
    *[("timeout_s", value) for value in (0, True, "5", 10**400, float("nan"), Hostile())],
    *[("run_on", value) for value in (5, "dask", Hostile())],
    ("titel", "x"),
]


@pytest.mark.parametrize("define", DEFINE, ids=["tool", "prompt", "resource"])
@pytest.mark.parametrize(("option", "value"), WRONG, ids=[f"{option}-{number}" for number, (option, _) in enumerate(WRONG)])
def test_a_wrong_option_is_refused_before_it_can_spoil_a_list(define: Any, option: str, value: Any) -> None:
    with pytest.raises(RegistrationError, match=r"plain|cannot be named") as caught:
        define(plain, **{option: value})
    assert len(str(caught.value)) < 400


TOOL_WRONG: list[tuple[str, Any, str]] = [
    ("read_only", 1, "plain: read_only is True or False, got the number 1"),
    ("read_only", "x", 'plain: read_only is True or False, got text "x"'),
    ("destructive", [], "plain: destructive is True or False, got an array of 0 items"),
    ("annotations", 5, "plain: annotations: expected ToolAnnotations or its members by name, got the number 5"),
    ("annotations", {"title": "\ud800"}, "plain: annotations.title holds half of a surrogate pair"),
    ("tags", 5, "plain: tags takes one or a list of them, got the number 5"),
    ("tags", [5], "plain: a tag is text, got the number 5"),
    ("max_chars", 10**30, "plain: max_chars is a whole number from 1 up to 1,000,000,000,000,000, got the number 1"),
    ("readonly", True, "plain: a tool has no option readonly; nearest is read_only"),
]


@pytest.mark.parametrize(("option", "value", "words"), TOOL_WRONG)
def test_a_wrong_option_of_a_tool_names_option_and_value(option: str, value: Any, words: str) -> None:
    with pytest.raises(RegistrationError, match=words):
        define_tool(plain, **{option: value})


def test_a_mime_type_is_text() -> None:
    with pytest.raises(RegistrationError, match="plain: mime_type is text, got the number 7"):
        define_resource("note://a", plain, mime_type=7)  # type: ignore[arg-type]


def test_completions_are_a_mapping() -> None:
    with pytest.raises(RegistrationError, match="plain: completions is a dict of completers by argument, got the number 5"):
        define_prompt(plain, completions=5)  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match=r"plain: completions names a .*Hostile, which is none of its arguments"):
        define_prompt(plain, completions={Hostile(): list})  # type: ignore[dict-item]


def test_a_uri_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(RegistrationError, match="plain: uri holds half of a surrogate pair"):
        define_resource("note://\ud800", plain)


def test_texts_of_derived_types_are_listed_as_what_they_say() -> None:
    class Name(str):
        def __str__(self) -> str:
            raise AssertionError("str was called")

    tool = define_tool(plain, name=Name("n"), title=Name("t"), description=Name("d"), tags=Name("g"))
    texts = [tool.name, tool.listed.title, tool.listed.description, *tool.tags]
    assert texts == ["n", "t", "d", "g"]
    assert [type(text) for text in texts] == [str] * 4
    assert define_resource(Name("note://a"), plain, mime_type=Name("text/html")).mime_type == "text/html"


@pytest.mark.parametrize("define", DEFINE, ids=["tool", "prompt", "resource"])
@pytest.mark.parametrize("docstring", [5, b"x", Hostile(), "\ud800", "x" * 70_000], ids=["int", "bytes", "hostile", "half", "long"])
def test_a_docstring_that_cannot_be_listed_is_refused(define: Any, docstring: Any) -> None:
    def documented() -> None: ...

    documented.__doc__ = docstring
    with pytest.raises(RegistrationError, match="documented"):
        define(documented)
