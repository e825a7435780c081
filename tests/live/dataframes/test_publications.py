"""Published DataFrames: following, versions, listeners, and readers that never see a half-done cell."""

from __future__ import annotations

import logging
import threading
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.events import Change, ChangeKind
from mcp_workbench.live.dataframes import admission, changes, fingerprint, following, publications, snapshots
from mcp_workbench.live.dataframes.arguments import DataFrameBinder
from mcp_workbench.live.dataframes.foreign import UnservableTable
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.results import Results


def notebook() -> dict[str, Any]:
    return {"flights": pd.DataFrame({"origin": ["JFK", "LGA"], "delay": [1.5, 2.5]})}


def published(namespace: dict[str, Any], **options: Any) -> DataFrames:
    dataframes = DataFrames(clock=lambda: 1_000.0)
    dataframes.publish("flights", namespace["flights"], namespace=namespace, **options)
    return dataframes


def test_publishing_makes_version_one() -> None:
    namespace = notebook()
    dataframes = DataFrames()
    heard: list[Change] = []
    dataframes.on_change.append(heard.append)
    done = dataframes.publish("flights", namespace["flights"], namespace=namespace)
    assert (done.name, done.version, done.sentence) == ("flights", 1, None)
    assert heard == [done.change] == [Change("flights", 1, ChangeKind.PUBLISHED, "2 rows x 2 columns")]
    assert dataframes.names() == ["flights"]


def test_a_cell_that_writes_makes_a_version() -> None:
    namespace = notebook()
    dataframes = published(namespace)
    assert dataframes.check(namespace) == []
    namespace["flights"].loc[0, "delay"] = 9.5
    assert dataframes.check(namespace) == [Change("flights", 2, ChangeKind.COLUMNS, "column delay changed", ("delay",))]
    assert dataframes.check(namespace) == []
    assert dataframes.get("flights")["delay"].tolist() == [9.5, 2.5]
    assert dataframes.get("flights", 1)["delay"].tolist() == [1.5, 2.5]


def test_rebinding_is_followed() -> None:
    namespace = notebook()
    dataframes = published(namespace)
    namespace["flights"] = pd.concat([namespace["flights"], namespace["flights"]], ignore_index=True)
    assert [change.summary for change in dataframes.check(namespace)] == ["2 rows appended"]
    namespace["flights"].loc[3, "delay"] = 0.0
    assert [change.version for change in dataframes.check(namespace)] == [3]


def test_without_a_namespace_check_uses_the_one_of_publishing() -> None:
    namespace = notebook()
    dataframes = published(namespace)
    namespace["flights"].loc[0, "delay"] = 9.5
    assert len(dataframes.check()) == 1


@pytest.mark.parametrize(("value", "why"), [("deleted", "its variable flights was deleted"), (3, "its variable flights now holds int")])
def test_a_lost_variable_leaves_the_last_version_and_says_so(value: object, why: str) -> None:
    namespace = notebook()
    dataframes = published(namespace)
    if value == "deleted":
        del namespace["flights"]
    else:
        namespace["flights"] = value
    lost = Change("flights", 1, ChangeKind.LOST, f"no longer followed: {why}")
    assert [dataframes.check(namespace), dataframes.check(namespace)] == [[lost], []], "told once"
    assert dataframes.publication("flights").lost == why
    assert dataframes.get("flights").shape == (2, 2)
    with pytest.raises(NotFound, match=f"flights cannot be renewed: {why}"):
        dataframes.touch("flights")
    namespace["flights"] = pd.DataFrame({"origin": ["EWR"], "delay": [0.0]})
    assert [change.version for change in dataframes.check(namespace)] == [2]
    assert dataframes.publication("flights").lost is None


def test_what_has_no_variable_is_followed_as_an_object() -> None:
    df: Any = pd.DataFrame({"a": [1, 2]})
    dataframes = DataFrames()
    assert "the object itself" in (dataframes.publish("flights", df, namespace={}).sentence or "")
    df.loc[0, "a"] = 9
    assert [change.summary for change in dataframes.check({})] == ["column a changed"]


