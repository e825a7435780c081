"""What changed between two snapshots of one DataFrame, in one phrase.

Labels and dtypes are compared first (O(columns)), then buffers; values are read only where a buffer differs:

* rows were added: the old rows are compared with the new ones (1.7 ms per million rows and column at worst;
  the cell that appended has just copied every one of those rows, so this never dominates);
* other columns or types: what became of the values of the others is said too;
* the same labels in another order: rows were reordered, if their values moved with them;
* same shape: columns on other buffers are *suspect*. With `confirm` (or when they are few cells) their values
  are compared (`equality`; about 3 ms per million numbers), so that `df["a"] = df["a"].copy()` is no change;
  without it they count as changed.

It knows no names, versions or subscribers: `publications` turns a `Difference` into an `events.Change`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.cells import column_labels, label_text
from mcp_workbench.live.dataframes.equality import same_column, same_labels
from mcp_workbench.live.dataframes.fingerprint import column_buffers
from mcp_workbench.live.dataframes.foreign import PANDAS, Origin

CHEAP_CELLS = 100_000
"""Suspect columns of at most so many cells in all are confirmed always: well under a millisecond."""
_NAMED = 5
_COUNTED = 1_000
"""Columns among which those that stayed are looked for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one snapshot has that the one before had not."""

    kind: ChangeKind
    summary: str
    """One phrase: `1,000 rows appended`."""
    columns: tuple[str, ...] = ()
    """Columns concerned, as text; empty when all or none."""


def describe(old: pd.DataFrame, new: pd.DataFrame, *, confirm: bool) -> Difference | None:
    """Say what changed.

    Args:
        old: The earlier snapshot.
        new: The later one.
        confirm: Compare the values of suspect columns however many they are; somebody is listening.

    Returns:
        The difference, or None when there is none.
    """
    if schema := _schema(old, new):
        return _and_values(schema, old, new, confirm=confirm)
    if len(new) != len(old):
        return _length(old, new)
    if not same_labels(old.index, new.index):
        return _index(old, new, confirm=confirm)
    return _values(old, new, confirm=confirm)


def of_origin(before: Origin | None, after: Origin | None, old: pd.DataFrame, new: pd.DataFrame) -> Difference | None:
    """Say what changed in the words of the library that the table is of, where pandas' would say it otherwise or not at all.

    Args:
        before: Where the earlier snapshot came from; None: from pandas.
        after: The same of the later one.
        old: The earlier snapshot.
        new: The later one.

    Returns:
        Another library or other types; None when `describe` is to say.
    """
    was, now = (PANDAS if origin is None else origin.kind.value for origin in (before, after))
    if was != now:
        return Difference(ChangeKind.SCHEMA, f"a {now} now, was a {was}")
    if before is None or after is None or not same_labels(old.columns, new.columns):
        return None
    return _dtypes(before.dtypes, after.dtypes, column_labels(new))


def _schema(old: pd.DataFrame, new: pd.DataFrame) -> Difference | None:
    if not same_labels(old.columns, new.columns):
        return _labels(old, new)
    return _dtypes(old.dtypes.tolist(), new.dtypes.tolist(), column_labels(new))


def _dtypes(before: Sequence[object], after: Sequence[object], labels: list[str]) -> Difference | None:
    changed = [position for position, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    if not changed:
        return None
    if len(changed) == 1:
        at = changed[0]
        return Difference(ChangeKind.SCHEMA, f"dtype of {labels[at]} is {after[at]}, was {before[at]}", (labels[at],))
    names = tuple(labels[at] for at in changed)
    return Difference(ChangeKind.SCHEMA, f"dtypes of {some(names)} changed", names)


def _labels(old: pd.DataFrame, new: pd.DataFrame) -> Difference:
    before, after = column_labels(old), column_labels(new)
    had, has = set(before), set(after)
    added = tuple(name for name in after if name not in had)
    removed = tuple(name for name in before if name not in has)
    parts = [f"{some(names)} {verb}" for names, verb in ((added, "added"), (removed, "removed")) if names]
    phrase = f"{_columns(added + removed)} " + ", ".join(parts) if parts else _same_texts(old.columns, new.columns)
    if len(old) != len(new):
        phrase += f"; {_rows(new)} rows, were {_rows(old)}"
    return Difference(ChangeKind.SCHEMA, phrase, added + removed)


def _same_texts(old: pd.Index, new: pd.Index) -> str:
    """Say what differs in labels that are written alike."""
    if old.nlevels == new.nlevels and same_labels(old, new.set_names(old.names)):
        return f"name of the columns is {_name(new)}, was {_name(old)}"
    before, after = (list(map(label_text, labels)) for labels in (old, new))
    return "columns reordered" if before != after and sorted(before) == sorted(after) else "labels of the columns changed"


def _name(labels: pd.Index) -> str:
    return ".".join("none" if name is None else label_text(name) for name in labels.names)


def _and_values(schema: Difference, old: pd.DataFrame, new: pd.DataFrame, *, confirm: bool) -> Difference:
    """Beside other columns or types: which of the columns that stayed have other values in the rows that stayed."""
    before, after = column_labels(old), column_labels(new)
    stayed = [name for name in after if before.count(name) == after.count(name) == 1] if len(after) <= _COUNTED else []
    pairs = [(before.index(name), after.index(name)) for name in stayed]
    pairs = [(was, now) for was, now in pairs if old.dtypes.iloc[was] == new.dtypes.iloc[now]]
    rows = min(len(old), len(new))
    if not pairs or not same_labels(old.index[:rows], new.index[:rows]):
        return schema
    was, now = (df.iloc[:rows, list(positions)] for df, positions in zip((old, new), zip(*pairs, strict=True), strict=True))
    names = tuple(after[pairs[position][1]] for position in _changed(was, now, confirm=confirm))
    if not names:
        return schema
    return Difference(schema.kind, f"{schema.summary}; {_columns(names)} {some(names)} changed", (*schema.columns, *names))


def _length(old: pd.DataFrame, new: pd.DataFrame) -> Difference:
    more = len(new) - len(old)
    if more < 0:
        return Difference(ChangeKind.REPLACE, f"{_count(-more)} fewer, {_rows(new)} now")
    head = new.iloc[: len(old)]
    if not same_labels(old.index, head.index):
        return Difference(ChangeKind.REPLACE, f"{_count(more)} more, {_rows(new)} now; earlier rows differ")
    differ = [position for position in range(old.shape[1]) if not same_column(old.iloc[:, position], head.iloc[:, position])]
    if not differ:
        return Difference(ChangeKind.APPEND, f"{_count(more)} appended")
    if len(differ) == new.shape[1]:
        return Difference(ChangeKind.REPLACE, f"{_count(more)} more, {_rows(new)} now; earlier rows differ")
    labels = column_labels(new)
    names = tuple(labels[position] for position in differ)
    return Difference(ChangeKind.REPLACE, f"{_count(more)} more, {_rows(new)} now; earlier rows differ in {some(names)}", names)


def _index(old: pd.DataFrame, new: pd.DataFrame, *, confirm: bool) -> Difference:
    order = _order(old.index, new.index)
    if order is None:
        return Difference(ChangeKind.REPLACE, "index changed")
    if not confirm and old.size > CHEAP_CELLS:
        return Difference(ChangeKind.REPLACE, "index in another order")
    moved = old.take(order)
    differ = [position for position in range(new.shape[1]) if not same_column(moved.iloc[:, position], new.iloc[:, position])]
    if len(differ) == new.shape[1] > 0:
        return Difference(ChangeKind.REPLACE, "index in another order")
    labels = column_labels(new)
    names = tuple(labels[position] for position in differ)
    also = f"; {_columns(names)} {some(names)} changed" if names else ""
    return Difference(ChangeKind.REPLACE, f"rows reordered{also}", names)


def _order(old: pd.Index, new: pd.Index) -> Any:
    """Where each row was before, when the labels are the same ones in another order; None: they are not, or one stands for several rows."""
    try:
        if not old.is_unique or not new.is_unique:
            return None
        order = old.get_indexer(new)
    except (TypeError, ValueError):  # labels that cannot be hashed or compared
        return None
    # To pandas 1 and True are one label; to us they are not.
    return order if (order >= 0).all() and same_labels(old.take(order), new) else None


def _values(old: pd.DataFrame, new: pd.DataFrame, *, confirm: bool) -> Difference | None:
    changed = _changed(old, new, confirm=confirm)
    if not changed:
        return None
    if len(changed) == new.shape[1] > 1:
        return Difference(ChangeKind.REPLACE, "every column changed")
    labels = column_labels(new)
    names = tuple(labels[position] for position in changed)
    return Difference(ChangeKind.COLUMNS, f"{_columns(names)} {some(names)} changed", names)


def _changed(old: pd.DataFrame, new: pd.DataFrame, *, confirm: bool) -> list[int]:
    """Positions of the columns that changed, of two DataFrames with the same labels and types."""
    pairs = zip(column_buffers(old), column_buffers(new), strict=True)
    suspects = [position for position, (before, after) in enumerate(pairs) if before != after]
    if confirm or len(suspects) * len(new) <= CHEAP_CELLS:
        return [position for position in suspects if not same_column(old.iloc[:, position], new.iloc[:, position])]
    return suspects


def some(names: tuple[str, ...]) -> str:
    """Name a few: `a, b, c, d, e and 12 more`."""
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _columns(names: tuple[str, ...]) -> str:
    return "column" if len(names) == 1 else "columns"


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _rows(df: pd.DataFrame) -> str:
    return f"{len(df):,}"
