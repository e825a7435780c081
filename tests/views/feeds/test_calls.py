"""The feed of ended calls: each told once, ascending, whatever the pace."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from hypothesis import example, given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.views.feeds.calls import AT_ONCE, HISTORY, CallsFeed
from mcp_workbench.views.messages import Calls, PanelFilter, Watch
from tests.views.rig import no_server

CALLS = Watch(panels=("calls",))


class Log:
    """A telemetry and a feed that looks at it."""

    def __init__(self, records: int = 50_000) -> None:
        self.telemetry = Telemetry(records)
        self.feed = CallsFeed(no_server(self.telemetry))

    def end(self, count: int = 1, outcome: Outcome = Outcome.OK, method: str = "tools/call") -> None:
        """Calls end."""
        for _ in range(count):
            self.telemetry.record(CallRecord("c1", "s1", "default", Era.LEGACY, method, "add", 1, 0, 5.0, 1, outcome=outcome))

    def look(self) -> Calls | None:
        """What is told."""
        told = list(self.feed.look(0.0))
        assert len(told) <= 1
        return cast(Calls, told[0]) if told else None

    def seqs(self) -> list[int]:
        """Of the calls that are told."""
        told = self.look()
        return [] if told is None else [row.seq for row in told.rows]


def test_the_first_look_tells_that_there_is_nothing_yet() -> None:
    log = Log()
    log.feed.watch(CALLS)
    assert (log.look(), log.look()) == (Calls(), None)
    log.end()
    assert (log.seqs(), log.look()) == ([1], None)


def test_a_view_that_begins_is_told_the_latest_in_pieces_and_catches_up() -> None:
    log = Log()
    log.end(HISTORY + 300)
    log.feed.watch(CALLS)
    told: list[int] = []
    for _ in range(4):
        piece = log.look()
        assert piece is not None
        assert (len(piece.rows), piece.skipped, piece.oldest) == (AT_ONCE, 0, 1)
        told += [row.seq for row in piece.rows]
        log.end(50)
    told += log.seqs()
    assert told == list(range(301, HISTORY + 300 + 200 + 1))
    assert log.look() is None


def test_where_more_end_than_fit_failed_ones_come_first_then_the_newest() -> None:
    log = Log()
    log.feed.watch(CALLS)
    log.look()
    log.end(2, Outcome.TOOL_ERROR)
    log.end(AT_ONCE)
    log.end(1, Outcome.CANCELLED)
    log.end(3)
    told = log.look()
    assert told is not None
    assert [row.seq for row in told.rows] == [1, 2, *range(9, AT_ONCE + 7)]
    assert told.skipped == 6
    log.end(AT_ONCE + 4, Outcome.TIMEOUT)
    assert log.seqs() == list(range(AT_ONCE + 11, 2 * AT_ONCE + 11))


def test_a_view_that_looks_again_after_a_while_is_told_the_latest_and_how_many_it_missed() -> None:
    log = Log()
    log.feed.watch(CALLS)
    log.end(3)
    assert log.seqs() == [1, 2, 3]
    log.feed.watch(Watch(panels=("sessions",)))
    log.end(HISTORY + 10)
    log.feed.watch(CALLS)
    log.feed.watch(Watch(panels=("calls", "sessions")))
    told = log.look()
    assert told is not None
    assert (told.rows[0].seq, len(told.rows), told.skipped) == (14, AT_ONCE, 10)
    assert log.seqs()[0] == 14 + AT_ONCE


def test_calls_whose_records_are_gone_are_among_the_skipped() -> None:
    log = Log(records=10)
    log.feed.watch(CALLS)
    log.look()
    log.end(25)
    told = log.look()
    assert told is not None
    assert ([row.seq for row in told.rows], told.skipped, told.oldest, told.newest) == (list(range(16, 26)), 15, 16, 25)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40), st.booleans()), max_size=8))
@example([(0, 0, False), (461, 40, False)])
def test_whatever_the_pace_every_call_is_told_or_counted_and_the_order_holds(steps: list[tuple[int, int, bool]]) -> None:
    log = Log(records=4_000)
    heard: list[Calls] = []
    log.end(steps[0][0] if steps else 0)
    for good, bad, away in steps:
        log.feed.watch(Watch() if away else CALLS)
        log.end(good)
        log.end(bad, Outcome.RPC_ERROR, "ping")
        if not away and (calls := log.look()) is not None:
            heard.append(calls)
            assert len(calls.rows) <= AT_ONCE
    log.feed.watch(CALLS)
    while (calls := log.look()) is not None:
        heard.append(calls)
    told = [row.seq for calls in heard for row in calls.rows]
    assert all(one < next_one for one, next_one in pairwise(told))
    before = max((calls.since - 1 for calls in heard if calls.since), default=0)
    assert len(told) + sum(calls.skipped for calls in heard) + before == log.telemetry.recorded


def test_at_the_end_all_that_is_kept_is_told_at_once() -> None:
    log = Log()
    log.end(AT_ONCE + 10)
    log.feed.watch(CALLS)
    told = list(log.feed.look(1.0, last=True))
    assert [row.seq for message in told if isinstance(message, Calls) for row in message.rows] == list(range(1, AT_ONCE + 11))
    assert list(log.feed.look(1.0, last=True)) == []


FAILED = Watch(panels=("calls",), filters=(PanelFilter(panel="calls", text="outcome:error"),))


def test_with_a_filter_only_what_fits_is_told_from_the_beginning_and_later() -> None:
    log = Log()
    log.feed.watch(CALLS)
    log.end(2)
    log.end(1, Outcome.TOOL_ERROR)
    assert log.seqs() == [1, 2, 3]
    log.feed.watch(FAILED)
    told = log.look()
    assert told is not None
    assert ([row.seq for row in told.rows], told.filter, told.skipped) == ([3], "outcome:error", 0)
    log.end(5)
    assert log.look() is None
    log.end(1, Outcome.TOOL_ERROR)
    assert log.seqs() == [9]
    log.feed.watch(CALLS)
    assert log.seqs() == list(range(1, 10))


def test_a_filter_says_from_where_on_it_looked_also_where_nothing_fits() -> None:
    log = Log()
    log.end(HISTORY + 1)
    log.feed.watch(FAILED)
    told = log.look()
    assert told is not None
    assert (told.rows, told.since, told.filter) == ((), 2, "outcome:error")


def test_of_too_many_that_fit_those_that_do_not_are_not_counted() -> None:
    log = Log()
    log.feed.watch(FAILED)
    log.look()
    log.end(50)
    log.end(AT_ONCE + 3, Outcome.TOOL_ERROR)
    told = log.look()
    assert told is not None
    assert (told.skipped, told.rows[0].seq) == (3, 54)