def test_a_series_is_served_as_its_only_column() -> None:
    namespace: dict[str, Any] = {"delays": pd.Series([1.5, 2.5])}
    dataframes = DataFrames()
    dataframes.publish("delays", namespace["delays"], namespace=namespace)
    assert dataframes.check(namespace) == []
    namespace["delays"].loc[0] = 9.5
    assert [change.summary for change in dataframes.check(namespace)] == ["column delays changed"]
    assert dataframes.get("delays")["delays"].tolist() == [9.5, 2.5]


def test_subclasses_and_attrs_are_fine() -> None:
    class Table(pd.DataFrame):
        @property
        def _constructor(self) -> type[Table]:
            return Table

    table: Any = Table({"a": [1, 2]})
    table.attrs["source"] = {"who": "me"}
    dataframes = DataFrames()
    dataframes.publish("table", table, namespace={"table": table})
    assert dataframes.check() == []
    table.loc[0, "a"] = 5
    assert len(dataframes.check()) == 1
    assert dataframes.get("table").attrs == {"source": {"who": "me"}}


def test_what_is_not_live_changes_only_when_touched() -> None:
    namespace = notebook()
    dataframes = published(namespace, live=False)
    namespace["flights"].loc[0, "delay"] = 9.5
    assert dataframes.check(namespace) == []
    assert dataframes.touch("flights").summary == "column delay changed"


def test_touch_takes_uris_and_tells_of_what_cannot_be_seen() -> None:
    cell = [1]
    namespace: dict[str, Any] = {"nested": pd.DataFrame({"o": pd.Series([cell], dtype="object")})}
    dataframes = DataFrames()
    dataframes.publish("nested", namespace["nested"], namespace=namespace)
    cell.append(2)
    assert dataframes.check(namespace) == []
    assert dataframes.touch("df://nested/rows?limit=5") == Change("nested", 2, ChangeKind.TOUCHED, "touched")
    with pytest.raises(NotFound, match="No DataFrame 'planes' is published"):
        dataframes.touch("planes")


def test_a_write_of_the_same_values_is_no_change_when_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.live.dataframes.changes.CHEAP_CELLS", 0)
    namespace = notebook()
    dataframes = published(namespace)
    dataframes.watched = lambda name: name == "flights"
    namespace["flights"]["delay"] = namespace["flights"]["delay"].copy()
    assert dataframes.check(namespace) == []
    namespace["flights"].loc[0, "delay"] = 9.5
    assert len(dataframes.check(namespace)) == 1, "the write after a no-op went unseen: the new buffer was not held"
    dataframes.watched = lambda name: False
    namespace["flights"]["delay"] = namespace["flights"]["delay"].copy()
    assert len(dataframes.check(namespace)) == 1


def test_publishing_again_continues_the_versions() -> None:
    namespace = notebook()
    dataframes = published(namespace)
    same = dataframes.publish("flights", namespace["flights"], description="new words", namespace=namespace)
    assert (same.version, same.change) == (1, None)
    assert dataframes.publication("flights").description == "new words"
    assert dataframes.publish("flights", pd.DataFrame({"other": [1]})).version == 2
    dataframes.unpublish("flights")
    assert dataframes.publish("flights", namespace["flights"]).version == 3


def test_unpublishing_ends_it() -> None:
    dataframes = published(notebook())
    heard: list[Change] = []
    dataframes.on_change.append(heard.append)
    dataframes.unpublish("flights")
    assert heard == [Change("flights", 1, ChangeKind.UNPUBLISHED, "no longer published")]
    assert dataframes.names() == []
    for read in (dataframes.get, dataframes.unpublish, dataframes.touch):
        with pytest.raises(NotFound):
            read("flights")


def test_old_versions_go_and_the_sentence_names_those_kept() -> None:
    namespace = notebook()
    dataframes = published(namespace)
    for value in range(10):
        namespace["flights"].loc[0, "delay"] = float(100 + value)
        dataframes.check(namespace)
    assert [snapshot.version for snapshot in dataframes.publication("flights").versions] == list(range(4, 12))
    with pytest.raises(NotFound, match=r"flights v3 is no longer kept\. Kept: v4, .* v11 \(latest\)\."):
        dataframes.get("flights", 3)


