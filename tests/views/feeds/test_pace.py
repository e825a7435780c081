"""How far a view has been told: each number once, or counted as passed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.views.feeds.pace import Pace


def pieces(pace: Pace, total: int) -> list[tuple[int, int, int]]:
    """All that is told until nothing is new."""
    told = []
    while (piece := pace.next(total)) is not None:
        told.append((piece.after, piece.until, piece.passed_over))
    return told


def test_a_view_that_begins_is_told_the_latest_in_pieces() -> None:
    pace = Pace(history=10, at_once=4)
    pace.begin(25)
    assert pieces(pace, 25) == [(15, 19, 0), (19, 23, 0), (23, 25, 0)]
    assert pieces(pace, 40) == [(25, 40, 0)]


def test_that_there_is_nothing_is_told_once() -> None:
    pace = Pace(10, 4)
    first = pace.next(0)
    assert first is not None
    assert (first.is_first, pace.next(0)) == (True, None)


def test_what_happened_while_a_view_looked_away_is_passed_over_but_for_the_latest() -> None:
    pace = Pace(10, 4)
    pieces(pace, 3)
    pace.begin(100)
    assert pieces(pace, 100) == [(90, 94, 87), (94, 98, 0), (98, 100, 0)]


def test_a_view_that_wants_others_is_told_from_the_beginning() -> None:
    pace = Pace(10, 100)
    pieces(pace, 30)
    pace.restart(30)
    piece = pace.next(30)
    assert piece is not None
    assert (piece.after, piece.until, piece.passed_over, piece.is_first) == (20, 30, 0, True)


@given(st.lists(st.tuples(st.sampled_from(["look", "begin"]), st.integers(0, 30)), max_size=30))
def test_every_number_is_told_once_or_passed_over(steps: list[tuple[str, int]]) -> None:
    pace, total, seen = Pace(8, 3), 0, 0
    for what, more in steps:
        total += more
        if what == "begin":
            pace.begin(total)
        if (piece := pace.next(total)) is not None:
            assert piece.is_first or piece.after == seen + piece.passed_over
            assert piece.until >= piece.after
            seen = piece.until
    for after, until, passed_over in pieces(pace, total):
        assert after == seen + passed_over
        seen = until
    assert seen == total
