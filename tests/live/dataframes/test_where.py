"""Which rows a condition is true for: against plain Python row by row, against duckdb, and by example."""

from __future__ import annotations

import operator
import re
import tracemalloc
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze, take_snapshot
from mcp_workbench.live.dataframes.where import MAX_WORK, find_rows
from mcp_workbench.primitives.binding import ArgumentError


def snapshot_of(df: pd.DataFrame, name: str = "flights") -> Snapshot:
    return take_snapshot(name, 17, freeze(df, name), ChangeKind.PUBLISHED, "", 0.0)


def rows(df: pd.DataFrame, where: str) -> list[int]:
    return list(find_rows(snapshot_of(df), where).rows.tolist())


def refused(df: pd.DataFrame, where: str) -> str:
    with pytest.raises(ArgumentError) as caught:
        rows(df, where)
    return str(caught.value)


# --- the oracle ---------------------------------------------------------------------------------------------------------

NUMBERS = [None, -2.0, 0.0, 0.5, 1.0, 3.0]
WHOLES = [-2, 0, 1, 3, 2**53 + 1]
TEXTS = [None, "", "a", "A", "ab", "b%", "it's", "é"]
TRUTHS = [None, True, False]
TIMES = [None, datetime(2013, 1, 1), datetime(2013, 1, 31, 17, 0, 1), datetime(2020, 2, 29)]  # noqa: DTZ001  # columns without a zone
COLUMNS: dict[str, list[Any]] = {"x": NUMBERS, "n": WHOLES, "s": TEXTS, "t": TIMES, "b": TRUTHS, "y": NUMBERS}

COMPARE: dict[str, Any] = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
Cells = dict[str, Any]


class Written:
    """A condition as text, and what Python says of a row: True, False or None."""

    def __init__(self, text: str, judge: Any) -> None:
        self.text = text
        self.judge = judge

    def __repr__(self) -> str:
        return self.text


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return "'" + str(value).replace("'", "''") + "'" if isinstance(value, str | datetime) else repr(value)


def compared(name: str, sign: str, value: Any) -> Written:
    return Written(f"{name} {sign} {literal(value)}", lambda row: None if row[name] is None else COMPARE[sign](row[name], value))


def among(name: str, values: list[Any], negated: bool) -> Written:
    text = f"{name} {'NOT ' if negated else ''}IN ({', '.join(map(literal, values))})"
    return Written(text, lambda row: None if row[name] is None else (row[name] in values) is not negated)


def between(name: str, low: Any, high: Any) -> Written:
    return Written(
        f"{name} BETWEEN {literal(low)} AND {literal(high)}", lambda row: None if row[name] is None else low <= row[name] <= high
    )


def is_null(name: str, negated: bool) -> Written:
    return Written(f"{name} IS {'NOT ' if negated else ''}NULL", lambda row: (row[name] is None) is not negated)