def test_what_is_handed_out_may_be_written_to() -> None:
    dataframes = published(notebook())
    handed: Any = dataframes.get("flights")
    handed.loc[0, "delay"] = -1.0
    assert dataframes.get("flights")["delay"].tolist() == [1.5, 2.5]


def test_refusals_come_before_anything_changes() -> None:
    dataframes = DataFrames()
    for name, value in (("my df", pd.DataFrame()), ("flights", [1])):
        with pytest.raises(RegistrationError):
            dataframes.publish(name, value)
    assert dataframes.names() == []


def test_a_listener_that_raises_is_logged_and_skipped(caplog: pytest.LogCaptureFixture) -> None:
    namespace = notebook()
    dataframes = published(namespace)
    heard: list[Change] = []

    def broken(change: Change) -> None:
        raise RuntimeError("listener")

    dataframes.on_change += [broken, heard.append]
    dataframes.touch("flights")
    assert [change.version for change in heard] == [2]
    assert "a listener failed on flights v2" in caplog.text


def test_a_listener_may_call_back() -> None:
    namespace = notebook()
    dataframes = published(namespace)
    seen: list[int] = []
    dataframes.on_change.append(lambda change: seen.append(len(dataframes.check(namespace)) + dataframes.snapshot(change.name).version))
    dataframes.touch("flights")
    assert seen == [2]


