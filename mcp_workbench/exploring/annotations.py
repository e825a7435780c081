"""What people write beside calls: kept as long as the workbench, shown wherever the call is, and written into recordings."""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.errors import in_one_line
from mcp_workbench.primitives.wording import a_type
from mcp_workbench.telemetry.records import CallRecord

MOST = 10_000
LONGEST = 10_000
"""Characters of one."""


class Annotations:
    """The notes of one workbench. From any thread."""

    def __init__(self) -> None:
        self._by_call: dict[CallRecord, tuple[str, ...]] = {}
        self.on_add: list[Callable[[CallRecord, str], None]] = []
        """Told of each new one."""

    def __len__(self) -> int:
        """Count the calls that have any."""
        return len(self._by_call)

    @in_one_line(TypeError, ValueError)
    def add(self, call: CallRecord, text: str) -> None:
        """Write one beside a call.

        Raises:
            ValueError: It is empty or too long, or there are too many.
            TypeError: It is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"an annotation is a text, got {a_type(type(text))}")
        text = text.strip()
        if not 0 < len(text) <= LONGEST:
            raise ValueError(f"an annotation has 1 to {LONGEST:,} characters, got {len(text):,}")
        if len(self._by_call) >= MOST and call not in self._by_call:
            raise ValueError(f"{MOST:,} calls are annotated, which is the most: traffic.annotate(call, None) takes one's away")
        self._by_call[call] = (*self._by_call.get(call, ()), text)
        call.notes = (*call.notes, text)  # so that it is found, and shown, where what it read or made is
        for listener in self.on_add:
            listener(call, text)

    def clear(self, call: CallRecord) -> None:
        """Take those of a call away."""
        taken = self._by_call.pop(call, ())
        call.notes = tuple(note for note in call.notes if note not in taken)

    def of(self, call: CallRecord) -> tuple[str, ...]:
        """Those of a call, in order."""
        return self._by_call.get(call, ())