def like(pattern: str, ignore_case: bool) -> Written:
    body = "".join(".*" if character == "%" else "." if character == "_" else re.escape(character) for character in pattern)
    form = re.compile(body, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    text = f"s {'ILIKE' if ignore_case else 'LIKE'} {literal(pattern)}"
    return Written(text, lambda row: None if row["s"] is None else form.fullmatch(row["s"]) is not None)


def columns_compared(one: str, sign: str, other: str) -> Written:
    return Written(f"{one} {sign} {other}", lambda row: None if None in (row[one], row[other]) else COMPARE[sign](row[one], row[other]))


def computed(sign: str, value: float) -> Written:
    def judge(row: Cells) -> bool | None:
        return None if None in (row["x"], row["y"]) else COMPARE[sign](row["x"] - row["y"] * 2, value)

    return Written(f"x - y * 2 {sign} {value!r}", judge)


def negation(inner: Written) -> Written:
    return Written(f"NOT ({inner})", lambda row: None if (answer := inner.judge(row)) is None else not answer)


def both(parts: list[Written]) -> Written:
    def judge(row: Cells) -> bool | None:
        answers = [part.judge(row) for part in parts]
        return False if False in answers else None if None in answers else True

    return Written(" AND ".join(f"({part})" for part in parts), judge)


def either(parts: list[Written]) -> Written:
    def judge(row: Cells) -> bool | None:
        answers = [part.judge(row) for part in parts]
        return True if True in answers else None if None in answers else False

    return Written(" OR ".join(f"({part})" for part in parts), judge)


def present(name: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([value for value in COLUMNS[name] if value is not None])


names = st.sampled_from(list(COLUMNS))
signs = st.sampled_from(list(COMPARE))
simple = st.one_of(
    names.flatmap(lambda name: st.builds(compared, st.just(name), signs, present(name))),
    names.flatmap(lambda name: st.builds(among, st.just(name), st.lists(present(name), min_size=1, max_size=3), st.booleans())),
    st.sampled_from("xnst").flatmap(lambda name: st.builds(between, st.just(name), present(name), present(name))),
    st.builds(is_null, names, st.booleans()),
    st.builds(like, st.text("aA%_b'é", max_size=4), st.booleans()),
    st.builds(columns_compared, st.sampled_from("xn"), signs, st.sampled_from("yn")),
    st.builds(computed, signs, st.sampled_from([0.0, 1.0, -2.5])),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(negation, inner),
        st.builds(both, st.lists(inner, min_size=2, max_size=3)),
        st.builds(either, st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
).filter(lambda written: len(written.text) <= 2000)
tables = st.lists(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in COLUMNS.items()}), max_size=6)


def frame(table: list[Cells], form: str) -> pd.DataFrame:
    """The same rows in the dtypes that people have."""
    df = pd.DataFrame({name: pd.Series([row[name] for row in table], dtype=object) for name in COLUMNS})
    if form == "objects":
        return df
    kinds = {"x": "float64", "y": "float64", "n": "int64", "t": "datetime64[ns]", "s": "string", "b": "boolean"}
    if form == "nullable":
        kinds |= {"x": "Float64", "n": "Int64", "t": "datetime64[us]"}
    if form == "categories":
        kinds |= {"s": "category", "x": "category"}
    return df.astype(kinds)


@pytest.mark.parametrize("form", ["plain", "objects", "nullable", "categories"])
@given(table=tables, condition=conditions)
def test_rows_found_are_those_that_plain_python_finds_one_by_one(form: str, table: list[Cells], condition: Written) -> None:
    assert rows(frame(table, form), condition.text) == [at for at, row in enumerate(table) if condition.judge(row) is True]


@given(table=tables.filter(bool), condition=conditions)
def test_duckdb_finds_the_same_rows(table: list[Cells], condition: Written) -> None:
    duckdb = pytest.importorskip("duckdb")
    df = frame(table, "plain").assign(row=range(len(table)))
    found = CONNECTION(duckdb).from_df(df).filter(condition.text).project("row").fetchall()
    assert rows(df, condition.text) == sorted(row for (row,) in found)


class CONNECTION:
    """One connection for all examples: opening costs more than asking."""

    opened: Any = None

    def __new__(cls, duckdb: Any) -> Any:
        if cls.opened is None:
            cls.opened = duckdb.connect()
        return cls.opened


# --- columns of every kind ------------------------------------------------------------------------------------------------

NAIVE = pd.Series(["2013-01-01T00:00", "2013-01-31T17:00", None]).astype("datetime64[ns]")

KINDS = pd.DataFrame(
    {
        "year": [2012, 2013, 2014],
        "big": [2**63 - 1, 0, -(2**63)],
        "unsigned": np.array([2**64 - 1, 0, 1], dtype="uint64"),
        "small": np.array([0.1, np.inf, np.nan], dtype="float32"),
        "carrier": ["UA", "AA", None],
        "late": [True, False, True],
        "maybe": pd.array([True, None, False], dtype="boolean"),
        "at": NAIVE,
        "berlin": NAIVE.dt.tz_localize("Europe/Berlin"),
        "days": pd.to_timedelta(["1 day", "2 hours", None]),
        "size": pd.Categorical(["S", "L", None], categories=["S", "M", "L"], ordered=True),
        "rank": pd.Categorical([3, 1, None]),
        "day": [date(2013, 1, 1), date(2013, 1, 31), None],
        "money": [Decimal("1.50"), Decimal(2), None],
        "mixed": [1, "1", None],
        "lists": [[1], [2], None],
        "raw": [b"a", b"b", None],
        "period": pd.PeriodIndex(["2013-01", "2013-02", None], freq="M"),
        "nothing": [None, None, None],
        "sparse": pd.arrays.SparseArray([0, 1, 0]),
        "two words": [1, 2, 3],
    }
)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("year = '2013'", [1]),
        ("YEAR = 2013", [1]),
        ("year > 2012.5", [1, 2]),
        ("year < 99999999999999999999", [0, 1, 2]),
        ("big = 9223372036854775807", [0]),
        ("unsigned = 18446744073709551615", [0]),
        ("unsigned > -1", [0, 1, 2]),
        ("small > 1", [1]),
        ("small IS NULL", [2]),
        ("small / 0 > 1 OR NOT small / 0 > 1", []),
        ("late", [0, 2]),
        ("NOT maybe", [2]),
        ("late = 1", [0, 2]),
        ("late != 'true'", [1]),
        ("at > '2013-01-01'", [1]),
        ("at = '2013-01-31T17:00:00'", [1]),
        ("at <= DATE '2013-01-01'", [0]),
        ("berlin = '2013-01-31 17:00'", [1]),
        ("berlin = '2013-01-31 16:00Z'", [1]),
        ("berlin < '9999-12-31'", [0, 1]),
        ("at < '9999-12-31'", [0, 1]),
        ("days > '3 hours'", [0]),
        ("days = '02:00:00'", [1]),
        ("size IN ('S', 'M')", [0]),
        ("size != 'S'", [1]),
        ("rank > 2", [0]),
        ("day >= '2013-01-02'", [1]),
        ("money < 1.6", [0]),
        ("mixed = 1", [0]),
        ("mixed = '1'", [1]),
        ("mixed LIKE '1'", [1]),
        ("mixed IS NULL", [2]),
        ("lists IS NOT NULL", [0, 1]),
        ("raw IS NULL OR period IS NULL", [2]),
        ("nothing = 1 OR NOT nothing = 1 OR nothing LIKE 'a' OR nothing > nothing", []),
        ("nothing IS NULL", [0, 1, 2]),
        ("sparse = 1", [1]),
        ('"two words" > 1 AND `two words` < 3', [1]),
        ("carrier LIKE 'U%' OR carrier ILIKE '_a'", [0, 1]),
        ("year + 1 = 2014", [1]),
        ("-year < -2013", [2]),
        ("1 = 1", [0, 1, 2]),
        ("FALSE OR 'a' > 'b'", []),
        ("TRUE", [0, 1, 2]),
    ],
)
def test_each_kind_of_column_is_compared_as_agents_write_it(where: str, found: list[int]) -> None:
    assert rows(KINDS, where) == found


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("carier = 'UA'", "No column 'carier' in flights v17. Nearest: carrier"),
        ('carrier = "UA"', "No column 'UA' in flights v17."),
        ('carrier = "UA"', "Text is written in single quotes: 'UA'."),
        ("carrier = 17", "where: carrier is text (for instance 'UA', 'AA'), 17 is not: write it in single quotes: '17'."),
        ("year = 'soon'", "where: year is int64 (for instance 2012, 2013), 'soon' is not: write for instance year > 2012."),
        ("late > 3", "where: late is bool (for instance TRUE, FALSE), 3 is not"),
        ("at = 3", "write for instance at >= '2013-01-31'"),
        ("at = 'yesterday'", "write a time like '2013-01-31' or '2013-01-31 17:00', not 'yesterday'."),
        ("at = '2013-01-01 00:00+01:00'", "at has no time zone: write the time without one"),
        ("days > 'soon'", "write a duration like '2 hours' or '01:30:00', not 'soon'."),
        ("size > 'S'", "size is an ordered category ('S' < 'M' < 'L'): write size IN (…) with those meant."),
        ("lists = 1", "lists is of a type that cannot be compared"),
        ("raw = 'a'", "which only IS NULL and IS NOT NULL can be asked of."),
        ("year LIKE '2%'", "LIKE is for text; year is int64"),
        ("year", "not true or false by itself: compare it, for instance year > 2012."),
        ("year = NULL", "nothing is equal to NULL, nor different from it: write IS NULL"),
        ("year IN (2012, NULL)", "write IS NULL"),
        ("year = carrier", "these cannot be compared with each other"),
        ("at < berlin", "one of at and berlin has a time zone, the other none"),
        ("carrier + 1 > 2", "+ - * / take numbers; carrier is text"),
    ],
)
def test_what_cannot_be_compared_is_answered_with_what_the_column_is(where: str, sentence: str) -> None:
    assert sentence in refused(KINDS, where)


