"""Describe, sample, distinct values and changes, as JSON by URI."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pandas as pd
import pytest

from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.reading import DataFrameResources
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError


def notebook(max_chars: int = 100_000) -> tuple[dict[str, Any], DataFrames, DataFrameResources]:
    flights = pd.DataFrame({"dest": ["IAH", "MIA", "IAH"], "n/m": [1, 2, 3]})
    namespace: dict[str, Any] = {"flights": flights}
    dataframes = DataFrames()
    dataframes.publish("flights", flights, namespace=namespace)
    return namespace, dataframes, DataFrameResources(dataframes, Results(), max_chars=max_chars)


def read(resources: DataFrameResources, uri: str) -> Any:
    (contents,) = resources.read(uri)
    assert (contents.uri, contents.mime_type) == (uri, "application/json")
    assert len(str(contents.text)) <= resources._max_chars
    return msgspec.json.decode(str(contents.text))


def test_describe_names_every_column_with_what_stands_in_it() -> None:
    *_, resources = notebook()
    assert read(resources, "df://flights/describe") == {
        "name": "flights",
        "version": 1,
        "rows": 3,
        "columns_total": 2,
        "columns": [
            {
                "name": "dest",
                "dtype": str(pd.Series(["a"]).dtype),
                "missing": 0,
                "distinct": 2,
                "common": [{"value": "IAH", "rows": 2}, {"value": "MIA", "rows": 1}],
            },
            {"name": "n/m", "dtype": "int64", "missing": 0, "distinct": 3, "min": 1, "max": 3, "mean": 2.0},
        ],
    }


def test_a_sample_is_split_json_with_the_positions_of_its_rows() -> None:
    *_, resources = notebook()
    assert read(resources, "df://flights/sample") == {
        "name": "flights",
        "version": 1,
        "rows": 3,
        "seed": 0,
        "positions": [0, 1, 2],
        "columns": ["dest", "n/m"],
        "data": [["IAH", 1], ["MIA", 2], ["IAH", 3]],
    }
    one = read(resources, "df://flights/sample?n=1&seed=7&version=v1")
    assert one["data"] == [[["IAH", 1], ["MIA", 2], ["IAH", 3]][one["positions"][0]]]


def test_distinct_values_are_counted_and_the_column_may_hold_a_slash() -> None:
    *_, resources = notebook()
    found = read(resources, "df://flights/distinct/dest?limit=1")
    assert found | {"distinct": 2, "missing": 0, "values": [{"value": "IAH", "rows": 2}], "left_out": 1} == found
    assert [each["value"] for each in read(resources, "df://flights/distinct/n%2Fm")["values"]] == [1, 2, 3]


def test_changes_are_those_of_the_versions_kept() -> None:
    namespace, dataframes, resources = notebook()
    namespace["flights"].loc[0, "n/m"] = 100
    dataframes.check(namespace)
    namespace["flights"].loc[3] = ["JFK", 4]
    dataframes.check(namespace)
    found = read(resources, "df://flights/changes?since=1")
    assert found["together"] == "1 row more, 4 now; earlier rows differ in n/m"
    assert [(change["version"], change["kind"]) for change in found["changes"]] == [(3, "append"), (2, "columns")]
    assert [change["version"] for change in read(resources, "df://flights/changes")["changes"]] == [3, 2, 1]
    assert read(resources, "df://flights/changes?limit=1")["left_out"] == 2
    assert read(resources, "df://flights/changes?since=v3")["changes"] == []


@pytest.mark.parametrize("part", ["describe", "sample", "distinct/%C2%9Bturned", "rows?format=json", "schema"])
def test_json_shows_what_turns_text_or_commands_a_screen_as_escapes(part: str) -> None:
    odd = pd.DataFrame({"\x9bturned": ["\u202e\x7f"]})
    dataframes = DataFrames()
    dataframes.publish("odd", odd, namespace={"odd": odd})
    (contents,) = DataFrameResources(dataframes, Results()).read(f"df://odd/{part}")
    assert isinstance(contents.text, str)
    assert contents.text.isprintable()
    assert '"\u202e\x7f"' in json.dumps(json.loads(contents.text), ensure_ascii=False)


def test_what_is_too_long_is_counted() -> None:
    df = pd.DataFrame({f"column_{n}": [f"text {n}" * 5] * 50 for n in range(40)})
    dataframes = DataFrames()
    dataframes.publish("wide", df)
    resources = DataFrameResources(dataframes, Results(), max_chars=5_000)
    described = read(resources, "df://wide/describe")
    assert len(described["columns"]) + described["left_out"] == 40
    sampled = read(resources, "df://wide/sample?n=50")
    assert len(sampled["data"]) == len(sampled["positions"]) == 50 - sampled["left_out"]
    with pytest.raises(ArgumentError, match="Not even one row of 40 columns fits; read df://wide/rows"):
        read(DataFrameResources(dataframes, Results(), max_chars=800), "df://wide/sample")


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("df://flights/sample?n=0", "n is a whole number from 1 to 1,000, not 0. Nearest: 1."),
        ("df://flights/sample?seeds=0", "No parameter 'seeds' for flights/sample. Nearest: seed."),
        ("df://flights/distinct/dst", "No column 'dst' in flights v1. Nearest: dest."),
        ("df://flights/changes?since=soon", "since is a version like 17 or v17, not 'soon'. Nearest: 1 (latest)."),
        ("df://flights/describe?limit=3", "No parameter 'limit' for flights/describe. There are: version."),
    ],
)
def test_a_parameter_that_does_not_fit_brings_the_nearest_that_does(uri: str, sentence: str) -> None:
    *_, resources = notebook()
    with pytest.raises(ArgumentError) as mistake:
        resources.read(uri)
    assert str(mistake.value) == sentence


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("df://flights/changes?since=9", "flights v9 does not exist yet. Nearest: 1 (latest)."),
        ("df://_r1/changes", "_r1 is a result and never changes; read df://_r1/rows."),
        ("df://flights/distinct", "df://flights/distinct takes one column: df://flights/distinct/COLUMN (a slash in it is %2F)."),
        ("df://flights/descrbe", "df://flights has no part 'descrbe'. Nearest: df://flights/describe."),
    ],
)
def test_what_does_not_exist_is_not_found(uri: str, sentence: str) -> None:
    *_, resources = notebook()
    with pytest.raises(NotFound) as mistake:
        resources.read(uri)
    assert str(mistake.value) == sentence
