"""Docstrings of every style, and of none."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.primitives.docstrings import Documentation, parse_docstring, read_documentation

GOOGLE = """Busiest routes.

    Counts flights per pair.

    Args:
        n: How many
            routes.
        unknown: Not in the signature.

    Returns:
        A table.

    Raises:
        ValueError: Never.
    """
NUMPY = """Busiest routes.

    Counts flights per pair.

    Parameters
    ----------
    n : int
        How many
        routes.

    Returns
    -------
    DataFrame
        A table.
    """
SPHINX = """Busiest routes.

    Counts flights per pair.

    :param n: How many
        routes.
    :returns: A table.
    """


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, SPHINX])
def test_every_style_says_the_same(docstring: str) -> None:
    documentation = parse_docstring(docstring)
    assert documentation.text == "Busiest routes.\n\nCounts flights per pair."
    assert documentation.parameters["n"] == "How many routes."
    assert documentation.returns == "A table."
    assert documentation.description() == "Busiest routes.\n\nCounts flights per pair.\n\nReturns: A table."


def test_text_without_sections_is_all_description() -> None:
    assert parse_docstring("Just words.\n\n    More words.") == Documentation("Just words.\n\nMore words.")


def test_no_docstring_is_no_documentation() -> None:
    def silent() -> None: ...

    assert read_documentation(silent).description() == ""


def test_notes_stay_in_the_text() -> None:
    assert parse_docstring("Do it.\n\nNote:\n    Slow.\n").text == "Do it.\n\nNote: Slow."


def test_nothing_is_logged_about_other_peoples_docstrings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for docstring in (GOOGLE, NUMPY, SPHINX, "Args:\n  : :\n\nReturns:\n"):
            parse_docstring(docstring)
    assert caplog.records == []


@given(
    st.lists(
        st.sampled_from(
            ["Args:", "    n: x", "Parameters", "----------", ":param n", ":returns:", "Note:", "", "word", "  *a, b : int", "Returns:"]
        )
    )
)
def test_any_docstring_is_parsed(lines: list[str]) -> None:
    parse_docstring("\n".join(lines))
