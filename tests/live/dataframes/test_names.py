"""How agents refer to DataFrames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.dataframes.names import Reference, is_result, parse_reference, parse_uri, parse_version, said, unknown_name


@pytest.mark.parametrize(
    ("uri", "reference"),
    [
        ("df://flights", Reference("flights")),
        ("df://flights/", Reference("flights")),
        ("DF://flights/rows", Reference("flights", ("rows",))),
        ("df://fl%69ghts/r%6Fws?limit=5&columns=a%2Cb", Reference("flights", ("rows",), (("limit", "5"), ("columns", "a,b")))),
        (
            "df://flights/rows?columns=dep+delay&columns=a%2Bb",
            Reference("flights", ("rows",), (("columns", "dep delay"), ("columns", "a+b"))),
        ),
        ("df://_r7?version=", Reference("_r7", (), (("version", ""),))),
        ("df://flights#part", Reference("flights")),
        ("df://", None),
        ("df:flights", None),
        ("http://flights", None),
        ("flights", None),
    ],
)
def test_uris_are_taken_apart_and_decoded(uri: str, reference: Reference | None) -> None:
    assert parse_uri(uri) == reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("flights", Reference("flights")),
        (" flights ", Reference("flights")),
        ("flights v17", Reference("flights", (), (("version", "v17"),))),
        ("df://flights?version=3", Reference("flights", (), (("version", "3"),))),
        ("_r7", Reference("_r7")),
    ],
)
def test_references_are_what_models_send(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@given(st.text())
def test_any_text_is_a_reference_of_some_kind(text: str) -> None:
    assert isinstance(parse_reference(text).name, str)


@pytest.mark.parametrize(
    ("text", "version"), [("17", 17), ("v17", 17), (" 3 ", 3), ("0", None), ("-1", None), ("1.5", None), ("", None), ("v", None)]
)
def test_versions_are_counted_from_one(text: str, version: int | None) -> None:
    assert parse_version(text) == version


def test_results_have_names_of_their_own() -> None:
    assert is_result("_r7")
    assert not any(is_result(name) for name in ("r7", "_r", "_r0", "_r7x", "flights"))


def test_an_unknown_name_brings_the_nearest_or_the_list() -> None:
    assert unknown_name("flightz", ["flights", "planes"]) == "No DataFrame 'flightz' is published. Nearest: flights."
    assert unknown_name("x", ["planes", "flights"]) == "No DataFrame 'x' is published. Published: flights, planes."
    assert unknown_name("x", [f"table_{n}" for n in range(10)]).endswith("table_7 and 2 more.")
    assert unknown_name("x", []) == "No DataFrame 'x': nothing is published yet."


def test_what_agents_wrote_is_quoted_short() -> None:
    assert said("a\nb") == "'a\\nb'"
    assert len(said("x" * 500)) < 70
