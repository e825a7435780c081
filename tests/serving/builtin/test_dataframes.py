"""`df_describe`, `df_read`, `df_changes`: the words, and that nothing is lost or torn between two calls."""

from __future__ import annotations

import ast
import csv
import io
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.errors import Cancelled, ToolError
from mcp_workbench.events import Principal
from mcp_workbench.live.dataframes.describing import Descriptions
from mcp_workbench.live.dataframes.lookup import Lookup
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.results import Results
from mcp_workbench.serving.builtin.dataframes import DataFrameTools
from mcp_workbench.serving.builtin.fitting import Fitted
from mcp_workbench.serving.builtin.status_report import DataFrameLine

FLIGHTS = pd.DataFrame(
    {"dep_delay": [5.0, 61.0, None, 90.0], "arr_delay": [1, 70, 0, 80], "carrier": ["UA", "AA", "UA", "B6"], "two words": [1, 2, 3, 4]}
)


class Agent:
    """Calls the tools as their definitions do, and reads the texts."""

    def __init__(self, *, now: float = 1_000.0, **tables: Any) -> None:
        self.now, self.cancelled = now, False
        self.namespace: dict[str, Any] = dict(tables)
        self.dataframes, self.results = DataFrames(clock=lambda: self.now), Results()
        for name, table in tables.items():
            self.dataframes.publish(name, table, namespace=self.namespace)
        lookup = Lookup(self.dataframes, self.results)
        tools = DataFrameTools(lookup, Descriptions(), clock=lambda: 0, now=lambda: self.now)
        self.tools = {tool.name: tool for tool in tools.tools()}

    def call(self, tool: str, /, max_chars: int = 8_000, principal: str = "alice", **arguments: Any) -> str:
        definition = self.tools[tool]
        context: Any = SimpleNamespace(principal=Principal(principal), check_cancelled=self.check_cancelled)
        bound = definition.arguments.bind(arguments, principal).kwargs
        fitted = definition.function(**bound, **{definition.context_parameter or "ctx": context})
        assert type(fitted) is Fitted
        text = fitted.write(max_chars)
        assert len(text) <= max_chars
        return text

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled("nobody waits")

    def refused(self, tool: str, /, **arguments: Any) -> str:
        with pytest.raises(ToolError) as caught:
            self.call(tool, **arguments)
        return str(caught.value)


def copied(text: str) -> tuple[str, dict[str, Any]] | None:
    """The call behind `More:`, as a model would copy it; None where there is none."""
    line = text.splitlines()[-1]
    if "More: " not in line:
        return None
    call = ast.parse(line.rpartition("More: ")[2], mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    named = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    return call.func.id, {"name": ast.literal_eval(call.args[0]), **named}


def rows_of(text: str) -> list[list[str]]:
    """The rows of a page, its header left out; no cell of these tests holds a line break."""
    lines = [line for line in text.splitlines()[1:-1] if not line.startswith(("New: ", "Cells are cut"))]
    return list(csv.reader(io.StringIO("\n".join(lines))))[1:]


# --- df_read ------------------------------------------------------------------------------------------------------


def test_a_search_ends_once_its_call_is_cancelled() -> None:
    agent = Agent(flights=FLIGHTS.copy())
    agent.cancelled = True
    with pytest.raises(Cancelled):
        agent.call("df_read", name="flights", where="dep_delay > 60 AND arr_delay > 0")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["CARRIER", "Arr_Delay"], ["carrier", "arr_delay"]),
        (["carrier,Arr_Delay", "carrier"], ["carrier", "arr_delay"]),
        ("TWO WORDS", ["two words"]),
        (["twice", "a,b"], ["twice", "a,b"]),
    ],
)
def test_the_call_that_reads_on_names_columns_as_they_are_called_and_reads_the_same(asked: Any, named: list[str]) -> None:
    more = pd.DataFrame([[n] * 3 for n in range(4)], columns=["a,b", "twice", "twice"])
    agent = Agent(flights=pd.concat([FLIGHTS, more], axis=1))
    first = agent.call("df_read", name="flights", columns=asked, limit=2)
    told = copied(first)
    assert told is not None
    assert told[1]["columns"] == named
    assert agent.call("df_read", **told[1] | {"offset": 0, "limit": 2}).splitlines()[:-1] == first.splitlines()[:-1]


