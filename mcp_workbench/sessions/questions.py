"""What a client was asked and has not answered (up to 2025-11-25), written down: each an exchange of its own, the other way round.

Who asks, and who waits for the answer, is the session's and `serving`'s business. Loop thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mcp_workbench.events import Era
from mcp_workbench.protocol.happenings import Pending, ResponseReceived
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import CallRecord, Outcome


class Questions:
    """Of one session.

    Args:
        session_id: Its id.
        principal: Whose it is.
        finish: Called with the record of a question that is over, and how it ended.
    """

    def __init__(self, session_id: str, principal: str, finish: Callable[[CallRecord, Outcome], None]) -> None:
        self._session_id, self._principal, self._finish = session_id, principal, finish
        self._open: dict[Pending, CallRecord] = {}

    def asked(self, pending: Pending, message: Message, era: Era, within: CallRecord | None) -> None:
        """A question was sent.

        Args:
            pending: Which.
            message: Its text.
            era: The client's.
            within: The call that asks; None: it is over.
        """
        record = CallRecord(
            "", self._session_id, self._principal, era, pending.method, "", pending.id, time.perf_counter_ns(), time.time(), message.size
        )
        record.direction, record.request = Direction.OUT, message
        self._open[pending] = record
        if within is not None:
            within.note(message)

    def answered(self, response: ResponseReceived, message: Message) -> None:
        """Its answer came, in this message."""
        record = self._open.pop(response.pending, None)
        if record is None:
            return
        record.answer, record.bytes_out = message, message.size
        if response.error is not None:
            record.code, record.error = response.error.code, response.error.message
        self._finish(record, Outcome.OK if response.error is None else Outcome.RPC_ERROR)

    def taken_back(self, pending: Pending, message: Message | None) -> None:
        """The answer is wanted no longer; the client was told so with this message, if it was told."""
        record = self._open.pop(pending, None)
        if record is None:
            return
        if message is not None:
            record.note(message)
        self._finish(record, Outcome.CANCELLED)

    def drop(self) -> None:
        """The client is gone."""
        while self._open:
            self._finish(self._open.popitem()[1], Outcome.DROPPED)
