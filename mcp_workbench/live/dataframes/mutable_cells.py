"""Lists, dicts, sets and arrays inside object cells, copied for each who receives them.

Copy-on-write guards a column's cells, not what the cells hold: `df["tags"].iloc[0].append("x")` changes the list
for everybody who has it. Which columns hold such things is looked up once (`holds_mutable`); copying costs a few
microseconds for each container, each time: copies cannot be kept for the next receiver, who must not share them.

Only containers of Python, NumPy and pandas are copied. Objects of other classes stay the same objects: copying
one would run its code, and may fail or copy half a program.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import NoneType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

MAX_DEPTH = 100
"""Levels of nesting that are copied; what lies deeper stays shared."""

Memo: TypeAlias = dict[int, Any]
"""Copies by the identity of what they were made of: what was one list in two cells is one list again."""


def holds_mutable(values: Any) -> bool:
    """Tell whether a column of objects holds containers; reads every cell's type.

    Args:
        values: One column as an array of objects.
    """
    cells = values.tolist()
    kinds = set(map(type, cells))
    if any(_copier(kind) is not None for kind in kinds - {tuple}):
        return True
    return tuple in kinds and any(fresh_cell(cell, {}) is not cell for cell in cells if type(cell) is tuple)


def fresh_cells(values: Any, memo: Memo) -> Any:
    """Copy a column of objects.

    Args:
        values: The column.
        memo: One for all that is handed out together.

    Returns:
        A new array of the same shape; what cannot be changed is the same object in it.
    """
    fresh = np.empty(values.shape, dtype=object)
    for at, cell in enumerate(values.tolist()):
        fresh[at] = fresh_cell(cell, memo)
    return fresh


def fresh_cell(value: Any, memo: Memo, depth: int = MAX_DEPTH) -> Any:
    """Copy one cell with the containers in it; the same object when there is nothing to copy."""
    copy = _copier(type(value))
    if copy is None or not depth:
        return value
    if (made := memo.get(id(value))) is None:
        made = memo[id(value)] = copy(value, memo, depth - 1)
    return made


def _copier(kind: type) -> Callable[[Any, Memo, int], Any] | None:
    return _COPIES.get(kind) or (_array if issubclass(kind, np.ndarray) else None)


def _list(value: Any, memo: Memo, depth: int) -> Any:
    if _PLAIN.issuperset(map(type, value)):
        return value.copy()
    fresh: list[Any] = []
    memo[id(value)] = fresh
    fresh.extend(fresh_cell(item, memo, depth) for item in value.copy())
    return fresh


def _deque(value: Any, memo: Memo, depth: int) -> Any:
    fresh = memo[id(value)] = deque(maxlen=value.maxlen)
    fresh.extend(fresh_cell(item, memo, depth) for item in value.copy())
    return fresh


def _tuple(value: Any, memo: Memo, depth: int) -> Any:
    items = [fresh_cell(item, memo, depth) for item in value]
    return value if all(new is old for new, old in zip(items, value, strict=True)) else tuple(items)


def _dict(value: Any, memo: Memo, depth: int) -> Any:
    fresh = memo[id(value)] = defaultdict(value.default_factory) if type(value) is defaultdict else type(value)()
    for key, item in list(value.items()):
        fresh[key] = fresh_cell(item, memo, depth)
    return fresh


def _plain_copy(value: Any, _memo: Memo, _depth: int) -> Any:
    return value.copy()


def _array(value: Any, memo: Memo, depth: int) -> Any:
    fresh = memo[id(value)] = np.ndarray.copy(value)
    if value.dtype == object:
        for at, item in enumerate(fresh.flat):
            fresh.flat[at] = fresh_cell(item, memo, depth)
    return fresh


_PLAIN = frozenset((str, int, float, bool, bytes, NoneType))
"""Kinds of most items; a list of nothing else is copied in one go."""

_COPIES: dict[type, Callable[[Any, Memo, int], Any]] = {
    list: _list,
    tuple: _tuple,
    dict: _dict,
    OrderedDict: _dict,
    defaultdict: _dict,
    Counter: _dict,
    deque: _deque,
    set: _plain_copy,
    bytearray: _plain_copy,
    pd.Series: _plain_copy,
    pd.DataFrame: _plain_copy,
}
