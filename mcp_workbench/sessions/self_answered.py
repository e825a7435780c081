"""What the Peer answered by itself, written down: handshakes, pings, and requests that it refused.

An exchange like any other, with a record like any other, but no user code ran for it and no place was taken. Loop thread only.
"""

from __future__ import annotations

import time

from mcp_workbench.protocol.happenings import RequestAnswered
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.pairing import target_of
from mcp_workbench.telemetry.records import CallRecord, Outcome

_NAME = 300
"""Characters of a method or target that are kept: whoever is refused may have sent anything, and tens of thousands of records stay."""


def record_of(answered: RequestAnswered, principal: str, arrived: Message, answer: Message | None) -> CallRecord:
    """The record, its outcome set.

    Args:
        answered: The request.
        principal: Whose session it is.
        arrived: The message with it.
        answer: The message with its answer; None: that goes with the rest of its batch.
    """
    method, target, error = answered.method, target_of(answered.method, answered.params or {}), answered.error
    record = CallRecord(
        "",
        arrived.session_id,
        principal,
        answered.era,
        method[:_NAME],
        target[:_NAME],
        answered.id,
        arrived.at_ns,
        arrived.at,
        answered.bytes_in,
    )
    record.request, record.answer, record.bytes_out = arrived, answer, answered.bytes_out
    record.rendered_ns = record.sent_ns = time.perf_counter_ns()
    record.outcome = Outcome.OK if error is None else Outcome.RPC_ERROR
    if error is not None:
        record.code, record.error = error.code, error.message
    return record
