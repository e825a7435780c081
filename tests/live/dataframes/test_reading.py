"""DataFrames as MCP resources."""

from __future__ import annotations

from typing import Any

import msgspec
import pandas as pd
import pytest

from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.reading import DataFrameResources
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError


def notebook() -> tuple[dict[str, Any], DataFrames, Results, DataFrameResources]:
    namespace: dict[str, Any] = {"flights": pd.DataFrame({"dest": ["IAH", "MIA"], "n": [1, 2]})}
    dataframes, results = DataFrames(), Results()
    dataframes.publish("flights", namespace["flights"], description="All flights.", namespace=namespace)
    return namespace, dataframes, results, DataFrameResources(dataframes, results)


def test_what_is_published_is_listed_by_its_card() -> None:
    _, dataframes, results, resources = notebook()
    results.keep(pd.DataFrame({"a": [1]}), "alice")
    dataframes.publish("planes", pd.DataFrame())
    listed = resources.list()
    assert [(resource.uri, resource.name, resource.mime_type) for resource in listed] == [
        ("df://flights", "flights", "text/markdown"),
        ("df://planes", "planes", "text/markdown"),
    ]
    assert listed[0].description == "All flights."
    assert listed[1].description


def test_templates_name_every_option() -> None:
    *_, resources = notebook()
    assert [template.uri_template for template in resources.templates()] == [
        "df://{name}{?version}",
        "df://{name}/schema{?version}",
        "df://{name}/rows{?offset,limit,columns,where,order,format,version}",
        "df://{name}/describe{?version}",
        "df://{name}/sample{?n,seed,version}",
        "df://{name}/distinct/{column}{?limit,version}",
        "df://{name}/changes{?since,limit}",
    ]


def test_every_form_is_read_under_the_uri_asked_for() -> None:
    *_, resources = notebook()
    card, schema = resources.read("df://flights"), resources.read("df://fl%69ghts/schema")
    assert (card[0].uri, card[0].mime_type) == ("df://flights", "text/markdown")
    assert str(card[0].text).startswith("# flights")
    assert (schema[0].uri, schema[0].mime_type) == ("df://fl%69ghts/schema", "application/json")
    assert msgspec.json.decode(str(schema[0].text))["rows"] == 2
    for table_format, mime_type in (("csv", "text/csv"), ("json", "application/json"), ("markdown", "text/markdown")):
        (rows,) = resources.read(f"df://flights/rows?limit=1&format={table_format}")
        assert rows.mime_type == mime_type
        assert "IAH" in str(rows.text)
        assert "MIA" not in str(rows.text)


def test_a_version_stays_readable_after_the_next() -> None:
    namespace, dataframes, _, resources = notebook()
    assert '"examples":["IAH","MIA"]' in str(resources.read("df://flights/schema")[0].text)
    namespace["flights"].loc[0, "dest"] = "ATL"
    dataframes.check()
    for part in ("", "/schema", "/rows"):
        assert "IAH" in str(resources.read(f"df://flights{part}?version=1")[0].text)
        (latest,) = resources.read(f"df://flights{part}")
        assert "ATL" in str(latest.text)
        assert isinstance(latest.meta, dict)
        assert latest.meta["mcp-workbench/version"] == 2


def test_a_lost_variable_shows_in_the_card() -> None:
    namespace, dataframes, _, resources = notebook()
    del namespace["flights"]
    dataframes.check()
    assert "its variable flights was deleted" in str(resources.read("df://flights")[0].text)


def test_results_are_read_by_their_principal_only() -> None:
    _, _, results, resources = notebook()
    results.keep(pd.DataFrame({"secret": [42]}), "alice")
    for uri in ("df://_r1", "df://_r1/schema", "df://_r1/rows"):
        assert "secret" in str(resources.read(uri, "alice")[0].text)
        with pytest.raises(NotFound, match="No result _r1 is kept"):
            resources.read(uri, "bob")


def test_every_uri_of_one_dataframe_is_one_topic() -> None:
    _, _, results, resources = notebook()
    results.keep(pd.DataFrame(), "alice")
    uris = ["df://flights", "DF://flights/", "df://flights/schema", "df://flights/rows?limit=5", "df://fl%69ghts?version=3"]
    assert {resources.topic_of(uri, "bob") for uri in uris} == {resources.topic("flights")}
    assert resources.topic_of("df://_r1/rows", "alice") == "df://_r1"
    assert resources.topic_of("df://_r1/rows", "bob") is None
    assert resources.topic_of("df://planes", "bob") is None
    assert resources.topic_of("df://flights/nonsense", "bob") is None


@pytest.mark.parametrize(
    "uri", ["", "flights", "df://", "df:///rows", "http://flights", "df://flights/rows/5", "df://flights/nonsense", "weather://NYC"]
)
def test_other_uris_mean_nothing_here(uri: str) -> None:
    *_, resources = notebook()
    assert resources.resolve(uri) is None


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("df://flightz/rows", "No DataFrame 'flightz' is published. Nearest: flights."),
        ("df://flights/row", "df://flights has no part 'row'. Nearest: df://flights/rows."),
        ("df://flights?version=9", "flights v9 does not exist yet. Kept: v1 (latest)."),
        ("weather://NYC", "No resource 'weather://NYC': DataFrames are read as df://NAME, df://NAME/schema or df://NAME/rows."),
    ],
)
def test_what_does_not_exist_is_not_found(uri: str, sentence: str) -> None:
    *_, resources = notebook()
    with pytest.raises(NotFound) as missing:
        resources.read(uri)
    assert str(missing.value) == sentence


@pytest.mark.parametrize(
    "uri", ["df://flights?limit=5", "df://flights/schema?format=csv", "df://flights/rows?limit=x", "df://flights?version=last"]
)
def test_what_does_not_fit_is_a_mistake_in_the_argument(uri: str) -> None:
    *_, resources = notebook()
    with pytest.raises(ArgumentError):
        resources.read(uri)


def test_schemas_remembered_are_bounded() -> None:
    _, dataframes, _, resources = notebook()
    for _ in range(60):
        dataframes.touch("flights")
        resources.read("df://flights/schema")
    assert len(resources._schemas) <= 32
