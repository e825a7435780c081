"""Tables of polars, pyarrow and DuckDB: which there are, and reading one into what is served.

narwhals tells such a value from others without importing any of these libraries. Reading goes over Arrow, not over each
library's own way to pandas, which would make floats of whole numbers beside a missing one (`arrow_columns`).
A polars DataFrame or a pyarrow Table is read where it lies. A polars LazyFrame or a DuckDB relation is a
question rather than an answer: it is asked once, batch by batch up to a bound, and again when its author says `touch()`.
The bound is on what is read; what the library itself needs to find an answer is its own.
Handing a version out again in the kind of table that somebody wants is in `conversions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd
from narwhals.dependencies import get_duckdb, get_polars, get_pyarrow

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.arrow_columns import to_pandas
from mcp_workbench.live.dataframes.objects import clean

PANDAS = "pandas DataFrame"
"""How cards and sentences call what is of none of these kinds."""
MAX_ROWS = 1_000_000
"""Rows read of what is lazy."""
MAX_BYTES = 256 * MIB
"""Memory of what is read of it."""
_POLARS_BATCH = 4_096
"""Rows after which the size of what is read of a LazyFrame is looked at."""
_DUCKDB_BATCH = 256
"""The same of a relation; the texts of one batch must stay below Arrow's 2 GiB."""
_SAID_CHARS = 300
# DuckDB's types that Arrow has not, or that reach it changed: 2**128 - 1 as -1, a time without its zone.
_AS_TEXT = frozenset(("uhugeint", "bit", "bignum", "varint", "time with time zone", "interval", "geometry", "union"))


class UnservableTable(WorkbenchError):
    """A table cannot be read as it is; the sentence says why and what to do."""


class TableKind(Enum):
    """Kinds of table besides pandas', in the words of cards and sentences."""

    POLARS = "polars DataFrame"
    POLARS_LAZY = "polars LazyFrame"
    ARROW = "pyarrow Table"
    DUCKDB = "DuckDB relation"

    @property
    def lazy(self) -> bool:
        """Whether it is read by asking it."""
        return self in (TableKind.POLARS_LAZY, TableKind.DUCKDB)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a version was before it was read."""

    kind: TableKind
    dtypes: tuple[str, ...]
    """In the library's own words, by column."""
    held: Any
    """A polars DataFrame or pyarrow Table with the same values, which nobody writes to; None when only the pandas one is kept."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A table as it was seen: these are not written to in place, so the object tells."""

    table: Any
    outline: object
    """A polars DataFrame may be given other columns or rows in place."""

    def still(self, table: object) -> bool:
        """Whether it is that table, and as far as can be seen at a glance as it was."""
        return table is self.table and _outline(table) == self.outline


def see(table: Any) -> Sight:
    """Remember a table; microseconds, and nothing lazy is asked."""
    return Sight(table, _outline(table))


def kind_of(value: object) -> TableKind | None:
    """Tell what kind of table a value is; None: none of these."""
    return next((kind for kind, loaded in _loaded() if isinstance(value, loaded)), None)


def kind_of_type(annotation: object) -> TableKind | None:
    """Tell which kind an annotation asks for."""
    return next((kind for kind, loaded in _loaded() if annotation is loaded), None)


def _loaded() -> Iterator[tuple[TableKind, type]]:
    """The types of those libraries that somebody has imported."""
    if (polars := get_polars()) is not None:
        yield TableKind.POLARS, polars.DataFrame
        yield TableKind.POLARS_LAZY, polars.LazyFrame
    if (pyarrow := get_pyarrow()) is not None:
        yield TableKind.ARROW, pyarrow.Table
    if (duckdb := get_duckdb()) is not None:
        yield TableKind.DUCKDB, duckdb.DuckDBPyRelation


def read_table(table: Any, kind: TableKind) -> tuple[pd.DataFrame, Origin]:
    """Read a table whole; what is lazy is asked, on this thread.

    Args:
        table: Nobody writes to it meanwhile.
        kind: What `kind_of` said.

    Returns:
        A frozen DataFrame, and where it came from.

    Raises:
        UnservableTable: It fails when asked, gives more than `MAX_ROWS` or `MAX_BYTES`, or holds what has no Arrow type.
    """
    with reading(f"The {kind.value} could not be read"):
        held, arrow, dtypes = _READ[kind](table)
        return to_pandas(arrow), Origin(kind, dtypes, held)


