from __future__ import annotations

import pytest

from mcp_workbench.limits import MIB
from mcp_workbench.tapping.holdings import WORTH_COUNTING, Holdings, TooMuchHeldError
from mcp_workbench.transports.http_incoming import Keeper


class FakeLine:
    """A connection of which only one thing matters."""

    keeper: Keeper | None = None
    remote = "there"
    full = False

    def __init__(self, unsent_bytes: int) -> None:
        self.unsent_bytes = unsent_bytes

    def write(self, data: bytes) -> None: ...

    def answered(self, *, keep: bool) -> None: ...

    def abort(self) -> None: ...


def test_answers_share_what_there_is_and_give_it_back() -> None:
    holdings = Holdings(3 * MIB)
    with holdings.begin() as one, holdings.begin() as other:
        one.now(2 * MIB)
        with pytest.raises(TooMuchHeldError, match="hold 3 MiB already"):
            other.now(2 * MIB)
        one.now(MIB)
        other.now(2 * MIB)
    with holdings.begin() as alone:
        alone.now(3 * MIB)


def test_what_waits_for_its_reader_counts_until_it_is_read() -> None:
    holdings, line = Holdings(3 * MIB), FakeLine(2 * MIB)
    holdings.note_unread(line)
    with holdings.begin() as one:
        with pytest.raises(TooMuchHeldError):
            one.now(2 * MIB)
        line.unsent_bytes = 0
        one.now(2 * MIB)


def test_small_answers_are_not_counted() -> None:
    holdings = Holdings(WORTH_COUNTING)
    with holdings.begin() as one, holdings.begin() as other:
        one.now(WORTH_COUNTING)
        other.now(WORTH_COUNTING)
