"""What happened lately, in order, so that an agent can ask "what is new since I last looked?".

Everybody who makes news writes one line here; `notebook_status(since=cursor)` reads them. A line either is
for all or belongs to one principal, whose job or result it speaks of, and the others are never told of it. The
memory is bounded: who comes back too late is told so and looks at everything anew. Of one topic (a DataFrame that changes
many times a second) only the latest lines are kept, so that it does not drive out the others. A cursor says which
chronicle it is of, so that one from before a restart of the kernel is not taken for one of this one.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger("mcp_workbench")

KEPT = 500
"""Lines remembered."""
KEPT_OF_TOPIC = 8
"""... of one topic: a new one takes the place of the oldest."""
LONGEST = 300
"""Characters of one line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    number: int
    """Counted from 1."""
    text: str
    """One sentence without a full stop: `flights v17: 1,000 rows appended`."""
    principal: str | None
    """Whose it is; None: everybody may know."""
    topic: str | None = None
    """What it is about, where there may be many lines about it."""


class Chronicle:
    """The latest lines; any thread.

    Args:
        kept: How many are remembered.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.on_line: list[Callable[[], None]] = []
        """Called after each line, on the thread that wrote it; one that raises is logged and skipped."""
        self._name = secrets.token_hex(2)
        self._lock = threading.Lock()
        self._kept = kept
        self._lines: deque[Line] = deque()
        self._written = self._forgotten = 0

    def write(self, text: str, *, principal: str | None = None, topic: str | None = None) -> None:
        """Remember that something happened, and tell those who wait for news.

        Args:
            text: One short sentence without a full stop.
            principal: Whose it is; None: everybody's.
            topic: What it is about, where many lines may be: each tells what is so now, so the latest ones do.
        """
        with self._lock:
            self._written += 1
            self._lines.append(Line(self._written, text[:LONGEST], principal, topic))
            self._make_room(topic)
        for listener in tuple(self.on_line):
            try:
                listener()
            except Exception:  # the boundary to listeners: one that raises must not stop what made the news
                logger.exception("a listener of the chronicle failed; the others are still called")

    def cursor(self) -> str:
        """Where the chronicle stands: what is written from now on is new to whoever gives this back."""
        return f"{self._name}-{self._written}"

    def knows(self, cursor: str) -> bool:
        """Whether everything since that cursor is still remembered."""
        number = self._number(cursor)
        return number is not None and number >= self._forgotten

    def since(self, cursor: str, principal: str) -> list[Line]:
        """What a principal has not been told yet.

        Args:
            cursor: What `cursor()` gave; one that is not known finds nothing (ask `knows`).
            principal: Who asks.

        Returns:
            The lines for everybody and for this principal, oldest first.
        """
        number = self._number(cursor)
        if number is None:
            return []
        with self._lock:
            newer = [line for line in self._lines if line.number > number]
        return [line for line in newer if line.principal in (None, principal)]

    def _make_room(self, topic: str | None) -> None:
        about = [line for line in self._lines if line.topic == topic] if topic is not None else []
        if len(about) > KEPT_OF_TOPIC:
            self._lines.remove(about[0])
        elif len(self._lines) > self._kept:
            self._forgotten = self._lines.popleft().number

    def _number(self, cursor: str) -> int | None:
        name, _, digits = cursor.strip().partition("-")
        if name != self._name or not (digits.isascii() and digits.isdecimal() and len(digits) < 16):
            return None
        number = int(digits)
        return number if number <= self._written else None