@contextmanager
def reading(failure: str) -> Iterator[None]:
    """The boundary to other libraries: whatever they raise becomes one sentence, which begins with what failed."""
    try:
        yield
    except UnservableTable:
        raise
    except ImportError as error:
        raise UnservableTable(f"{failure}: it goes through pyarrow, which is not installed: pip install pyarrow.") from error
    except Exception as error:  # whatever a query or a conversion of somebody else's library may raise
        raise UnservableTable(_because(failure, error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # polars' panics are no Exceptions
            raise
        raise UnservableTable(_because(failure, error)) from error


def extra_memory(held: Any) -> tuple[tuple[int, int], ...]:
    """What holding the original costs beside the DataFrame read from it: polars keeps text and categories in a form of its own."""
    if kind_of(held) is not TableKind.POLARS:
        return ()
    own = [name for name, dtype in held.schema.items() if not (dtype.is_numeric() or dtype.is_temporal())]
    size = int(held.select(own).estimated_size()) if own else 0
    return ((id(held), size),) if size else ()


def _because(failure: str, error: BaseException) -> str:
    return f"{failure}: {type(error).__name__}: {clean(str(error).strip(), _SAID_CHARS)}"


def _outline(table: Any) -> object:
    return (table.height, dict(table.schema)) if kind_of(table) is TableKind.POLARS else None


def _polars(df: Any) -> tuple[Any, Any, tuple[str, ...]]:
    """A clone shares the columns and is not changed with them."""
    held = df.clone()
    for name, dtype in held.schema.items():
        if _holds_objects(dtype):  # Arrow would be given their addresses
            raise UnservableTable(f"Column {name} holds Python objects ({dtype}), which are no data. Leave it out, or cast it.")
    wide = {name: _decimal() for name, dtype in held.schema.items() if str(dtype) in ("Int128", "UInt128")}
    return held, (held.cast(wide) if wide else held).to_arrow(), tuple(map(str, held.dtypes))


def _decimal() -> Any:
    return get_polars().Decimal(38, 0)


def _holds_objects(dtype: Any) -> bool:
    inner = [getattr(dtype, "inner", None), *(field.dtype for field in getattr(dtype, "fields", ()))]
    return str(dtype).startswith("Object") or any(_holds_objects(each) for each in inner if each is not None)


def _polars_lazy(lazy: Any) -> tuple[Any, Any, tuple[str, ...]]:
    limited, batches, rows, size = lazy.head(MAX_ROWS + 1), [], 0, 0
    for batch in _batches(limited):
        batches.append(batch)
        rows, size = rows + batch.height, size + batch.estimated_size()
        if rows > MAX_ROWS or size > MAX_BYTES:
            raise _too_large(TableKind.POLARS_LAZY)
    return _polars(get_polars().concat(batches, rechunk=True) if batches else limited.collect_schema().to_frame())


def _batches(lazy: Any) -> Any:
    """The answer as it comes; older versions of polars give all of it at once."""
    return lazy.collect_batches(chunk_size=_POLARS_BATCH) if hasattr(lazy, "collect_batches") else [lazy.collect()]


def _arrow(table: Any) -> tuple[Any, Any, tuple[str, ...]]:
    return table, table, tuple(str(kind) for kind in table.schema.types)


def _duckdb(relation: Any) -> tuple[Any, Any, tuple[str, ...]]:
    import pyarrow as pa  # what a relation is read through

    batches, rows, size = [], 0, 0
    with _reader(_without_own_types(relation).limit(MAX_ROWS + 1)) as reader:
        for batch in reader:
            batches.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows > MAX_ROWS or size > MAX_BYTES:
                raise _too_large(TableKind.DUCKDB)
        table = pa.Table.from_batches(batches, reader.schema).combine_chunks()
    return table, table, tuple(map(str, relation.types))


def _reader(relation: Any) -> Any:
    # Older versions of DuckDB call it by the other name. Read as an Arrow stream it would come in batches of a million rows.
    return (relation.to_arrow_reader if hasattr(relation, "to_arrow_reader") else relation.fetch_arrow_reader)(_DUCKDB_BATCH)


def _without_own_types(relation: Any) -> Any:
    """What Arrow would not carry unchanged is read as DuckDB writes it."""
    as_text = [_has_own_type(kind) for kind in relation.types]
    if not any(as_text):
        return relation
    names = ['"' + name.replace('"', '""') + '"' for name in relation.columns]
    return relation.project(
        ", ".join(f"CAST({name} AS VARCHAR) AS {name}" if text else name for name, text in zip(names, as_text, strict=True))
    )


def _has_own_type(kind: Any) -> bool:
    if str(kind.id) in _AS_TEXT:
        return True
    return str(kind.id) in ("list", "array", "struct", "map") and any(
        _has_own_type(child) for _name, child in kind.children if not isinstance(child, int)
    )


def _too_large(kind: TableKind) -> UnservableTable:
    how = ".collect() for a polars DataFrame" if kind is TableKind.POLARS_LAZY else ".to_arrow_table() for a pyarrow Table"
    return UnservableTable(
        f"The {kind.value} gives more than {MAX_ROWS:,} rows or {MAX_BYTES >> 20} MiB, which is as much as is read of what is lazy. "
        f"Narrow it, or make a table of it yourself, which may have any size: {how}."
    )


_READ = {TableKind.POLARS: _polars, TableKind.POLARS_LAZY: _polars_lazy, TableKind.ARROW: _arrow, TableKind.DUCKDB: _duckdb}
