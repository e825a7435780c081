"""Parquet: a recording as two tables, calls and messages, for whatever reads columns. Written in pieces, so of any size.

Columns are called as in the DataFrames of the traffic. `pyarrow` is needed, and is not required otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.platforms import create_private_file
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CALL_TOOL, CallRecord

ROWS = 2_000
"""Rows written at once."""

T = TypeVar("T")
Column = tuple[str, Callable[[T], Any]]
"""Type of Arrow, and how a value is read."""

MESSAGES: Mapping[str, Column[Message]] = {
    "seq": ("int64", lambda message: message.seq),
    "session": ("string", lambda message: message.session_id),
    "direction": ("string", lambda message: message.direction.value),
    "at": ("moment", lambda message: round(message.at * 1e6)),
    "at_ns": ("int64", lambda message: message.at_ns),
    "size": ("int64", lambda message: message.size),
    "text": ("string", lambda message: _text(message)),
}
CALLS: Mapping[str, Column[CallRecord]] = {
    "session": ("string", lambda call: call.session_id),
    "direction": ("string", lambda call: call.direction.value),
    "at": ("moment", lambda call: round(call.received_at * 1e6)),
    "id": ("string", lambda call: str(call.request_id)),
    "method": ("string", lambda call: call.method),
    "target": ("string", lambda call: call.target),
    "tool": ("string", lambda call: call.target if call.method == CALL_TOOL else None),
    "outcome": ("string", lambda call: call.outcome.value),
    "code": ("int64", lambda call: call.code),
    "error": ("string", lambda call: call.error),
    "call": ("string", lambda call: call.call_id or None),
    "job": ("string", lambda call: call.job),
    "side": ("string", lambda call: call.side.value),
    "principal": ("string", lambda call: call.principal),
    "era": ("string", lambda call: call.era.value),
    "total_ms": ("float64", lambda call: _ms(call.total_ns)),
    "wait_ms": ("float64", lambda call: _ms(call.wait_ns)),
    "run_ms": ("float64", lambda call: _ms(call.run_ns)),
    "send_ms": ("float64", lambda call: _ms(call.send_ns)),
    "bytes_in": ("int64", lambda call: call.bytes_in),
    "bytes_out": ("int64", lambda call: call.bytes_out),
    "failed": ("bool", lambda call: call.failed),
    "version": ("string", lambda call: call.tool_version),
    "defined_at": ("string", lambda call: None if call.defined_at is None else str(call.defined_at)),
    "notes": ("string", lambda call: "; ".join(call.notes)),
    "request": ("string", lambda call: _text(call.request)),
    "answer": ("string", lambda call: _text(call.answer)),
}


def write_parquet(recording: Recording, folder: str | Path) -> tuple[Path, Path]:
    """Write `calls.parquet` and `messages.parquet`; only their owner may read them.

    Args:
        recording: What to write; secrets are as in it.
        folder: Where, and it is made if need be.

    Returns:
        The two files.

    Raises:
        FileExistsError: One is there.
        WorkbenchError: pyarrow is not installed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    calls, messages = folder / "calls.parquet", folder / "messages.parquet"
    _write(recording.calls(), CALLS, calls)
    _write(recording.messages(), MESSAGES, messages)
    return calls, messages


def _write(records: Iterable[T], columns: Mapping[str, Column[T]], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise WorkbenchError("Parquet needs pyarrow: pip install pyarrow") from None
    kinds = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(), "moment": pa.timestamp("us", "UTC")}
    schema = pa.schema([(name, kinds[kind]) for name, (kind, _) in columns.items()])
    following = iter(records)
    with open(create_private_file(path), "wb") as file, pq.ParquetWriter(file, schema) as writer:  # noqa: PTH123  # a descriptor
        while some := list(itertools.islice(following, ROWS)):
            values = {name: [read(record) for record in some] for name, (_, read) in columns.items()}
            writer.write_table(pa.table(values, schema=schema))


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


def _text(message: Message | None) -> str | None:
    return None if message is None or not message.kept else message.raw.decode("utf-8", "replace")