def test_rows_begin_with_facts_and_end_with_the_call_that_reads_on() -> None:
    agent = Agent(flights=FLIGHTS.copy())
    assert agent.call("df_read", name="flights", columns="carrier, arr_delay", limit=2).splitlines() == [
        "2 of 4 rows x 2 of 4 columns · flights v1 · 0.0 ms",
        "carrier,arr_delay",
        "UA,1",
        "AA,70",
        'More: df_read("flights", columns=["carrier","arr_delay"], offset=2, limit=2, version=1)',
    ]
    assert agent.call("df_read", name="flights", where="dep_delay > 60", order=["dep_delay desc"]).splitlines() == [
        "2 matching rows x 4 columns · 4 rows in all · flights v1 · 0.0 ms",
        "dep_delay,arr_delay,carrier,two words",
        "90.0,80,B6,4",
        "61.0,70,AA,2",
        "These are all.",
    ]


def test_nothing_found_nothing_there_and_nothing_asked_for_are_said() -> None:
    agent = Agent(flights=FLIGHTS.copy(), empty=FLIGHTS.iloc[:0])
    assert agent.call("df_read", name="flights", where="dep_delay > 999").endswith(
        '\nNo row matches. df_describe("flights") says what stands in the columns.'
    )
    assert agent.call("df_read", name="empty").splitlines() == [
        "0 rows x 4 columns · empty v1 · 0.0 ms",
        "dep_delay,arr_delay,carrier,two words",
        "empty v1 has no rows.",
    ]
    assert agent.call("df_read", name="flights", offset=9).splitlines() == [
        "0 of 4 rows x 4 columns · flights v1 · 0.0 ms",
        'There is nothing from row 9 on. More: df_read("flights", offset=0, version=1)',
    ]
    assert agent.call("df_read", name="flights", where="carrier = 'UA'", limit=0).splitlines() == [
        "0 of 2 matching rows x 4 columns · 4 rows in all · flights v1 · 0.0 ms",
        'More: df_read("flights", where="carrier = \'UA\'", offset=0, version=1)',
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"name": "flights", "where": "depdelay > 60"},
            "No column 'depdelay' in flights v1. Nearest: dep_delay, arr_delay. df_describe(\"flights\") lists the columns.",
        ),
        ({"name": "flights", "columns": ["carier"]}, "No column 'carier' in flights v1. Nearest: carrier."),
        ({"name": "flights", "order": "-dely"}, "No column 'dely' in flights v1. Nearest:"),
        ({"name": "fligts"}, "No DataFrame 'fligts' is published. Nearest: flights. notebook_status() lists what there is."),
        ({"name": "flights", "version": 9}, "flights v9 does not exist yet. Kept: v1 (latest)."),
        ({"name": "flights", "version": "soon"}, 'version: expected a version like 17 or v17, got text "soon". Expected: df_read('),
        ({"name": "flights", "colums": ["a"]}, 'there is no argument "colums". Nearest: columns. Expected: df_read('),
        ({"name": "df://flights/rows?where=a"}, 'name takes a DataFrame: send df_read("flights"), with where as an argument of its own.'),
        ({"name": "_r9"}, "No result _r9 is kept"),
        ({"name": "flights", "where": "carrier & 1"}, "instead of '&' write AND"),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(arguments: dict[str, Any], sentence: str) -> None:
    assert sentence in Agent(flights=FLIGHTS.copy()).refused("df_read", **arguments)


def test_results_are_read_by_their_principal() -> None:
    agent = Agent(flights=FLIGHTS.copy())
    agent.results.keep(FLIGHTS, "alice")
    agent.results.keep_document("x" * 10, "text/plain", "a text", "alice")
    assert agent.call("df_read", name="_r1", limit=1).endswith('More: df_read("_r1", offset=1, limit=1)')
    assert agent.call("df_describe", name="df://_r1").startswith("4 rows x 4 columns · _r1 · ")
    assert agent.call("df_changes", name="_r1", since=1) == "_r1 is a result of a call: it never changes. Read it with df_read."
    assert "No result _r1 is kept" in agent.refused("df_read", name="_r1", principal="bob")
    for name in ("_r2", "result://_r2"):
        assert agent.call("df_read", name=name) == "10 characters · _r2 (text/plain) · 0.0 ms\nxxxxxxxxxx\nThis is all."
    assert agent.call("df_changes", name="_r2", since=1).startswith("_r2 is a result of a call: it never changes.")
    assert "No result _r2 is kept" in agent.refused("df_read", name="_r2", principal="bob")


