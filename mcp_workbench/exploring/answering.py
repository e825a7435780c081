"""Messages read in the order in which they crossed, so that an answer is known by what it answers: its text does not say.

Whoever filters messages, or makes a DataFrame of them, reads through this, and both mean the same. Of an answer whose request was not
among them nothing but its text is known. The neighbour is `reading`, which reads one message alone. Asked by one thread.
"""

from __future__ import annotations

from collections import OrderedDict

from mcp_workbench.exploring.reading import Kind, Reading, read
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.telemetry.messages import Direction, Message

KEPT = 10_000
"""Requests that wait for their answers, the latest."""
_OTHER = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}


class Answer(Reading):
    """An answer of which is known what it answers.

    Args:
        message: The answer.
        method: Of the request.
        target: Of the request.
    """

    __slots__ = ("_method", "_target")

    def __init__(self, message: Message, method: str, target: str) -> None:
        super().__init__(message)
        self._method, self._target = method, target

    @property
    def method(self) -> str:
        """Of the request."""
        return self._method

    @property
    def target(self) -> str:
        """Of the request."""
        return self._target


class InOrder:
    """Reads messages, oldest first."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, Direction, RequestId | None], tuple[str, str]] = OrderedDict()
        """Method and target of what waits for its answer."""

    def read(self, message: Message) -> Reading:
        """What the next message says."""
        reading = read(message)
        if reading.kind is Kind.REQUEST:
            self._open[message.session_id, message.direction, reading.id] = reading.method, reading.target
            if len(self._open) > KEPT:
                self._open.popitem(last=False)
        elif reading.kind in (Kind.RESPONSE, Kind.ERROR):
            asked = self._open.pop((message.session_id, _OTHER[message.direction], reading.id), None)
            if asked is not None:
                return Answer(message, *asked)
        return reading