def test_one_that_cannot_be_checked_does_not_hide_the_others(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace = notebook() | {"other": pd.DataFrame({"a": [1]})}
    dataframes = published(namespace)
    dataframes.publish("other", namespace["other"], namespace=namespace)
    namespace["flights"].loc[0, "delay"] = 9.5
    namespace["other"].loc[0, "a"] = 9
    really = changes.describe

    def failing(old: pd.DataFrame, new: pd.DataFrame, *, confirm: bool) -> Any:
        if "delay" in new:
            raise TypeError("odd DataFrame")
        return really(old, new, confirm=confirm)

    monkeypatch.setattr(publications, "describe", failing)
    with caplog.at_level(logging.ERROR, logger="mcp_workbench"):
        assert [change.name for change in dataframes.check(namespace)] == ["other"]
    assert "flights could not be checked; version 1 is still served" in caplog.text


def test_an_interrupt_during_a_check_loses_no_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    namespace = notebook() | {"other": pd.DataFrame({"a": [1]})}
    dataframes = published(namespace)
    dataframes.publish("other", namespace["other"], namespace=namespace)
    heard: list[Change] = []
    dataframes.on_change.append(heard.append)
    namespace["flights"].loc[0, "delay"] = 9.5
    really = fingerprint.unchanged

    def interrupted(before: Any, df: Any) -> bool:
        if "a" in df:
            raise KeyboardInterrupt
        return really(before, df)

    monkeypatch.setattr(following, "unchanged", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dataframes.check(namespace)
    assert [change.version for change in heard] == [2]
    monkeypatch.undo()
    assert dataframes.check(namespace) == []


def test_without_copy_on_write_a_copy_is_served_until_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (admission, publications, snapshots):
        monkeypatch.setattr(module, "copy_on_write", lambda: False)
    namespace = notebook()
    dataframes = DataFrames()
    sentence = dataframes.publish("flights", namespace["flights"], namespace=namespace).sentence
    assert sentence is not None
    assert sentence.endswith("put this line first in the notebook: pd.options.mode.copy_on_write = True")
    namespace["flights"].loc[0, "delay"] = 9.5
    assert dataframes.check(namespace) == []
    assert dataframes.get("flights")["delay"].tolist() == [1.5, 2.5]
    assert dataframes.touch("flights").summary == "column delay changed"
    assert dataframes.get("flights")["delay"].tolist() == [9.5, 2.5]


def test_readers_on_other_threads_never_see_a_half_done_cell() -> None:
    rows, cells, readers, reads = 400, 120, 3, 700
    namespace: dict[str, Any] = {"flights": pd.DataFrame({"a": np.zeros(rows), "b": np.zeros(rows), "s": ["0"] * rows})}
    dataframes = published(namespace)
    binder = DataFrameBinder(dataframes, Results())
    start, problems, versions = threading.Barrier(readers + 1), [], set()

    def read(use_binder: bool) -> None:
        start.wait(10)
        for _ in range(reads):
            df: Any = binder.bind("flights", "flights", None).value if use_binder else dataframes.get("flights")
            a, b, s = df["a"].to_numpy(), df["b"].to_numpy(), df["s"].tolist()
            if not (len(set(a)) == 1 and (a == b).all() and set(s) == {str(int(a[0]))} and len(df) == rows):
                problems.append((a[0], b[0], s[0], len(df)))
            versions.add(int(a[0]))
            df.loc[0, "a"] = -1.0  # a tool's own write must reach nobody

    threads = [threading.Thread(target=read, args=(number == 0,), daemon=True) for number in range(readers)]
    for thread in threads:
        thread.start()
    start.wait(10)
    for cell in range(1, cells + 1):
        df = namespace["flights"]
        df["a"] += 1.0
        df.loc[: rows // 2 - 1, "b"] = float(cell)
        namespace["flights"] = df = df.iloc[: rows // 2]
        df = pd.concat([df, df], ignore_index=True)
        df["s"] = str(cell)
        namespace["flights"] = df
        dataframes.check(namespace)
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert problems == []
    assert versions <= set(range(cells + 1))
    assert dataframes.snapshot("flights").version == cells + 1


def test_touches_from_many_threads_make_one_version_each() -> None:
    dataframes = published(notebook())
    heard: list[int] = []
    dataframes.on_change.append(lambda change: heard.append(change.version))
    start = threading.Barrier(4)

    def touch() -> None:
        start.wait(10)
        for _ in range(25):
            dataframes.touch("flights")

    threads = [threading.Thread(target=touch, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(heard) == list(range(2, 102))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pd.Series([1, 2], dtype=object), pd.Series([True, 2], dtype=object)),
        (pd.Series([[1], None], dtype=object), pd.Series([[1.0], None], dtype=object)),
        (pd.Series([0.0, 1.0]), pd.Series([-0.0, 1.0])),
        (pd.Series(pd.Categorical(["x"], ["x", "y"])), pd.Series(pd.Categorical(["x"], ["y", "x"]))),
    ],
)
def test_an_old_version_never_changes_to_what_only_seems_equal(before: Any, after: Any) -> None:
    namespace: dict[str, Any] = {"df": before.to_frame("a")}
    dataframes = DataFrames()
    dataframes.publish("df", namespace["df"], namespace=namespace)
    namespace["df"] = after.to_frame("a")
    assert [change.version for change in dataframes.check(namespace)] == [2]
    assert repr(dataframes.get("df", 1)["a"].tolist()) == repr(before.tolist())
    assert repr(dataframes.get("df", 2)["a"].tolist()) == repr(after.tolist())


def test_what_is_no_change_leaves_labels_and_attributes_of_the_version_alone() -> None:
    namespace: dict[str, Any] = {"df": pd.DataFrame({"a": [1, 2]})}
    dataframes = DataFrames()
    dataframes.publish("df", namespace["df"], namespace=namespace)
    namespace["df"] = pd.DataFrame({"a": [1, 2]}, index=pd.Index([0, 1]))
    namespace["df"].attrs["k"] = 1
    assert dataframes.check(namespace) == []
    assert isinstance(dataframes.get("df").index, pd.RangeIndex)
    assert dataframes.get("df").attrs == {}
    namespace["df"].loc[0, "a"] = 9
    assert [change.summary for change in dataframes.check(namespace)] == ["column a changed"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"description": 5}, "publish(description=…) takes text or None, not an int."),
        ({"description": "\ud800"}, "publish(description=…) takes Unicode text; half of a surrogate pair stands in it"),
        ({"live": "no"}, "publish(live=…) takes True or False, not a str."),
        ({"live": 1}, "publish(live=…) takes True or False, not an int."),
        ({"follow": 5}, "publish(follow=…) takes the name of a variable or None, not an int."),
    ],
)
def test_options_that_no_client_could_read_are_refused_at_once(options: dict[str, Any], sentence: str) -> None:
    dataframes = DataFrames()
    with pytest.raises(RegistrationError) as refusal:
        dataframes.publish("df", pd.DataFrame({"a": [1]}), **options)
    assert str(refusal.value).startswith(sentence)
    assert dataframes.names() == []


