"""`order`: "dep_delay desc, carrier" -> rows in that order. Missing cells come last either way, equal rows stay as they were."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.names import said
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.where import find_column
from mcp_workbench.live.dataframes.where_columns import Kind, Texts, read_operand
from mcp_workbench.primitives.binding import ArgumentError

MAX_KEYS = 16
"""Columns of one order."""
_PART = re.compile(r'(?:"(?:[^"]|"")*"|`[^`]*`|[^,"`])+')
_DIRECTION = re.compile(r"\s+(asc|ascending|desc|descending)\s*\Z", re.IGNORECASE)
_NULLS = re.compile(r"\s+nulls\s+(first|last)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """One column of an order."""

    column: str
    descending: bool


def parse_order(wanted: list[str]) -> tuple[Key, ...]:
    """Read an order.

    Args:
        wanted: `["dep_delay desc", "carrier"]`, or the same in one text with commas; `-dep_delay` is descending too.

    Returns:
        The keys, the most important first.

    Raises:
        ArgumentError: It is none.
    """
    parts = [part.strip() for text in wanted for part in _PART.findall(text) if part.strip()]
    if len(parts) > MAX_KEYS:
        raise ArgumentError(f"order takes at most {MAX_KEYS} columns, got {len(parts)}.")
    return tuple(map(_key, parts))


def _key(part: str) -> Key:
    if (nulls := _NULLS.search(part)) is not None:
        if nulls[1].lower() == "first":
            raise ArgumentError("order puts missing cells last, always: leave NULLS FIRST out, and find them with where: … IS NULL.")
        part = part[: nulls.start()]
    direction = _DIRECTION.search(part)
    column = part[: direction.start()].strip() if direction else part
    descending = direction is not None and direction[1].lower().startswith("desc")
    if direction is None and column.startswith("-"):
        column, descending = column[1:].strip(), True
    if len(column) > 1 and column[0] == column[-1] and column[0] in '"`':
        column = column[1:-1].replace(column[0] * 2, column[0])
    if not column:
        raise ArgumentError(f'order is written like "COLUMN desc, OTHER", not {said(part)}.')
    return Key(column, descending)


def order_rows(snapshot: Snapshot, rows: Any, keys: tuple[Key, ...]) -> Any:
    """Put rows in order.

    Args:
        snapshot: Where they are.
        rows: Their positions; None: all.
        keys: By what, the most important first.

    Returns:
        The positions, ordered.

    Raises:
        NoColumn: There is no such column.
        ArgumentError: It has no order.
    """
    if rows is None:
        rows = np.arange(len(snapshot.df))
    ranks = [_ranks(snapshot, key, rows) for key in keys]
    return rows[np.lexsort(ranks[::-1])] if ranks else rows


def _ranks(snapshot: Snapshot, key: Key, rows: Any) -> Any:
    """Where each row stands by one column: equal cells alike, missing ones last."""
    column = find_column(snapshot, key.column).iloc[rows]
    codes, count = _codes(column, key.column)
    ranks = count - 1 - codes if key.descending else codes
    return np.where(codes < 0, count, ranks)


def _codes(column: pd.Series, name: str) -> tuple[Any, int]:
    array: Any = column.array
    if isinstance(column.dtype, pd.CategoricalDtype) and array.ordered:
        return np.asarray(array.codes), len(array.categories)
    operand = read_operand(column, name)
    if operand.kind is Kind.NOTHING:
        return np.full(len(column), -1), 0
    if operand.kind in (Kind.MIXED, Kind.OTHER):
        raise ArgumentError(f"order: {operand.described}, which has no order.")
    values: Any = operand.values
    if isinstance(values, Texts):
        places = {text: place for place, text in enumerate(sorted(set(values.different)))}
        return np.append(np.array([places[text] for text in values.different], dtype=int), -1)[values.codes], len(places)
    codes, different = pd.factorize(values, sort=True)
    return np.where(operand.missing, -1, codes), len(different)
