"""`workbench://traffic`: what crossed, for agents to read; only where its author has said so.

By default what is told of a call is who made it, what it was for, how it ended and how long it took: nothing that was sent. Filters
see the same columns and no others, without their secrets, so nobody can ask for what is not shown by way of a filter.

An agent may ask again and again, so what was once made fit to be told is kept until something new is known to be a secret, one
reading is made at a time, and how far back it reaches is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.filters import FilterError, parse
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.jsonrpc import encode
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.telemetry.records import CallRecord

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
"""Calls in one reading, unless the URI says how many; of the latest `MOST`, texts are told."""
REACHES = 10_000
"""Calls of which it tells at all: the latest."""


def reader(calls: Callable[[], CallList], redactor: Callable[[], Redactor], *, texts: bool = False) -> Callable[..., str]:
    """The function behind the resource.

    Args:
        calls: All that there are.
        redactor: Makes what withholds secrets.
        texts: Whether arguments, results and errors are told, too.
    """
    columns = (*COLUMNS, *TEXTS) if texts else COLUMNS
    fitting = _Fitting(redactor(), MOST if texts else 0)

    def traffic(filter: str = "", limit: int = LIMIT) -> str:  # noqa: A002  # the word of the URI
        if not 1 <= limit <= MOST:
            raise ArgumentError(f"limit is 1 to {MOST:,}, got {limit}")
        with fitting.one_at_a_time:
            rows = _rows(fitting.of(calls()), filter, columns)
            latest = rows.tail(limit)
            data = fitting.redactor.value(_cells(latest))
        told = {"calls": len(rows), "shown": len(latest), "columns": list(latest.columns), "data": data}
        return encode(told).decode()

    return traffic


class _Fitting:
    """Calls as they may be told of, made so once.

    Args:
        redactor: Withholds what is secret; one for all readings, so it knows what came before.
        with_texts: How many of the latest keep their texts.
    """

    def __init__(self, redactor: Redactor, with_texts: int) -> None:
        self.redactor, self._with_texts = redactor, with_texts
        self.one_at_a_time = threading.Lock()
        self._fit: dict[tuple[CallRecord, bool], tuple[int, CallRecord]] = {}
        """By call, with its texts or without: what was known of secrets when it was looked at last, and the call."""

    def of(self, calls: CallList) -> CallList:
        """The latest."""
        withholding = Withholding(self.redactor)
        records = calls.records[-REACHES:]
        learned = self.redactor.learned
        fit = self._all(records, withholding)
        if self.redactor.learned != learned:  # it may stand before the place that gave it away, too
            fit = self._all(records, withholding)

        def client_of(session: str) -> str | None:
            name = None if calls.client_of is None else calls.client_of(session)
            return None if name is None else withholding.named(name, "")[0]

        return CallList(fit, Annotations(), client_of)

    def _all(self, records: Sequence[CallRecord], withholding: Withholding) -> list[CallRecord]:
        first = len(records) - self._with_texts
        before, self._fit = self._fit, {}
        for number, record in enumerate(records):
            key = record, number >= first
            found = before.get(key)
            if found is None or (found[0] != self.redactor.learned and self._gives_away(found[1])):
                fit = withholding.call(record) if key[1] else _without_texts(withholding.names(record))
                found = self.redactor.learned, fit
            self._fit[key] = self.redactor.learned, found[1]
        return [fit for _, fit in self._fit.values()]

    def _gives_away(self, fit: CallRecord) -> bool:
        """Whether something in it was found to be a secret since."""
        said = [b"" if message is None else message.raw for message in (fit.request, fit.answer)] + [fit.arguments or b""]
        texts = (fit.method, fit.target, str(fit.request_id), fit.error or "", *(raw.decode("utf-8", "replace") for raw in said))
        return self.redactor.knows("\n".join(texts))


def _without_texts(call: CallRecord) -> CallRecord:
    call.request = call.answer = call.arguments = call.error = None
    return call


def _rows(calls: CallList, filter: str, columns: Sequence[str]) -> pd.DataFrame:  # noqa: A002
    try:
        wanted = parse(filter, client_of=lambda _: None)
    except FilterError as error:
        raise ArgumentError(str(error)) from None
    rows = calls.df(columns)
    try:
        return rows[wanted.mask(rows)]
    except FilterError:  # what it would compare is not among the columns
        raise ArgumentError(f"the filter asks for more than is told of a call here, which is {', '.join(columns)}") from None


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
