"""Tables of polars, pyarrow and DuckDB: told apart, read exactly, and bounded where they are lazy."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mcp_workbench.live.dataframes import foreign
from mcp_workbench.live.dataframes.cells import encode_values
from mcp_workbench.live.dataframes.foreign import TableKind, UnservableTable, extra_memory, kind_of, kind_of_type, read_table, see
from mcp_workbench.live.dataframes.memory import memory_of

DATA: dict[str, list[Any]] = {"n": [1, None, 2**62 + 1], "s": ["a", None, "é"]}


def every_kind() -> dict[TableKind, Any]:
    return {
        TableKind.POLARS: pl.DataFrame(DATA),
        TableKind.POLARS_LAZY: pl.LazyFrame(DATA),
        TableKind.ARROW: pa.table(DATA),
        TableKind.DUCKDB: duckdb.from_arrow(pa.table(DATA)),
    }


def read(table: Any) -> pd.DataFrame:
    kind = kind_of(table)
    assert kind is not None
    return read_table(table, kind)[0]


def shown(table: Any) -> list[list[Any]]:
    return [list(encode_values(column).values) for _label, column in read(table).items()]


@pytest.mark.parametrize("kind", TableKind)
def test_every_kind_is_told_by_value_and_by_type(kind: TableKind) -> None:
    table = every_kind()[kind]
    assert kind_of(table) is kind
    assert kind_of_type(type(table)) is kind


@pytest.mark.parametrize("value", [pd.DataFrame(), pd.Series(), pl.Series([1]), pa.array([1]), [1], None, pl.DataFrame])
def test_other_values_are_of_no_kind(value: object) -> None:
    assert kind_of(value) is None
    assert kind_of_type(value if isinstance(value, list) else None) is None


@pytest.mark.parametrize("kind", TableKind)
def test_every_kind_is_read_exactly(kind: TableKind) -> None:
    table = every_kind()[kind]
    df, origin = read_table(table, kind)
    assert [list(encode_values(df[label]).values) for label in ("n", "s")] == [[1, None, str(2**62 + 1)], ["a", None, "é"]]
    words = {TableKind.ARROW: ("int64", "string"), TableKind.DUCKDB: ("BIGINT", "VARCHAR")}
    assert (origin.kind, origin.dtypes) == (kind, words.get(kind, ("Int64", "String")))


def test_polars_types_are_read_as_what_they_are() -> None:
    moment = dt.datetime(2013, 1, 5, 4, tzinfo=dt.UTC)
    table = pl.DataFrame(
        {
            "decimal": pl.Series([Decimal("1.10"), None], dtype=pl.Decimal(10, 2)),
            "zoned": pl.Series([moment, None], dtype=pl.Datetime("us", "Europe/Berlin")),
            "time": [dt.time(3, 4, 5, 6), None],
            "duration": [dt.timedelta(seconds=90), None],
            "category": pl.Series(["x", None], dtype=pl.Categorical),
            "enum": pl.Series(["x", None], dtype=pl.Enum(["y", "x"])),
            "struct": [{"a": 1}, {"a": None}],
            "array": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
            "null": [None, None],
            "wide": pl.Series([2**100, None], dtype=pl.Int128),
        }
    )
    assert shown(table) == [
        ["1.10", None],
        ["2013-01-05T05:00:00+01:00", None],
        ["03:04:05.000006", None],
        ["P0DT0H1M30S", None],
        ["x", None],
        ["x", None],
        [{"a": 1}, {"a": None}],
        [[1, 2], None],
        [None, None],
        [str(2**100), None],
    ]
    enum: Any = read(table)["enum"].dtype
    assert (enum.ordered, list(enum.categories)) == (True, ["y", "x"])


def test_duckdb_types_that_arrow_would_change_are_read_as_duckdb_writes_them() -> None:
    relation = duckdb.sql(
        """SELECT 340282366920938463463374607431768211455::UHUGEINT AS unsigned, 170141183460469231731687303715884105727::HUGEINT AS huge,
        '0101'::BIT AS bits, TIMETZ '12:00:00+02' AS zoned, INTERVAL 1 MONTH AS span, union_value(k := 1) AS either,
        [1::UHUGEINT] AS list, {'a': '1'::BIT} AS struct, MAP {1: 2} AS map, 1.10::DECIMAL(10, 2) AS money, 'x' AS "we""ird" """
    )
    df, origin = read_table(relation, TableKind.DUCKDB)
    assert {label: encode_values(df[label]).values[0] for label in df.columns} == {
        "unsigned": str(2**128 - 1),
        "huge": str(2**127 - 1),
        "bits": "0101",
        "zoned": "12:00:00+02",
        "span": "1 month",
        "either": "1",
        "list": "[1]",
        "struct": "{'a': 1}",
        "map": [[1, 2]],
        "money": "1.10",
        'we"ird': "x",
    }
    assert origin.dtypes[:2] == ("UHUGEINT", "HUGEINT")


def test_every_type_of_duckdb_is_read() -> None:
    relation = duckdb.sql("SELECT * FROM test_all_types()")
    assert len(read(relation)) == 3
    assert all(len(cells) == 3 for cells in shown(relation))


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}),
        pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}).lazy(),
    ],
)
def test_python_objects_in_polars_are_refused_since_arrow_is_given_their_addresses(table: Any) -> None:
    with pytest.raises(UnservableTable, match=r"Column o holds Python objects \(Object\), which are no data\. Leave it out, or cast it\."):
        read(table)


def test_numbers_too_wide_for_arrow_are_refused() -> None:
    with pytest.raises(UnservableTable, match="The polars DataFrame could not be read: InvalidOperationError"):
        read(pl.DataFrame({"w": pl.Series([2**126 * 3 // 2], dtype=pl.Int128)}))
    with pytest.raises(UnservableTable, match="could not be read: ArrowInvalid"):
        read(pl.DataFrame({"w": pl.Series([[1]], dtype=pl.List(pl.Int128))}))


@pytest.mark.parametrize("table", [pl.LazyFrame({"a": [1]}).select("b"), duckdb.sql("SELECT error('no such luck') AS a")])
def test_a_question_that_fails_is_one_sentence(table: Any) -> None:
    with pytest.raises(UnservableTable, match=r"^The .* could not be read: \w+: "):
        read(table)


@pytest.mark.parametrize("table", [pl.LazyFrame({"a": range(11)}), duckdb.sql("SELECT range AS a FROM range(11)")])
@pytest.mark.parametrize("bound", ["MAX_ROWS", "MAX_BYTES"])
def test_what_is_lazy_is_read_up_to_a_bound(table: Any, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, bound, 10)
    with pytest.raises(
        UnservableTable, match=r"gives more than .*Narrow it, or make a table of it yourself.*\.(collect|to_arrow_table)\(\)"
    ):
        read(table)
    assert duckdb.execute("SELECT 1").fetchall() == [(1,)], "the connection is free again"
    monkeypatch.setattr(foreign, bound, 1_000)
    assert len(read(table)) == 11


def test_no_more_of_a_large_relation_is_read_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(foreign, "_without_own_types", lambda relation: _Counted(relation, asked))
    with pytest.raises(UnservableTable, match="more than 1,000,000 rows or 256 MiB"):
        read(duckdb.sql("SELECT range AS a FROM range(1_000_000_000_000)"))
    assert asked == [1_000_001]


class _Counted:
    def __init__(self, relation: Any, asked: list[int]) -> None:
        self._relation, self._asked = relation, asked

    def limit(self, rows: int) -> Any:
        self._asked.append(rows)
        return self._relation.limit(rows)


def test_no_more_of_a_lazy_polars_table_is_kept_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    batches = foreign._batches

    def counted(lazy: Any) -> Any:
        for batch in batches(lazy):
            given.append(batch.estimated_size())
            yield batch

    monkeypatch.setattr(foreign, "_batches", counted)
    monkeypatch.setattr(foreign, "MAX_BYTES", 1_000_000)
    with pytest.raises(UnservableTable, match="The polars LazyFrame gives more than"):
        read(pl.LazyFrame({"x": range(100_000)}).select(text=pl.lit("z" * 100) + pl.col("x").cast(pl.String)))
    assert 1_000_000 < sum(given) < 2_000_000


def test_a_lazy_polars_table_of_many_batches_is_read_in_order() -> None:
    columns = {"n": range(10_000), "c": pl.Series(["a", "b"] * 5_000, dtype=pl.Categorical)}
    assert read(pl.LazyFrame(columns))["n"].tolist() == [*range(10_000)]
    assert read(pl.LazyFrame(columns).filter(pl.col("n") < 0)).shape == (0, 2)


def test_long_texts_of_a_relation_meet_the_bound_and_not_that_of_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "MAX_BYTES", 8_000_000)
    with pytest.raises(UnservableTable, match="The DuckDB relation gives more than"):
        read(duckdb.sql("SELECT repeat('x', 50_000) AS a FROM range(100_000)"))


def test_what_is_large_but_there_already_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "MAX_ROWS", 1)
    assert len(read(pl.DataFrame({"a": [1, 2]}))) == len(read(pa.table({"a": [1, 2]}))) == 2


def test_without_pyarrow_the_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnservableTable, match=r"could not be read: it goes through pyarrow, which is not installed: pip install pyarrow\."):
        read(duckdb.sql("SELECT 1"))


def test_a_panic_of_polars_is_a_sentence_and_an_interrupt_is_none() -> None:
    panic = type("PanicException", (BaseException,), {})
    with (
        pytest.raises(UnservableTable, match="The table could not be read: PanicException: oh"),
        foreign.reading("The table could not be read"),
    ):
        raise panic("oh")
    with pytest.raises(KeyboardInterrupt), foreign.reading("The table could not be read"):
        raise KeyboardInterrupt


def test_a_long_reason_is_cut() -> None:
    with pytest.raises(UnservableTable) as caught, foreign.reading("The table could not be read"):
        raise ValueError("x" * 5_000)
    assert len(str(caught.value)) < 400


def test_what_was_read_does_not_change_with_the_polars_dataframe() -> None:
    table = pl.DataFrame({"a": [1, 2]})
    df, origin = read_table(table, TableKind.POLARS)
    table[0, "a"] = 9
    table.extend(pl.DataFrame({"a": [3]}))
    assert df["a"].tolist() == origin.held["a"].to_list() == [1, 2]


def test_a_sight_knows_the_object_and_what_shows_on_it() -> None:
    table = pl.DataFrame({"a": [1, 2]})
    sight = see(table)
    assert sight.still(table)
    assert not sight.still(table.clone())
    table.insert_column(1, pl.Series("b", [1, 2]))
    assert not sight.still(table)
    assert see(every_kind()[TableKind.DUCKDB]).still(None) is False


def test_numbers_are_shared_with_polars_and_text_that_is_not_is_counted() -> None:
    numbers, words = pl.DataFrame({"a": range(1_000)}), pl.DataFrame({"a": ["a rather long piece of text"] * 1_000})
    assert extra_memory(numbers) == extra_memory(pa.table({"a": ["x"]})) == ()
    [(_owner, size)] = extra_memory(words)
    assert size > 16_000
    assert memory_of(read(numbers)).nbytes == 8_000


def test_serving_imports_none_of_the_libraries_by_itself() -> None:
    script = """
import sys, pandas as pd
with_pandas = "pyarrow" in sys.modules
import mcp_workbench as wb
flights = pd.DataFrame({"a": [1]})
@wb.tool
def count(flights: pd.DataFrame) -> int:
    return len(flights)
wb.publish(flights=flights)
print([name for name in ("polars", "duckdb", "dask") if name in sys.modules], ("pyarrow" in sys.modules) == with_pandas)
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split("\n")[-2] == "[] True"