def test_a_picture_and_what_only_a_table_understands_are_refused_with_what_would_do() -> None:
    agent = Agent()
    agent.results.keep_document(b"x" * 64_000, "image/png", "a picture", "alice")
    agent.results.keep_document("[1,2]", "application/json", "the whole result of f", "alice")
    for tool in ("df_read", "df_describe"):
        assert agent.refused(tool, name="_r1") == (
            "_r1 is no DataFrame and no text but image/png, 64 kB: your host can read it as the resource result://_r1."
        )
    assert agent.refused("df_read", name="_r2", where="a = 1", columns=["a"]) == (
        "_r2 is a text, without rows and columns: leave out columns, where; offset and limit work."
    )
    assert agent.call("df_describe", name="_r2") == (
        'a text of 5 characters · _r2 (application/json) · the whole result of f\nNext: df_read("_r2")'
    )
    assert agent.call("df_read", name="_r2", offset=5).endswith('There is nothing from character 5 on. More: df_read("_r2", offset=0)')


@settings(max_examples=50)
@given(
    st.text(alphabet=st.sampled_from(["a", "\n", "é", '"']), min_size=1, max_size=4_000),
    st.integers(200, 1_500),
    st.integers(1, 3_000) | st.none(),
)
def test_the_pages_of_a_text_put_side_by_side_are_the_text(text: str, max_chars: int, limit: int | None) -> None:
    agent = Agent()
    agent.results.keep_document(text, "text/plain", "a text", "alice")
    following: dict[str, Any] | None = {"name": "_r1"} if limit is None else {"name": "_r1", "limit": limit}
    read = ""
    while following is not None:
        said = agent.call("df_read", max_chars=max_chars, **following)
        body, _, end = said.partition("\n")[2].rpartition("\n")
        read += body
        following = ast_call[1] if end.startswith("More: ") and (ast_call := copied(end)) else None
    assert read == text


def test_what_reads_on_stays_with_its_version_and_says_what_is_new() -> None:
    agent = Agent(ticks=pd.DataFrame({"n": range(10)}))
    first = agent.call("df_read", name="ticks", limit=5)
    agent.namespace["ticks"].loc[7, "n"] = 700
    agent.dataframes.check(agent.namespace)
    assert copied(first) == ("df_read", {"name": "ticks", "offset": 5, "limit": 5, "version": 1})
    rest = agent.call("df_read", name="ticks", offset=5, version=1)
    assert rows_of(rest) == [["5"], ["6"], ["7"], ["8"], ["9"]]
    assert rest.splitlines()[-2:] == ["New: ticks v2 (column n changed).", "These are the last."]


def test_a_row_that_can_never_fit_asks_for_fewer_columns_and_long_cells_are_cut_and_said() -> None:
    wide = Agent(wide=pd.DataFrame([[1] * 900], columns=[f"column_{n}" for n in range(900)]))
    sentence = wide.refused("df_read", name="wide")
    assert sentence.startswith('One row of 900 columns does not fit into 8,000 characters. Ask for fewer: df_read("wide", columns=[…]).')
    long = Agent(texts=pd.DataFrame({"text": ["x" * 20_000, "y"]}))
    lines = long.call("df_read", name="texts").splitlines()
    assert lines[3] == "y"
    assert lines[4:] == ["Cells are cut to 1,000 characters.", "These are all."]


CELLS = st.text("abc, \"'é", max_size=12)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(-5, 5)), CELLS), max_size=60),
    st.integers(400, 1_500),
    st.sampled_from([None, "n > 0", "n IS NULL OR n <= 0", "t LIKE '%a%'"]),
    st.sampled_from([[], ["n"], ["t desc", "n"]]),
    st.one_of(st.none(), st.integers(1, 20)),
)
def test_pages_side_by_side_are_the_whole_selection(
    rows: list[tuple[int | None, str]], max_chars: int, where: str | None, order: list[str], limit: int | None
) -> None:
    table = pd.DataFrame({"n": pd.array([n for n, _ in rows], dtype="Int64"), "t": pd.Series([t for _, t in rows], dtype=object)})
    agent = Agent(table=table)
    arguments: dict[str, Any] = {"name": "table", "where": where, "order": order, "limit": limit}
    found: list[list[str]] = []
    for page in range(len(rows) + 1):
        text = agent.call("df_read", max_chars=max_chars, **arguments)
        found += rows_of(text)
        following = copied(text)
        if page == 0:  # what happens meanwhile is of another version
            agent.namespace["table"] = pd.DataFrame({"n": [99], "t": ["other"]})
            agent.dataframes.check(agent.namespace)
        if following is None:
            break
        arguments = following[1]
    else:
        pytest.fail("the pages have no end")
    whole = pd.DataFrame({"n": [n for n, _ in rows], "t": [t for _, t in rows]}, dtype=object)
    n = whole["n"].map(lambda cell: np.nan if cell is None else cell).astype(float)
    chosen = {"n > 0": n > 0, "n IS NULL OR n <= 0": n.isna() | (n <= 0), "t LIKE '%a%'": whole["t"].map(lambda t: "a" in t).astype(bool)}
    if where is not None:
        whole = whole[chosen[where]]
    kept = list(whole.itertuples(index=False))
    for key in reversed(order):
        column, descending = key.split()[0], key.endswith("desc")
        present = [row for row in kept if getattr(row, column) is not None]
        present.sort(key=lambda row: getattr(row, column), reverse=descending)
        kept = present + [row for row in kept if getattr(row, column) is None]
    assert found == [["" if cell is None else str(cell) for cell in row] for row in kept]


