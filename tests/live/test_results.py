"""Results of calls: named, owned, bounded."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mcp_workbench.live import results as results_module
from mcp_workbench.live.dataframes.conversions import as_kind
from mcp_workbench.live.dataframes.fingerprint import Frame
from mcp_workbench.live.dataframes.foreign import Origin, TableKind
from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.snapshots import Snapshot, freeze_table
from mcp_workbench.live.results import Results


def kilobytes(count: int) -> pd.DataFrame:
    return pd.DataFrame({"a": np.zeros(count * 128)})


def keep(results: Results, value: Any, principal: str = "default") -> Snapshot:
    kept = results.keep(value, principal)
    assert kept is not None
    return kept


def test_results_are_numbered_and_frozen() -> None:
    results = Results()
    df: Any = pd.DataFrame({"a": [1]})
    assert [keep(results, df).name, keep(results, df["a"]).name] == ["_r1", "_r2"]
    df.loc[0, "a"] = 9
    assert results.snapshot("_r1", "default").df["a"].tolist() == [1]
    assert results.snapshot("_r2", "default").df["a"].tolist() == [1]
    assert len(results) == 2


def test_a_result_exists_only_for_its_principal_and_the_author() -> None:
    results = Results()
    keep(results, kilobytes(1), "alice")
    assert results.snapshot("_r1", "alice") is results.snapshot("_r1", None)
    assert (results.names("alice"), results.names("bob"), results.names(None)) == (["_r1"], [], ["_r1"])
    with pytest.raises(NotFound) as foreign:
        results.snapshot("_r1", "bob")
    with pytest.raises(NotFound) as never:
        results.snapshot("_r9", "bob")
    assert str(foreign.value).replace("_r1", "_r9") == str(never.value)


def test_a_result_has_no_versions_to_ask_for() -> None:
    results = Results()
    keep(results, kilobytes(1), "alice")
    assert results.snapshot("_r1", "alice", 1) is results.snapshot("_r1", "alice")
    with pytest.raises(NotFound, match=r"^_r1 is a result and has no versions; leave version out\.$"):
        results.snapshot("_r1", None, 77)


def test_the_oldest_go_first_and_the_sentence_says_so() -> None:
    results = Results(max_results=2)
    for _ in range(3):
        keep(results, kilobytes(1))
    assert results.names("default") == ["_r2", "_r3"]
    with pytest.raises(NotFound) as gone:
        results.snapshot("_r1", "default")
    assert str(gone.value) == "No result _r1 is kept: the oldest go first, after 2 or 256 MiB. Kept: _r2, _r3. Call the tool again."


def test_memory_is_a_bound_of_its_own() -> None:
    results = Results(max_bytes=10 * 1024)
    for size in (4, 4, 4):
        keep(results, kilobytes(size))
    assert results.names(None) == ["_r2", "_r3"]
    assert results.nbytes == 8 * 1024
    keep(results, kilobytes(10))
    assert results.names(None) == ["_r4"]


def test_what_is_larger_than_the_store_is_not_kept_and_drives_nothing_out() -> None:
    results = Results(max_bytes=10 * 1024)
    keep(results, kilobytes(4))
    assert results.keep(kilobytes(11), "default") is None
    assert results.names(None) == ["_r1"]


SLICES: list[Callable[[Any], Any]] = [
    lambda big: big.iloc[:5],
    lambda big: big.iloc[-5:],
    lambda big: big.loc[10:15],
    lambda big: big["c0"].iloc[:5],
    lambda big: big[["c0"]],
]


@pytest.mark.parametrize("part", SLICES)
def test_a_small_part_does_not_keep_the_whole_in_memory(part: Callable[[Any], Any]) -> None:
    big = pd.DataFrame({f"c{n}": np.zeros(100_000) for n in range(10)}, index=pd.Index(np.arange(100_000)[::-1].copy()))
    column: Any = big["c0"].to_numpy()
    whole = weakref.ref(column.base if column.base.base is None else column.base.base)
    results = Results()
    kept = keep(results, part(big))
    pd.testing.assert_frame_equal(kept.df, pd.DataFrame(part(big)))
    assert results.nbytes == kept.memory.alive == kept.nbytes
    del big, column
    gc.collect()
    assert whole() is None


def test_a_large_part_counts_with_the_whole_it_keeps_in_memory() -> None:
    big = pd.DataFrame(np.zeros((100_000, 4)))
    results = Results()
    kept = keep(results, big.iloc[:50_000])
    assert (kept.nbytes, results.nbytes) == (1_600_000, 3_200_000)


def test_a_part_that_fits_only_by_itself_is_copied() -> None:
    results = Results(max_bytes=2_000_000)
    assert keep(results, pd.DataFrame(np.zeros((100_000, 4))).iloc[:50_000]).memory.alive == results.nbytes == 1_600_000


def test_a_revoked_principal_leaves_nothing() -> None:
    results = Results()
    keep(results, kilobytes(1), "alice")
    keep(results, kilobytes(2), "bob")
    results.forget("alice")
    assert results.names(None) == ["_r2"]
    assert results.nbytes == 2 * 1024


def test_a_result_made_while_its_principal_is_revoked_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Results()

    def revoked_meanwhile(value: Frame, unnamed: str) -> tuple[pd.DataFrame, Origin | None]:
        store.forget("alice")
        store.admit("alice")
        return freeze_table(value, unnamed)

    monkeypatch.setattr(results_module, "freeze_table", revoked_meanwhile)
    assert store.keep(kilobytes(1), "alice") is None
    assert (store.names(None), store.nbytes) == ([], 0)


def test_nothing_is_kept_for_a_revoked_principal_until_its_name_is_admitted_again() -> None:
    store = Results()
    store.forget("alice")
    assert store.keep(kilobytes(1), "alice") is None
    keep(store, kilobytes(1), "bob")
    store.admit("alice")
    assert store.names("alice") == []
    keep(store, kilobytes(1), "alice")
    assert len(store.names("alice")) == 1


def test_texts_pictures_and_dataframes_are_numbered_and_bounded_together() -> None:
    results = Results(max_results=2)
    keep(results, kilobytes(1))
    assert results.keep_document("a long text", "text/plain", "the result", "default") is not None
    assert results.keep_document(b"picture", "image/png", "a picture", "default") is not None
    assert (results.names("default"), results.document_names("default"), len(results)) == ([], ["_r2", "_r3"], 2)
    assert keep(results, kilobytes(1)).name == "_r4"
    assert (results.names(None), results.document_names(None)) == (["_r4"], ["_r3"])
    with pytest.raises(NotFound, match=r"^No result _r2 is kept: .* Kept: _r3, _r4\. Call the tool again\.$"):
        results.document("_r2", "default")


def test_memory_of_documents_counts() -> None:
    results = Results(max_bytes=10 * 1024)
    assert results.keep_document("x" * 6_000, "text/plain", "first", "default") is not None
    assert results.keep_document("é" * 6_000, "text/plain", "second", "default") is not None
    assert results.document_names(None) == ["_r2"]
    assert 6_000 <= results.nbytes <= 6_200
    assert results.keep_document(bytes(20_000), "image/png", "third", "default") is None
    assert results.document_names(None) == ["_r2"]


def test_each_kind_of_result_says_where_it_is_read_when_asked_for_as_the_other() -> None:
    results = Results()
    keep(results, kilobytes(1), "alice")
    results.keep_document("words", "text/plain", "the result", "alice")
    results.keep_document(b"\x89PNG", "image/png", "a picture", "alice")
    with pytest.raises(NotFound, match=r"^_r1 is a DataFrame; read it as df://_r1 or df://_r1/rows\.$"):
        results.document("_r1", "alice")
    with pytest.raises(NotFound, match=r"^_r2 is no DataFrame \(text/plain, 5 characters\); read it as result://_r2\.$"):
        results.snapshot("_r2", "alice")
    with pytest.raises(NotFound, match=r"^_r3 is no DataFrame \(image/png, 4 bytes\)"):
        results.snapshot("_r3", "alice")
    with pytest.raises(NotFound, match="No result _r2 is kept"):
        results.snapshot("_r2", "bob")


def test_documents_of_a_revoked_principal_go_and_none_are_kept_for_it() -> None:
    results = Results()
    results.keep_document("words", "text/plain", "the result", "alice")
    results.forget("alice")
    assert results.document_names(None) == []
    assert results.keep_document("words", "text/plain", "the result", "alice") is None
    results.admit("alice")
    assert results.keep_document("words", "text/plain", "the result", "alice") is not None


def test_tables_of_other_libraries_are_kept_with_what_they_were() -> None:
    results = Results()
    assert [keep(results, table).library for table in (pl.DataFrame({"a": [1]}), pa.table({"a": [1]}), duckdb.sql("SELECT 1 AS a"))] == [
        "polars DataFrame",
        "pyarrow Table",
        "DuckDB relation",
    ]
    assert all(results.snapshot(name, None).copy()["a"].tolist() == [1] for name in results.names(None))


def test_a_pyarrow_table_is_kept_itself_but_not_for_the_sake_of_a_few_rows() -> None:
    results, table = Results(), pa.table({"a": np.zeros(500_000)})
    whole, part = keep(results, table), keep(results, table.slice(10, 5))
    assert (whole.origin is not None and whole.origin.held is table, part.origin is not None and part.origin.held is None) == (True, True)
    assert (part.memory.alive, part.df["a"].tolist()) == (40, [0.0] * 5)


def test_a_small_polars_dataframe_is_copied_out_of_what_it_may_be_a_slice_of() -> None:
    results, table = Results(), pl.DataFrame({"a": np.arange(3_000_000)})
    part, whole = keep(results, table.head(5)), keep(results, table)
    assert (part.origin is not None and part.origin.held is None, part.memory.alive) == (True, 40)
    assert as_kind(part, TableKind.POLARS)["a"].to_list() == [0, 1, 2, 3, 4]
    assert whole.origin is not None
    assert whole.origin.held is not None


def test_what_is_kept_beside_the_dataframe_counts() -> None:
    words = pl.DataFrame({"a": [f"a rather long piece of text, the {at}th" for at in range(600_000)]})
    results = Results(max_bytes=30_000_000)
    assert results.keep(words.to_arrow(), "alice") is not None
    assert results.keep(words, "alice") is None, "its text is there twice"
