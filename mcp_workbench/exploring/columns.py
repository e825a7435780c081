"""What is known of a call and of a message, each fact under one name: the columns of their DataFrames, and what filters compare.

A fact is read off a record here, and only here: so a filter means the same for a record and for its row. Knows no pandas:
`frames` makes DataFrames of it, `filters` predicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from mcp_workbench.exploring.reading import UPDATED, Reading, arguments_of, result_of, text_of
from mcp_workbench.telemetry.records import CALL_TOOL, JOB, CallRecord

T = TypeVar("T")

ClientOf = Callable[[str], "str | None"]
"""Session id -> what its client calls itself; None: not known."""

BYTES_A_TOKEN = 4
"""About; enough to see which call fills a model's context."""
_FAR = 253_402_214_400.0
"""Seconds since 1970 a day before year 10000: a later moment has no date."""


class Form(StrEnum):
    """What a column holds; every one but COUNT and FLAG may hold nothing."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    """An integer, or nothing."""
    MILLISECONDS = "milliseconds"
    MOMENT = "moment"
    """Whole microseconds since 1970."""
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One fact."""

    form: Form
    read: Callable[[T], Any]
    """Off a record; None: not known."""


def moment(at: float) -> int | None:
    """Seconds since 1970 as whole microseconds; None for 0, which stands for "not yet", and for what is no time of any calendar."""
    return round(at * 1e6) if 0.0 < at < _FAR else None


def tool_of(method: str | None, target: str | None) -> str | None:
    """The tool that is called, also in the record of a job."""
    return target if method in (CALL_TOOL, JOB) and target else None


def prompt_of(method: str | None, target: str | None) -> str | None:
    """The prompt that is asked for."""
    return target if method == "prompts/get" and target else None


def uri_of(method: str | None, target: str | None) -> str | None:
    """The resource that is read, subscribed to, or told to have changed."""
    return target if method and target and method.startswith(("resources/", UPDATED)) else None


def calls_columns(client_of: ClientOf | None = None) -> Mapping[str, Column[CallRecord]]:
    """The columns of a DataFrame of calls, in order.

    Args:
        client_of: Who the clients are; None: not known.
    """
    return _CALLS if client_of is None else {**_CALLS, "client": Column(Form.TEXT, lambda call: client_of(call.session_id))}


def messages_columns(client_of: ClientOf | None = None) -> Mapping[str, Column[Reading]]:
    """The columns of a DataFrame of messages, in order.

    Args:
        client_of: Who the clients are; None: not known.
    """
    return (
        _MESSAGES
        if client_of is None
        else {**_MESSAGES, "client": Column(Form.TEXT, lambda reading: client_of(reading.message.session_id))}
    )


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


def _code(code: int | None) -> int | None:
    """An error code; one that fits no column of integers says nothing."""
    return code if code is not None and -(2**63) <= code < 2**63 else None


def _id(request_id: object) -> str | None:
    return None if request_id is None else str(request_id)


_CALLS: dict[str, Column[CallRecord]] = {
    "seq": Column(Form.COUNT, lambda call: call.seq),
    "call": Column(Form.TEXT, lambda call: call.call_id or None),
    "session": Column(Form.TEXT, lambda call: call.session_id),
    "client": Column(Form.TEXT, lambda _: None),
    "side": Column(Form.TEXT, lambda call: call.side.value),
    "direction": Column(Form.TEXT, lambda call: call.direction.value),
    "principal": Column(Form.TEXT, lambda call: call.principal),
    "era": Column(Form.TEXT, lambda call: call.era.value),
    "method": Column(Form.TEXT, lambda call: call.method),
    "target": Column(Form.TEXT, lambda call: call.target or None),
    "tool": Column(Form.TEXT, lambda call: tool_of(call.method, call.target)),
    "id": Column(Form.TEXT, lambda call: str(call.request_id)),
    "at": Column(Form.MOMENT, lambda call: moment(call.received_at)),
    "total_ms": Column(Form.MILLISECONDS, lambda call: _ms(call.total_ns)),
    "wait_ms": Column(Form.MILLISECONDS, lambda call: _ms(call.wait_ns)),
    "run_ms": Column(Form.MILLISECONDS, lambda call: _ms(call.run_ns)),
    "send_ms": Column(Form.MILLISECONDS, lambda call: _ms(call.send_ns)),
    "bytes_in": Column(Form.COUNT, lambda call: call.bytes_in),
    "bytes_out": Column(Form.COUNT, lambda call: call.bytes_out),
    "size": Column(Form.COUNT, lambda call: call.bytes_in + call.bytes_out),
    "tokens": Column(Form.COUNT, lambda call: (call.bytes_in + call.bytes_out) // BYTES_A_TOKEN),
    "outcome": Column(Form.TEXT, lambda call: call.outcome.value),
    "failed": Column(Form.FLAG, lambda call: call.failed),
    "code": Column(Form.NUMBER, lambda call: _code(call.code)),
    "error": Column(Form.TEXT, lambda call: call.error),
    "version": Column(Form.TEXT, lambda call: call.tool_version),
    "defined_at": Column(Form.TEXT, lambda call: None if call.defined_at is None else str(call.defined_at)),
    "notes": Column(Form.TEXT, lambda call: "; ".join(call.notes) or None),
    "job": Column(Form.TEXT, lambda call: call.job),
    "arguments": Column(Form.TEXT, arguments_of),
    "result": Column(Form.TEXT, result_of),
    "request": Column(Form.TEXT, lambda call: text_of(call.request)),
    "answer": Column(Form.TEXT, lambda call: text_of(call.answer)),
}

_MESSAGES: dict[str, Column[Reading]] = {
    "seq": Column(Form.COUNT, lambda reading: reading.message.seq),
    "session": Column(Form.TEXT, lambda reading: reading.message.session_id),
    "client": Column(Form.TEXT, lambda _: None),
    "direction": Column(Form.TEXT, lambda reading: reading.message.direction.value),
    "at": Column(Form.MOMENT, lambda reading: moment(reading.message.at)),
    "size": Column(Form.COUNT, lambda reading: reading.message.size),
    "tokens": Column(Form.COUNT, lambda reading: reading.message.size // BYTES_A_TOKEN),
    "kind": Column(Form.TEXT, lambda reading: None if reading.kind is None else reading.kind.value),
    "id": Column(Form.TEXT, lambda reading: _id(reading.id)),
    "method": Column(Form.TEXT, lambda reading: reading.method or None),
    "target": Column(Form.TEXT, lambda reading: reading.target or None),
    "tool": Column(Form.TEXT, lambda reading: tool_of(reading.method, reading.target)),
    "outcome": Column(Form.TEXT, lambda reading: None if reading.outcome is None else reading.outcome.value),
    "code": Column(Form.NUMBER, lambda reading: _code(reading.code)),
    "error": Column(Form.TEXT, lambda reading: reading.error),
    "text": Column(Form.TEXT, lambda reading: text_of(reading.message)),
}
