"""Which messages and calls belong into a recording: those of some sessions, those that a function wants. On the recorder's thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from mcp_workbench.exploring.recording.lines import Crossed
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord

REMEMBERED = 100_000
"""Messages of which it is known that they were chosen, for the calls they belong to."""


class Choice:
    """What is wanted.

    Args:
        sessions: Only these, by their ids; None: all.
        wanted: Only messages of which this is true, and their calls; None: all.
        failed: Told that `wanted` raised; what it says nothing about is not wanted.
    """

    def __init__(
        self, sessions: Iterable[str] | None, wanted: Callable[[Message], bool] | None, failed: Callable[[BaseException], None]
    ) -> None:
        self._sessions = None if sessions is None else frozenset(sessions)
        self._wanted, self._failed = wanted, failed
        self._chosen: OrderedDict[int, None] = OrderedDict()

    def session(self, session_id: str) -> bool:
        """Whether anything of this session is wanted."""
        return self._sessions is None or session_id in self._sessions

    def of(self, items: list[Crossed | CallRecord]) -> list[Crossed | CallRecord]:
        """Those that are, in their order."""
        if self._sessions is None and self._wanted is None:
            return items
        return [item for item in items if self._is_chosen(item)]

    def _is_chosen(self, item: Crossed | CallRecord) -> bool:
        if not self.session(item[0].session_id if isinstance(item, tuple) else item.session_id):
            return False
        if self._wanted is None:
            return True
        if isinstance(item, CallRecord):
            return any(message is not None and message.seq in self._chosen for message in (item.request, item.answer))
        if not self._is_wanted(self._wanted, _with_text(*item)):
            return False
        self._chosen[item[0].seq] = None
        if len(self._chosen) > REMEMBERED:
            self._chosen.popitem(last=False)
        return True

    def _is_wanted(self, wanted: Callable[[Message], bool], message: Message) -> bool:
        try:
            return bool(wanted(message))
        except BaseException as error:  # noqa: BLE001  # a named boundary: the user's code, and SystemExit ends a notebook's cell, no thread of ours
            self._failed(error)
            return False


def _with_text(message: Message, raw: bytes) -> Message:
    """As it was when it crossed."""
    if len(message.raw) == len(raw):
        return message
    return Message(message.session_id, message.direction, message.at_ns, message.at, message.size, raw, message.seq)