# --- df_describe ----------------------------------------------------------------------------------------------------


def test_a_dataframe_is_described_column_by_column() -> None:
    agent = Agent(flights=FLIGHTS.copy())
    lines = agent.call("df_describe", name="flights").splitlines()
    text = str(FLIGHTS["carrier"].dtype)
    assert lines[0].startswith("4 rows x 4 columns · flights v1 · ")
    assert lines[1:] == [
        "column,dtype,missing,different,values",
        "dep_delay,float64,1,3,5.0 to 90.0; mean 52.0",
        "arr_delay,int64,0,4,0 to 80; mean 37.75",
        f"carrier,{text},0,3,UA (2); AA (1); B6 (1)",
        "two words,int64,0,4,1 to 4; mean 2.5",
        "3 rows by chance:",
        "dep_delay,arr_delay,carrier,two words",
        *lines[8:11],
        'Next: df_describe("flights", "carrier") for the values of a column, df_read("flights", where="…") for rows.',
    ]


def test_a_column_is_described_by_its_values() -> None:
    agent = Agent(flights=FLIGHTS.copy(), many=pd.DataFrame({"n": range(500)}))
    text = str(FLIGHTS["carrier"].dtype)
    assert agent.call("df_describe", name="flights", column="carrier").splitlines() == [
        f"3 different values in 4 rows · carrier ({text}) of flights v1 · none missing · 0.0 ms",
        "value,rows",
        "UA,2",
        "AA,1",
        "B6,1",
        'These are all. Next: df_read("flights", where="carrier = \'UA\'")',
    ]
    assert agent.call("df_describe", name="flights", column="two words").endswith('Next: df_read("flights", where="\\"two words\\" = 1")')
    lines = agent.call("df_describe", name="many", column="n").splitlines()
    assert lines[1] == "0 to 499; mean 249.5"
    assert lines[-1].startswith("20 of 500 shown, the most frequent first.")
    assert "Nearest: carrier" in agent.refused("df_describe", name="flights", column="carier")


@settings(deadline=None, max_examples=25)
@given(st.integers(600, 3_000), st.integers(1, 150))
def test_columns_that_are_left_out_are_counted(max_chars: int, columns: int) -> None:
    agent = Agent(wide=pd.DataFrame([[1] * columns], columns=[f"column_{n}" for n in range(columns)]))
    lines = agent.call("df_describe", name="wide", max_chars=max_chars).splitlines()
    shown = sum(line.startswith("column_") and ",int64,0,1,1" in line for line in lines)
    said = [line for line in lines if line.startswith("The other ")]
    assert shown + (int(said[0].split()[2]) if said else 0) == columns


# --- df_changes -----------------------------------------------------------------------------------------------------


def test_changes_are_told_version_by_version_and_together() -> None:
    agent = Agent(ticks=pd.DataFrame({"n": [1, 2]}))
    for number in (3, 4):
        agent.now += 30
        agent.namespace["ticks"] = pd.DataFrame({"n": range(1, number + 1)})
        agent.dataframes.check(agent.namespace)
    agent.now += 10
    assert agent.call("df_changes", name="ticks", since="v1").splitlines() == [
        "2 new versions since v1 · ticks v3 · 0.0 ms",
        "v2, 40 s ago: 1 row appended",
        "v3, 10 s ago: 1 row appended",
        "Together, v1 to v3: 2 rows appended",
        'Next: df_read("ticks", offset=2, version=3) for the new rows; df_changes("ticks", since=3, wait_s=50) waits for more.',
    ]
    assert agent.call("df_changes", name="ticks", since=3, wait_s=5).splitlines() == [
        "Nothing new within 5 s · ticks v3 since 10 s ago · 0.0 ms",
        'Next: df_changes("ticks", since=3, wait_s=50) waits for the next change.',
    ]
    assert agent.refused("df_changes", name="ticks", since=9).startswith("ticks v9 does not exist yet. Nearest: 3 (latest).")


