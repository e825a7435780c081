"""`workbench://traffic`: what crossed, for agents to read; only where its author has said so.

By default what is told of a call is who made it, what it was for, how it ended and how long it took: nothing that was sent. Filters
see the same columns and no others, so nobody can ask for what is not shown by way of a filter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcp_workbench.errors import ToolError
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.filters import FilterError, parse
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.jsonrpc import encode

if TYPE_CHECKING:
    import pandas as pd

NAME = "workbench_traffic"
URI = "workbench://traffic{?filter,limit}"
DESCRIPTION = (
    "What agents and this notebook have asked: who called what, when, how it ended, how long it took. "
    "filter: as in tool:forecast dur:>50ms outcome:error; limit: how many of the latest."
)
COLUMNS = (
    *("seq", "session", "client", "side", "direction", "principal", "era", "method", "target", "tool", "at"),
    *("total_ms", "wait_ms", "run_ms", "send_ms", "bytes_in", "bytes_out", "size", "tokens", "outcome", "failed", "code", "version", "job"),
)
TEXTS = ("error", "arguments", "result")
"""Told too where the author says `texts=True`."""
LIMIT, MOST = 200, 1000
"""Calls in one reading, unless the URI says how many."""


def reader(calls: Callable[[], CallList], redactor: Callable[[], Redactor], *, texts: bool = False) -> Callable[..., str]:
    """The function behind the resource.

    Args:
        calls: All that there are.
        redactor: Withholds what is secret.
        texts: Whether arguments, results and errors are told, too.
    """
    columns = (*COLUMNS, *TEXTS) if texts else COLUMNS

    def traffic(filter: str = "", limit: int = LIMIT) -> str:  # noqa: A002  # the word of the URI
        if not 1 <= limit <= MOST:
            raise ToolError(f"limit is 1 to {MOST:,}, got {limit}")
        rows = _rows(calls().withheld() if texts else calls(), filter, columns)
        latest = rows.tail(limit)
        withheld = redactor()
        withheld.begin()
        told = {"calls": len(rows), "shown": len(latest), "columns": list(latest.columns), "data": withheld.value(_cells(latest))}
        return encode(told).decode()

    return traffic


def _rows(calls: CallList, filter: str, columns: Sequence[str]) -> pd.DataFrame:  # noqa: A002
    rows = calls.df(columns)
    try:
        wanted = parse(filter, client_of=lambda _: None)
    except FilterError as error:
        raise ToolError(str(error)) from None
    try:
        return rows[wanted.mask(rows)]
    except FilterError:  # what it would compare is not among the columns
        raise ToolError(f"the filter asks for more than is told of a call here, which is {', '.join(columns)}") from None


def _cells(rows: pd.DataFrame) -> list[list[Any]]:
    """Rows as JSON values."""
    ready = rows.assign(at=rows["at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    return [[_cell(value) for value in row] for row in ready.itertuples(index=False, name=None)]


def _cell(value: Any) -> Any:
    """What is missing is null, numbers are Python's."""
    import pandas as pd

    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
