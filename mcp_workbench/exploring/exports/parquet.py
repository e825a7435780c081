"""Parquet: a recording as two tables, calls and messages, for whatever reads columns. Written in pieces, so of any size.

The columns are those of the DataFrames of the traffic (`exploring.columns`). `pyarrow` is needed, and is not required otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from mcp_workbench.errors import WorkbenchError, in_one_line
from mcp_workbench.exploring.columns import Column, Form, calls_columns, messages_columns
from mcp_workbench.exploring.exports.new_files import check_new
from mcp_workbench.exploring.reading import read
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.platforms import create_private_file
from mcp_workbench.telemetry.records import CallRecord

ROWS = 2_000
"""Rows written at once."""

T = TypeVar("T")


@in_one_line(FileExistsError, WorkbenchError)
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
    for path in (calls, messages):
        check_new(path, "folder")
    clients = {session.session_id: session.client_name for session in recording.sessions()}
    _write(_numbered(recording.calls()), calls_columns(clients.get), calls)
    _write(map(read, recording.messages()), messages_columns(clients.get), messages)
    return calls, messages


def _numbered(calls: Iterable[CallRecord]) -> Iterator[CallRecord]:
    for number, call in enumerate(calls, 1):
        call.seq = call.seq or number
        yield call


def _write(records: Iterable[T], columns: Mapping[str, Column[T]], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise WorkbenchError("Parquet needs pyarrow: pip install pyarrow") from None
    kinds = {
        Form.TEXT: pa.string(),
        Form.COUNT: pa.int64(),
        Form.NUMBER: pa.int64(),
        Form.MILLISECONDS: pa.float64(),
        Form.MOMENT: pa.timestamp("us", "UTC"),
        Form.FLAG: pa.bool_(),
    }
    schema = pa.schema([(name, kinds[column.form]) for name, column in columns.items()])
    following = iter(records)
    with open(create_private_file(path), "wb") as file, pq.ParquetWriter(file, schema) as writer:  # noqa: PTH123  # a descriptor
        while some := list(itertools.islice(following, ROWS)):
            values = {name: [column.read(record) for record in some] for name, column in columns.items()}
            writer.write_table(pa.table(values, schema=schema))