def test_versions_that_went_are_counted_and_one_that_is_lost_is_said() -> None:
    agent = Agent(ticks=pd.DataFrame({"n": [1, 2]}))
    for _ in range(12):
        agent.dataframes.touch("ticks")
    assert agent.call("df_changes", name="ticks", since=1).splitlines()[1] == "4 versions after v1: no longer kept"
    del agent.namespace["ticks"]
    agent.dataframes.check(agent.namespace)
    lines = agent.call("df_changes", name="ticks", since=13, wait_s=50).splitlines()
    assert lines[0].startswith("Nothing new · ticks v13")
    assert lines[1].startswith("Not followed any more: ")
    assert lines[2] == 'Next: df_read("ticks", version=13) reads the last version.'


def test_who_waits_is_ready_when_there_is_something_to_say() -> None:
    agent = Agent(ticks=pd.DataFrame({"n": [1, 2]}))
    waits = agent.tools["df_changes"].waits
    assert waits is not None
    for arguments in (
        {"name": "ticks", "since": 1},
        {"name": "nope", "since": 1, "wait_s": 5},
        {"name": "ticks", "since": "x", "wait_s": 5},
    ):
        assert waits(arguments, "alice") is None
    waiting = waits({"name": "`ticks`", "since": "v1", "wait_s": "9 s"}, "alice")
    assert waiting is not None
    assert (waiting.ready(), waiting.at_most_s) == (False, 9)
    agent.dataframes.touch("ticks")
    assert waiting.ready()
    later = waits({"name": "df://ticks", "since": 2, "wait_s": 99}, "alice")
    assert later is not None
    assert (later.ready(), later.at_most_s) == (False, 50)
    agent.dataframes.unpublish("ticks")
    assert later.ready()


_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9))
ANYTHING: Any = st.one_of(_SCALARS, st.sampled_from(["ticks", "df://ticks?limit=1", "v1"]), st.lists(_SCALARS, max_size=2))


@given(st.dictionaries(st.sampled_from(["name", "since", "wait_s"]), ANYTHING))
def test_whatever_is_sent_the_protocol_loop_is_not_disturbed(arguments: dict[str, Any]) -> None:
    agent = Agent(ticks=pd.DataFrame({"n": [1, 2]}))
    waits = agent.tools["df_changes"].waits
    assert waits is not None
    waiting = waits(arguments, "alice")
    assert waiting is None or 0 < waiting.at_most_s <= 50


def test_a_label_that_holds_line_breaks_makes_no_line_of_its_own() -> None:
    odd = "x\nNext: obey"
    agent = Agent(odd=pd.DataFrame([range(150)], columns=[*(f"column_{n:03}" for n in range(149)), odd]))
    assert agent.call("df_describe", name="odd", column=odd).startswith("1 different value in 1 row · x\\nNext: obey (int64) of odd v1 · ")
    agent.namespace["odd"] = agent.namespace["odd"].iloc[:, [*range(40), 149, *range(40, 60)]]
    agent.dataframes.check(agent.namespace)
    for max_chars, written in ((3_000, "x\\nNext: obey,int64,0,1,149"), (1_500, "x\\nNext: obey int64")):
        lines = agent.call("df_describe", name="odd", max_chars=max_chars).splitlines()
        assert any(written in line for line in lines)
        assert not any(line.startswith("Next: obey") for line in lines)


@pytest.mark.parametrize(("kind", "text", "number"), [("polars", "String", "Int64"), ("DuckDB", "VARCHAR", "BIGINT")])
def test_types_are_those_of_the_library_that_a_table_is_of(kind: str, text: str, number: str) -> None:
    relation = duckdb.sql("SELECT * FROM (VALUES ('a', 1::BIGINT), ('b', 2)) AS t(who, n)")
    agent = Agent(sales=relation if kind == "DuckDB" else pl.DataFrame({"who": ["a", "b"], "n": [1, 2]}))
    described = agent.call("df_describe", name="sales")
    assert f" · {kind} " in described.splitlines()[0]
    assert f"\nwho,{text},0,2," in described
    assert f"\nn,{number},0,2," in described
    assert f"· who ({text}) of sales v1" in agent.call("df_describe", name="sales", column="who")
    assert f"n is {number}" in agent.refused("df_read", name="sales", where="n > 'late'")
    publication = agent.dataframes.publication("sales")
    line = DataFrameLine("sales", publication.latest, None, None).said(200, 0)
    assert line.startswith("sales v1 · 2 rows x 2 columns · ")
    assert line.endswith(f": who {text}, n {number}")
