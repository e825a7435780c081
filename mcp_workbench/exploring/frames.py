"""Calls and messages as DataFrames: one row each, in the order given, indexed from 0.

| columns of both | |
|---|---|
| `seq` | the record's number; calls are counted as they end, messages as they cross |
| `session`, `client` | the session's id; what its client calls itself, where the caller knows |
| `direction` | `in` or `out`: of a message, or of a call's request |
| `at` | when it crossed, or the request had come: a moment in UTC, to the microsecond |
| `id`, `method`, `target`, `tool` | the request's id as text, its method, what it names, and that again where it is a tool |
| `size`, `tokens` | bytes of the text, or of request and answer; a fourth of that |
| `outcome`, `code`, `error` | how it ended (of a message: what an answer says of that), the JSON-RPC code, the sentence |

| only of calls | |
|---|---|
| `call`, `job` | id of the run of user code; the job it went on as |
| `side`, `principal`, `era` | where it was heard, whose credential, `legacy` or `modern` |
| `total_ms` = `wait_ms` + `run_ms` + `send_ms` | durations in ms |
| `bytes_in`, `bytes_out`, `failed` | bytes of request and answer; whether it went wrong |
| `version`, `defined_at`, `notes` | which definition ran, where it stands, what the call read or made (`; ` between) |
| `arguments`, `result` | JSON texts, as they were sent |
| `request`, `answer` | the whole texts, as long as they are kept |

| only of messages | |
|---|---|
| `kind` | `request`, `response`, `error`, `notification`, `batch` or `malformed` |
| `text` | the whole text, as long as it is kept |

What is not known is missing (NaN, NaT, NA); of an answer that is the method, and what follows from it, where its request does not
stand before it. What a filter compares is in `filters`; both read `columns`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_workbench.exploring.answering import InOrder
from mcp_workbench.exploring.columns import ClientOf, Column, Form, calls_columns, messages_columns
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

AT_ONCE = 500
"""Records taken together: what was decoded for them goes before the next are read, so the garbage collector never has much to look at."""


def calls_frame(calls: Iterable[CallRecord], *, client_of: ClientOf | None = None, only: Iterable[str] | None = None) -> pd.DataFrame:
    """One row for each call.

    Args:
        calls: In the order of the rows.
        client_of: Session id -> what its client calls itself; None: not known.
        only: These columns, in this order; None: all.

    Returns:
        The columns that the module's table names; durations float64 (ms), `at` datetime64[us, UTC], `code` Int64.
    """
    columns = calls_columns(client_of)
    return _frame(calls, columns if only is None else {name: columns[name] for name in only})


def messages_frame(messages: Iterable[Message], *, client_of: ClientOf | None = None) -> pd.DataFrame:
    """One row for each message.

    Args:
        messages: In the order of the rows, which is that in which they crossed.
        client_of: Session id -> what its client calls itself; None: not known.

    Returns:
        The columns that the module's table names; `at` datetime64[us, UTC], `code` Int64.
    """
    return _frame(map(InOrder().read, messages), messages_columns(client_of))


def _frame(records: Iterable[T], columns: Mapping[str, Column[T]]) -> pd.DataFrame:
    import pandas as pd

    values: dict[str, list[Any]] = {name: [] for name in columns}
    following = iter(records)
    while some := list(itertools.islice(following, AT_ONCE)):
        for name, column in columns.items():
            values[name].extend(map(column.read, some))
    return pd.DataFrame({name: _series(values[name], column.form) for name, column in columns.items()})


def _series(values: list[Any], form: Form) -> pd.Series[Any]:
    """Of one dtype, whatever the values are, also without any."""
    import numpy as np
    import pandas as pd

    if form is Form.TEXT:
        return pd.Series(values, dtype="str" if int(pd.__version__.partition(".")[0]) >= 3 else "object")
    if form is Form.MOMENT:
        nothing = np.iinfo(np.int64).min  # what numpy means by NaT
        moments = np.array([nothing if value is None else value for value in values], np.int64).view("datetime64[us]")
        return pd.Series(moments).dt.tz_localize("UTC")
    dtypes = {Form.COUNT: "int64", Form.NUMBER: "Int64", Form.MILLISECONDS: "float64", Form.FLAG: "bool"}
    return pd.Series(values, dtype=dtypes[form])
