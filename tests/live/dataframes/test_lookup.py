"""From what an agent wrote to the snapshot it means."""

from __future__ import annotations

import pandas as pd
import pytest

from mcp_workbench.live.dataframes.lookup import Lookup, only_known
from mcp_workbench.live.dataframes.names import NotFound, parse_reference
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError


def lookup() -> Lookup:
    dataframes, results = DataFrames(), Results()
    dataframes.publish("flights", pd.DataFrame({"a": [1]}))
    dataframes.touch("flights")
    results.keep(pd.DataFrame({"a": [2]}), "alice")
    return Lookup(dataframes, results)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("flights", "flights v2"),
        ("flights v1", "flights v1"),
        ("df://flights?version=v1", "flights v1"),
        ("_r1", "_r1"),
        ("df://_r1", "_r1"),
    ],
)
def test_what_exists_is_found(text: str, label: str) -> None:
    assert lookup().find(parse_reference(text), "alice").label == label


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("planes", "No DataFrame 'planes' is published. Published: flights."),
        ("flights v7", "flights v7 does not exist yet. Kept: v1, v2 (latest)."),
        ("_r1?", "No DataFrame '_r1?' is published. Published: flights."),
        ("df://_r1?version=2", "_r1 is a result and has no versions; leave version out."),
    ],
)
def test_what_does_not_exist_is_named(text: str, sentence: str) -> None:
    with pytest.raises(NotFound) as missing:
        lookup().find(parse_reference(text), "alice")
    assert str(missing.value) == sentence


def test_a_version_that_is_none_is_a_mistake_in_the_argument() -> None:
    with pytest.raises(ArgumentError, match=r"version is a number like 17 or v17, not 'last'\. Nearest: 2 \(latest\)\."):
        lookup().find(parse_reference("df://flights?version=last"), "alice")
    with pytest.raises(ArgumentError, match=r"not 'last'\.$"):
        lookup().find(parse_reference("df://_r1?version=last"), "alice")


def test_existing_depends_on_who_asks_only_for_results() -> None:
    found = lookup()
    assert found.exists("flights", "bob")
    assert found.exists("_r1", "alice")
    assert found.exists("_r1", None)
    assert not found.exists("_r1", "bob")
    assert not found.exists("planes", None)


def test_unknown_parameters_are_refused() -> None:
    only_known(parse_reference("df://flights?version=1"), ("version",))
    with pytest.raises(ArgumentError, match=r"No parameter 'limt' for flights/rows\. Nearest: limit\."):
        only_known(parse_reference("df://flights/rows?limt=1"), ("limit", "offset"))
    with pytest.raises(ArgumentError, match=r"There are: limit, offset\."):
        only_known(parse_reference("df://flights/rows?xyz=1"), ("limit", "offset"))
