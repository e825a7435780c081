"""Which messages a recording takes that was given a filter: those it matches, and what belongs to a request it matches.

An answer does not say what it answers; here it knows, so that `tool:sum` takes whole exchanges, and `-tool:sum` leaves whole
exchanges out. Knows nothing of files; asked by one thread.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from mcp_workbench.exploring.filters import Filter
from mcp_workbench.exploring.reading import Kind, Reading, read
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.telemetry.messages import Direction, Message

KEPT = 10_000
"""Requests that wait for their answers, the latest; of the others, an answer is what its text says."""
_OTHER = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits for its answer."""

    method: str
    target: str
    token: Any
    """What its progress is told by; None: nothing."""
    taken: bool


class _Answer(Reading):
    """An answer that knows what it answers."""

    __slots__ = ("_asked",)

    def __init__(self, message: Message, asked: _Asked) -> None:
        super().__init__(message)
        self._asked = asked

    @property
    def method(self) -> str:
        """Of the request."""
        return self._asked.method

    @property
    def target(self) -> str:
        """Of the request."""
        return self._asked.target


class Exchanges:
    """Asked of each message in the order they crossed.

    Args:
        filter: As `tool:forecast | kind:notification`.

    Raises:
        FilterError: It asks for what only a whole call knows, for instance `dur`.
    """

    def __init__(self, filter: Filter) -> None:  # noqa: A002  # the word people use
        self._matches = filter.for_readings()
        self._open: OrderedDict[tuple[str, Direction, RequestId | None], _Asked] = OrderedDict()

    def __call__(self, message: Message) -> bool:
        """Whether the recording takes it."""
        reading = read(message)
        if reading.kind is Kind.REQUEST:
            return self._request(message, reading)
        if reading.kind in (Kind.RESPONSE, Kind.ERROR):
            asked = self._open.pop((message.session_id, _OTHER[message.direction], reading.id), None)
            return self._matches(reading) if asked is None else asked.taken or self._matches(_Answer(message, asked))
        return self._is_taken_ones_progress(reading) or self._matches(reading)

    def _request(self, message: Message, reading: Reading) -> bool:
        taken = self._matches(reading)
        meta = (reading.params or {}).get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        self._open[message.session_id, message.direction, reading.id] = _Asked(reading.method, reading.target, token, taken)
        if len(self._open) > KEPT:
            self._open.popitem(last=False)
        return taken

    def _is_taken_ones_progress(self, reading: Reading) -> bool:
        token = (reading.params or {}).get("progressToken") if reading.method == "notifications/progress" else None
        session = reading.message.session_id
        return token is not None and any(asked.taken and asked.token == token and key[0] == session for key, asked in self._open.items())
