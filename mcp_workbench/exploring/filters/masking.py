"""A tree as a mask of a DataFrame: each fact is taken out of its columns as it was read into them, and compared as a record's is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_workbench.exploring.columns import Column, Form, calls_columns, messages_columns
from mcp_workbench.exploring.filters import tree
from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.keys import Listing, source

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def mask(node: tree.Node, frame: pd.DataFrame) -> pd.Series[bool]:
    """Which rows fit.

    Raises:
        FilterError: A key is not known of these rows, or a column that is needed is not there.
    """
    import pandas as pd

    return pd.Series(_Masking(frame).mask(node), index=frame.index, dtype=bool)


class _Masking:
    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame, self._listing = frame, _listing(frame)
        self._columns: dict[str, Column[Any]] = {**(calls_columns() if self._listing is Listing.CALLS else messages_columns())}
        self._facts: dict[str, list[Any]] = {}

    def mask(self, node: tree.Node) -> npt.NDArray[np.bool_]:
        import numpy as np

        if isinstance(node, tree.Term):
            return self._term(node)
        if isinstance(node, tree.Not):
            return ~self.mask(node.part)
        everything = isinstance(node, tree.AllOf)
        found = np.full(len(self._frame), everything)
        for part in node.parts:
            found = found & self.mask(part) if everything else found | self.mask(part)
        return found

    def _term(self, term: tree.Term) -> npt.NDArray[np.bool_]:
        import numpy as np

        where, matches = source(term, self._listing), term.value.matches
        columns = [self._facts_of(name) for name in where.columns]
        if where.combine is None:
            [facts] = columns
        elif columns:
            facts = list(map(where.combine, *columns))
        else:
            facts = [where.combine()] * len(self._frame)
        return np.fromiter(map(matches, facts), bool, len(facts))

    def _facts_of(self, name: str) -> list[Any]:
        if name not in self._facts:
            if name not in self._frame.columns:
                raise FilterError(
                    f"expected a DataFrame of {self._listing} with the column {name}, it has none: mask before columns are dropped"
                )
            self._facts[name] = _facts(self._frame[name], self._columns[name].form)
        return self._facts[name]


def _listing(frame: pd.DataFrame) -> Listing:
    for listing, column in ((Listing.MESSAGES, "kind"), (Listing.CALLS, "total_ms")):
        if column in frame.columns:
            return listing
    raise FilterError("expected a DataFrame of calls (with a column total_ms) or of messages (with a column kind)")


def _facts(series: pd.Series[Any], form: Form) -> list[Any]:
    """What was read into the column; None where it is missing."""
    known = series.notna()
    if form is Form.MOMENT:
        series = series.dt.as_unit("us").astype("int64")
    return series.astype(object).where(known, None).tolist()