def test_publishing_succeeds_although_another_thread_unpublishes_at_once() -> None:
    dataframes = DataFrames()

    def unpublish(change: Change) -> None:
        if change.kind is ChangeKind.PUBLISHED:
            other = threading.Thread(target=dataframes.unpublish, args=(change.name,))
            other.start()
            other.join()

    dataframes.on_change.append(unpublish)
    done = dataframes.publish("df", pd.DataFrame({"a": [1]}))
    assert (done.version, dataframes.names()) == (1, [])


def test_names_and_descriptions_of_a_class_of_ones_own_become_plain_text() -> None:
    class Text(str):
        def __str__(self) -> str:
            raise AssertionError("nobody asked")

    dataframes = DataFrames()
    dataframes.publish(Text("df"), pd.DataFrame({"a": [1]}), description=Text("words"))
    assert [type(text) for name in dataframes.names() for text in (name, dataframes.publication(name).description)] == [str, str]


def foreign(table: Any, **options: Any) -> tuple[DataFrames, dict[str, Any]]:
    namespace: dict[str, Any] = {"sales": table}
    dataframes = DataFrames(clock=lambda: 1_000.0)
    dataframes.publish("sales", table, namespace=namespace, **options)
    return dataframes, namespace


@pytest.mark.parametrize("table", [pl.DataFrame({"n": [1, 2]}), pa.table({"n": [1, 2]})])
def test_a_table_of_another_library_lives_by_being_rebound(table: Any) -> None:
    dataframes, namespace = foreign(table)
    assert dataframes.check(namespace) == []
    more = {"n": [1, 2, 3]}
    namespace["sales"] = pl.DataFrame(more) if isinstance(table, pl.DataFrame) else pa.table(more)
    assert [change.summary for change in dataframes.check(namespace)] == ["1 row appended"]
    namespace["sales"] = namespace["sales"].clone() if isinstance(table, pl.DataFrame) else pa.table(more)
    assert dataframes.check(namespace) == [], "the same values in another object"
    assert dataframes.get("sales") is not table
    assert (type(dataframes.get("sales")), len(dataframes.get("sales")), len(dataframes.get("sales", 1))) == (type(table), 3, 2)
    del namespace["sales"]
    assert [change.kind for change in dataframes.check(namespace)] == [ChangeKind.LOST]
    namespace["sales"] = table
    assert [change.version for change in dataframes.check(namespace)] == [3]
    assert dataframes.unpublish("sales").kind is ChangeKind.UNPUBLISHED
    assert dataframes.check(namespace) == []


def test_what_changed_is_said_in_the_librarys_own_words() -> None:
    dataframes, namespace = foreign(pl.DataFrame({"n": [1, 2], "s": ["a", "b"]}))
    namespace["sales"] = namespace["sales"].cast({"n": pl.Int16})
    assert [change.summary for change in dataframes.check(namespace)] == ["dtype of n is Int16, was Int64"]
    namespace["sales"] = namespace["sales"].with_columns(n=pl.col("n") + 1)
    assert [change.summary for change in dataframes.check(namespace)] == ["column n changed"]
    namespace["sales"] = namespace["sales"].to_arrow()
    assert [change.summary for change in dataframes.check(namespace)] == ["a pyarrow Table now, was a polars DataFrame"]
    namespace["sales"] = namespace["sales"].to_pandas()
    assert [change.summary for change in dataframes.check(namespace)] == ["a pandas DataFrame now, was a pyarrow Table"]
    namespace["sales"].loc[0, "n"] = 9
    assert [change.summary for change in dataframes.check(namespace)] == ["column n changed"]


def test_columns_and_rows_that_come_in_place_are_seen_and_values_wait_for_touch() -> None:
    table = pl.DataFrame({"n": [1, 2]})
    dataframes, namespace = foreign(table)
    table.insert_column(1, pl.Series("m", [3, 4]))
    assert [change.summary for change in dataframes.check(namespace)] == ["column m added"]
    table[0, "n"] = 9
    assert dataframes.check(namespace) == []
    assert dataframes.get("sales")["n"].to_list() == [1, 2]
    assert dataframes.touch("sales").summary == "column n changed"
    assert dataframes.get("sales")["n"].to_list() == [9, 2]