def test_cells_of_other_types_count_as_missing_and_that_is_said() -> None:
    df = pd.DataFrame({"mixed": [1, "1", None, 2.5, [3]]})
    matches = find_rows(snapshot_of(df), "mixed >= 1 AND mixed < 9")
    assert matches.rows.tolist() == [0, 3]
    assert matches.notes == ("mixed holds several types: 2 cells that are not a number were taken as missing",)
    assert rows(df, "mixed = TRUE") == []


def test_the_index_is_a_column_like_those_that_rows_show() -> None:
    df = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["JFK", "LGA"], name="origin"))
    assert rows(df, "origin = 'LGA'") == [1]
    assert "No column 'origin'" in refused(df.reset_index(drop=True), "origin = 'LGA'")


def test_columns_of_several_levels_are_named_as_rows_show_them() -> None:
    df = pd.DataFrame([[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([("delay", "mean"), ("delay", "max")]))
    assert rows(df, "delay.mean = 3 AND delay.max > 1") == [1]


def test_columns_of_one_name_cannot_be_told_apart() -> None:
    df = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert "flights v17 has 2 columns called 'a'" in refused(df, "a = 1")


def test_two_columns_alike_but_for_case_are_told_apart_by_it() -> None:
    df = pd.DataFrame({"a": [1, 2], "A": [2, 1]})
    assert (rows(df, "a = 2"), rows(df, "A = 2")) == ([1], [0])


def test_a_pattern_of_many_wildcards_takes_one_walk_over_the_text() -> None:
    df = pd.DataFrame({"s": ["a" * 20_000]})
    assert rows(df, f"s LIKE '{'%a' * 200}%b'") == []
    assert rows(df, f"s LIKE '{'%a_' * 200}%'") == [0]


# --- IN is = joined by OR -------------------------------------------------------------------------------------------------

LISTED = [
    "0",
    "1",
    "-1",
    "2",
    "3.0",
    "0.1",
    "1.5",
    "2013",
    "2012.5",
    str(2**53 + 1),
    f"{2**53}.0",
    str(2**63 - 1),
    str(2**64 - 1),
    "1e39",
    "TRUE",
]
LISTED += ["'1'", "'UA'", "'true'", "'2013-01-31 17:00'", "'2 hours'", "'L'", "'0.1'"]
NUMBERED = pd.DataFrame(
    {
        "far": [2**53 + 1, 2**53, 2**63 - 1, -1],
        "unsigned": np.array([2**64 - 1, 0, 1, 2**53 + 1], dtype="uint64"),
        "tiny": np.array([1, 2, 3, -1], dtype="int8"),
        "single": np.array([0.1, np.inf, np.nan, 2], dtype="float32"),
        "double": [0.1, 2.0**53, np.nan, -0.0],
        "text": ["1", "UA", None, "0.1"],
        "mixed": [1, "1", True, 0.1],
        "late": [True, False, True, False],
        "at": pd.Series(["2013-01-31T17:00", "2013-01-01", None, "2014-01-01"]).astype("datetime64[ns]"),
        "days": pd.to_timedelta(["2 hours", "1 day", None, "0 s"]),
        "nothing": [None, None, None, None],
    }
)


@given(
    name=st.sampled_from(list(NUMBERED)),
    options=st.lists(st.sampled_from(LISTED), min_size=1, max_size=4),
    negation=st.sampled_from(["", "NOT "]),
)
def test_a_list_finds_what_the_same_values_joined_by_or_find_and_is_refused_where_they_are(
    name: str, options: list[str], negation: str
) -> None:
    listed = f"{negation}({name} IN ({', '.join(options)}))"
    joined = f"{negation}({' OR '.join(f'{name} = {option}' for option in options)})"
    assert said_of(NUMBERED, listed) == said_of(NUMBERED, joined)


def said_of(df: pd.DataFrame, where: str) -> list[int] | str:
    """The rows, or why not."""
    try:
        return rows(df, where)
    except ArgumentError as error:
        return str(error)


def test_texts_that_end_with_nul_are_told_apart() -> None:
    df = pd.DataFrame({"s": ["a", "a\0", ""]})
    assert (rows(df, "s = 'a\0'"), rows(df, "s IN ('a\0')"), rows(df, "s > 'a'")) == ([1], [1], [1])


# --- what it costs ---------------------------------------------------------------------------------------------------------

MANY = 100_000


@pytest.mark.parametrize(
    "where",
    [
        " OR ".join(["f>1"] * 249),
        " AND ".join(["f<1"] * 220),
        f"f IN ({', '.join(map(str, range(2, 402)))})",
        "((f + 1) * " * 24 + "f" + ")" * 24 + " > 0",
    ],
)
def test_memory_is_a_few_columns_however_long_the_condition_is(where: str) -> None:
    snapshot = snapshot_of(pd.DataFrame({"f": np.linspace(0, 0.9, MANY)}))
    tracemalloc.start()
    try:
        find_rows(snapshot, where)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 80 * MANY


def test_too_much_work_is_refused_with_what_to_write_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    df = pd.DataFrame({"s": [f"t{n}" for n in range(1_000)]})
    assert MAX_WORK > 1_000_000_000
    monkeypatch.setattr("mcp_workbench.live.dataframes.where.MAX_WORK", 1_000_000)
    assert rows(df, " OR ".join(["s LIKE '%t7'"] * 5)) == [7]
    sentence = refused(df, " OR ".join(["s LIKE '%t7'"] * 6))
    assert sentence.startswith("where: that is too much work over 1,000 rows for one call. Write fewer conditions: IN ('a', 'b')")
    monkeypatch.setattr("mcp_workbench.live.dataframes.where.MAX_WORK", 1)
    assert rows(df, "s LIKE '%t7'") == [7], "one condition alone is never too much"
    assert "too much work" in refused(df, "s = 'a' OR s = 'b'")


class Enough(Exception):
    pass


@pytest.mark.parametrize("where", [" OR ".join(["s = 'a'"] * 9), " AND ".join(["n + 1 > n"] * 9), "s LIKE '%a'", "n IN (1, 2)"])
def test_a_search_that_nobody_waits_for_ends_between_its_parts(where: str) -> None:
    df = pd.DataFrame({"s": [f"t{n}" for n in range(50_000)], "n": range(50_000)})
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == stop_at:
            raise Enough

    stop_at = 0
    find_rows(snapshot_of(df), where, look)
    stop_at, looks = looks, 0
    with pytest.raises(Enough):
        find_rows(snapshot_of(df), where, look)


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("product name = 'Kettle'", '"product name"'),
        ("n > 1 AND Product Name LIKE 'K%'", '"product name"'),
        ("unit-price > 3", '"unit-price"'),
        ("price (EUR) > 3", '"price (EUR)"'),
        ('5" pipe > 3', '"5"" pipe"'),
        ("a product name > 3", '"a product name"'),
    ],
)
def test_a_name_of_several_words_without_quotes_is_recognised(where: str, meant: str) -> None:
    df = pd.DataFrame(columns=["product name", "unit-price", "price (EUR)", '5" pipe', "a product name", "n"])
    assert refused(df, where).endswith(f" Did you mean {meant}? A name that is more than one word stands in double quotes.")


def test_what_stands_in_quotes_or_inside_another_word_is_no_such_name() -> None:
    df = pd.DataFrame({"product name": ["Kettle"], "n": [1]})
    assert rows(df, "\"product name\" = 'Kettle'") == [0]
    for where in ("n = 'product name' 3", "byproduct names = 1", '"product name" ~ 1'):
        assert "Did you mean" not in refused(df, where)
