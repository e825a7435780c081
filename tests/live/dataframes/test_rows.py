"""Pages of rows: options, bounds, and saying what was left out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
import pandas as pd
import pytest

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.names import parse_reference
from mcp_workbench.live.dataframes.rows import MAX_CHARS, RowsRequest, parse_request, read_page
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze, take_snapshot
from mcp_workbench.live.dataframes.tables import TableFormat
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.uri_templates import MAX_URI


def snapshot_of(df: pd.DataFrame, name: str = "flights") -> Snapshot:
    return take_snapshot(name, 17, freeze(df, name), ChangeKind.PUBLISHED, "", 0.0)


FLIGHTS = snapshot_of(pd.DataFrame({"dep_delay": range(250), "arr_delay": range(250), "a,b": "x", "origin": ["JFK", "LGA"] * 125}))


def read(query: str = "", snapshot: Snapshot = FLIGHTS, **options: Any) -> str:
    request = parse_request(snapshot, parse_reference(f"df://flights/rows{query}"))
    return read_page(snapshot, request, **options).text


def test_a_page_is_a_hundred_rows_and_says_where_the_next_is() -> None:
    lines = read("?columns=origin").splitlines()
    assert lines[:3] == ["origin", "JFK", "LGA"]
    assert len(lines) == 102
    assert lines[-1] == "# rows 0-99 of 250 (flights v17). More: df://flights/rows?offset=100&columns=origin&version=17"


def test_following_the_links_reads_every_row_once() -> None:
    seen: list[int] = []
    query: str | None = "?columns=arr_delay&columns=a,b&limit=60&format=json"
    while query is not None:
        reference = parse_reference(f"df://flights/rows{query}")
        page = read_page(FLIGHTS, parse_request(FLIGHTS, reference))
        split = msgspec.json.decode(page.text)
        assert split["columns"] == ["arr_delay", "a,b"]
        seen += [row[0] for row in split["data"]]
        query = None if page.next_uri is None else page.next_uri.removeprefix("df://flights/rows")
    assert seen == list(range(250))


def followed(snapshot: Snapshot, query: str, **options: Any) -> list[str]:
    """The URIs of all pages; each has the columns of the first and can be read."""
    uris: list[str] = []
    uri: str | None = f"df://flights/rows?{query}"
    first = None
    while uri is not None:
        assert len(uri) <= MAX_URI or not uris
        uris.append(uri)
        request = parse_request(snapshot, parse_reference(uri))
        first = first or request.columns
        assert (request.columns or tuple(range(snapshot.df.shape[1]))) == (first or tuple(range(snapshot.df.shape[1])))
        page = read_page(snapshot, request, **options)
        uri = page.next_uri
    return uris


@pytest.mark.parametrize(
    "labels",
    [
        [f"c{n}" for n in range(1_200)],
        ["a", "b", "a,b", "c"],
        ["a,b", "a", " b", "b "],
        ["", "a"],
        [",", "", "a"],
        ["x y", "ä", "a&b=c", "50%"],
    ],
)
def test_links_name_columns_so_that_they_can_be_read(labels: list[str]) -> None:
    snapshot = snapshot_of(pd.DataFrame([range(len(labels))] * 3, columns=labels))
    for wanted in (labels, labels[::-1], labels[1:], labels[:1]):
        query = "&".join(f"columns={quote(label)}" for label in wanted)
        assert len(followed(snapshot, f"limit=1&{query}")) == 3


def test_a_column_without_a_label_is_meant_by_no_text() -> None:
    snapshot = snapshot_of(pd.DataFrame([[1, 2]] * 3, columns=["", "a"]))
    assert followed(snapshot, "limit=2&columns=,")[1] == "df://flights/rows?offset=2&limit=2&columns=&version=17"
    assert read("?columns=", snapshot).splitlines()[0] == '""'


def test_a_link_that_could_not_be_read_is_said_in_words() -> None:
    labels = [f"{'ü' * 20}{n}" for n in range(300)]
    snapshot = snapshot_of(pd.DataFrame([range(300)] * 3, columns=labels))
    page = read_page(snapshot, RowsRequest(limit=2, columns=tuple(range(299))))
    assert page.next_uri is None
    assert page.text.endswith(
        "More: the same with offset=2&version=17; ask for fewer columns, or with a shorter condition, where the URI grows too long.\n"
    )
    assert "mcp-workbench/next" not in page.meta(snapshot, 0)


def test_a_page_that_is_the_whole_has_no_note() -> None:
    assert read(snapshot=snapshot_of(pd.DataFrame({"a": [1]}))) == "a\n1\n"


def test_the_last_page_says_so() -> None:
    assert read("?offset=249&columns=dep_delay").splitlines() == [
        "dep_delay",
        "249",
        "# rows 249-249 of 250 (flights v17). These are the last.",
    ]


def test_an_offset_past_the_end_is_answered_with_the_number_of_rows() -> None:
    assert read("?offset=900&columns=dep_delay") == "dep_delay\n# no rows at offset 900: flights v17 has 250\n"


@pytest.mark.parametrize("table_format", TableFormat)
def test_characters_are_a_bound_and_the_cut_is_said(table_format: TableFormat) -> None:
    page = read_page(FLIGHTS, RowsRequest(limit=250, format=table_format), max_chars=500)
    assert 5 < page.shown < 50
    assert f"rows 0-{page.shown - 1} of 250" in page.text
    assert page.next_uri is not None
    assert page.next_uri.startswith(f"df://flights/rows?offset={page.shown}&limit=250")
    assert page.meta(FLIGHTS, 0) == {
        "mcp-workbench/version": 17,
        "mcp-workbench/rows": 250,
        "mcp-workbench/offset": 0,
        "mcp-workbench/returned": page.shown,
        "mcp-workbench/next": page.next_uri,
    }


def test_many_rows_are_cut_as_exactly_as_few() -> None:
    many = snapshot_of(pd.DataFrame({"n": range(10_000)}))
    page = read_page(many, RowsRequest(limit=10_000))
    assert (page.shown, page.next_uri) == (10_000, None)
    page = read_page(many, RowsRequest(limit=10_000), max_chars=20_000)
    assert page.text.count("\n") == page.shown + 2
    assert len(page.text.rpartition("#")[0]) <= 20_000 < len(page.text.rpartition("#")[0]) + 5


def test_cells_are_cut_before_a_page_is_given_up() -> None:
    wide = snapshot_of(pd.DataFrame({"text": ["x" * 9_000, "y"]}))
    text = read(snapshot=wide, max_chars=2_000)
    assert "(+8,000 characters)" in text
    assert text.endswith("Cells are cut to 1,000 characters.\n")


def test_a_row_that_can_never_fit_asks_for_fewer_columns() -> None:
    wide = snapshot_of(pd.DataFrame([range(500)], columns=[f"column_{n}" for n in range(500)]))
    with pytest.raises(ArgumentError, match=r"One row of 500 columns does not fit into 300 characters\. Ask for fewer: columns=column_0,"):
        read(snapshot=wide, max_chars=300)


def test_results_have_no_version_in_their_links() -> None:
    result = snapshot_of(FLIGHTS.df, "_r7")
    assert "More: df://_r7/rows?offset=100\n" in read(snapshot=result)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?columns=depdelay", "No column 'depdelay' in flights v17. Nearest: dep_delay, arr_delay."),
        ("?columns=zzz", "No column 'zzz' in flights v17. Columns: dep_delay, arr_delay, a,b, origin."),
        ("?limit=20000", "limit is a whole number from 1 to 10,000, not 20,000. Nearest: 10000."),
        ("?limit=0", "limit is a whole number from 1 to 10,000, not 0. Nearest: 1."),
        ("?limit=many", "limit is a whole number from 1 to 10,000, not 'many'."),
        ("?limit=--5", "limit is a whole number from 1 to 10,000, not '--5'."),
        ("?offset=-5", "offset is a whole number from 0 to 9,007,199,254,740,992, not -5. Nearest: 0."),
        ("?format=jsn", "format is csv, json, markdown, not 'jsn'. Nearest: json."),
        ("?filter=x", "No parameter 'filter' for flights/rows. There are: offset, limit, columns, where, order, format, version."),
        ("?where=dep_dely > 5", "No column 'dep_dely' in flights v17. Nearest: dep_delay, arr_delay."),
        ("?order=orign", "No column 'orign' in flights v17. Nearest: origin."),
    ],
)
def test_a_value_that_does_not_fit_brings_the_nearest_that_does(query: str, sentence: str) -> None:
    with pytest.raises(ArgumentError) as mistake:
        read(query)
    assert str(mistake.value) == sentence


def test_columns_left_empty_are_all() -> None:
    assert parse_request(FLIGHTS, parse_reference("df://flights/rows?columns=")).columns is None


def test_formats_are_taken_in_any_case() -> None:
    request = parse_request(FLIGHTS, parse_reference("df://flights/rows?format=JSON&limit=10000&offset=3"))
    assert request == RowsRequest(3, 10_000, None, TableFormat.JSON)
    assert MAX_CHARS == 100_000


def test_a_condition_and_an_order_select_rows_and_their_links_go_on_with_both() -> None:
    first = read("?columns=arr_delay&where=arr_delay >= 100 AND origin = 'JFK'&order=-arr_delay&limit=2").splitlines()
    assert first[:3] == ["arr_delay", "248", "246"]
    assert first[3].startswith("# rows 0-1 of 75 (flights v17, where 75 of 250 match). More: df://flights/rows?offset=2&limit=2&")
    following = first[3].rpartition("df://flights/rows")[2]
    assert read(following).splitlines()[:3] == ["arr_delay", "244", "242"]
    reference = parse_reference("df://flights/rows?where=dep_delay < 3")
    page = read_page(FLIGHTS, parse_request(FLIGHTS, reference))
    assert page.text.splitlines()[-1] == "# 3 of 250 rows match (flights v17)."
    assert page.meta(FLIGHTS, 0) | {"mcp-workbench/rows": 250, "mcp-workbench/matching": 3} == page.meta(FLIGHTS, 0)
    assert read("?where=dep_delay < 0").splitlines()[-1] == "# 0 of 250 rows match (flights v17)."
    assert "250 that match" not in read("?offset=300&where=")