def test_of_a_polars_dataframe_written_to_in_place_only_the_column_that_changed_is_named_however_long_it_is() -> None:
    rows = 60_000
    dataframes, namespace = foreign(pl.DataFrame({"who": ["a"] * rows, "amount": [1.0] * rows, "one": [1] * rows}))
    namespace["sales"][0, "amount"] = 9_999.0
    assert dataframes.touch("sales").summary == "column amount changed"


def test_a_relation_that_is_touched_says_whether_anything_differs() -> None:
    dataframes, _ = foreign(duckdb.connect().sql("SELECT 1 AS n, 'a' AS s"))
    assert dataframes.touch("sales").summary == "touched; read again, nothing differs"


def test_a_relation_is_read_once_and_again_when_touched_or_rebound() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    relation = connection.table("t")
    namespace = {"sales": relation}
    dataframes = DataFrames()
    said = dataframes.publish("sales", relation, namespace=namespace).sentence
    assert said == (
        "sales is a DuckDB relation: it was read once, 1 row, "
        'and is read again by wb.touch("sales") or when the variable is bound to another.'
    )
    connection.execute("INSERT INTO t VALUES (2)")
    assert dataframes.check(namespace) == []
    assert dataframes.touch("sales").summary == "1 row appended"
    namespace["sales"] = relation.filter("n > 1")
    assert [change.summary for change in dataframes.check(namespace)] == ["1 row fewer, 1 now"]
    assert dataframes.get("sales").fetchall() == [(2,)]
    assert dataframes.get("sales", 2).fetchall() == [(1,), (2,)]


def test_a_lazy_table_that_cannot_be_read_any_more_is_asked_once_and_told_once() -> None:
    asked: list[int] = []

    def failing(df: pl.DataFrame) -> pl.DataFrame:
        asked.append(len(df))
        raise ValueError("no such file")

    dataframes, namespace = foreign(pl.LazyFrame({"n": [1]}))
    good, bad = namespace["sales"], pl.LazyFrame({"n": [1, 2]}).map_batches(failing)
    namespace["sales"] = bad
    [lost] = dataframes.check(namespace)
    assert lost.kind is ChangeKind.LOST
    assert "what it follows cannot be read: The polars LazyFrame could not be read: " in lost.summary
    assert [dataframes.check(namespace), asked] == [[], [2]], "asked once"
    with pytest.raises(UnservableTable, match="no such file"):
        dataframes.touch("sales")
    del namespace["sales"]
    assert [change.summary for change in dataframes.check(namespace)] == ["no longer followed: its variable sales was deleted"]
    namespace["sales"] = bad
    assert [change.kind for change in dataframes.check(namespace)] == [ChangeKind.LOST]
    namespace["sales"] = good.with_columns(m=2)
    assert [change.summary for change in dataframes.check(namespace)] == ["column m added"]
    assert dataframes.publication("sales").lost is None


def test_what_cannot_be_read_is_not_published() -> None:
    with pytest.raises(RegistrationError, match=r"sales cannot be published\. Column o holds Python objects"):
        foreign(pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}))


def test_versions_of_polars_share_what_did_not_change_and_are_bounded() -> None:
    namespace = {"sales": pl.DataFrame({"n": np.arange(10_000), "m": np.arange(10_000)})}
    dataframes = DataFrames(max_bytes=200_000)
    dataframes.publish("sales", namespace["sales"], namespace=namespace)
    for at in range(5):
        namespace["sales"] = namespace["sales"].with_columns(m=pl.lit(at, pl.Int64))
        dataframes.check(namespace)
    assert [snapshot.version for snapshot in dataframes.publication("sales").versions] == [4, 5, 6]


def test_without_copy_on_write_other_libraries_are_followed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (publications, admission, snapshots):
        monkeypatch.setattr(module, "copy_on_write", lambda: False)
    dataframes, namespace = foreign(pa.table({"n": [1]}))
    namespace["sales"] = pa.table({"n": [1, 2]})
    assert [change.summary for change in dataframes.check(namespace)] == ["1 row appended"]
