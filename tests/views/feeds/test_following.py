"""What a view is still to be told, where a filter chooses."""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.views.feeds.following import Following, since
from mcp_workbench.views.feeds.pace import Pace
from mcp_workbench.views.messages import PanelFilter, Watch


def matcher(text: str) -> Callable[[int], bool] | None:
    return (lambda number: str(number).endswith(text)) if text else None


def watch(text: str = "", panel: str = "numbers") -> Watch:
    return Watch(panels=(panel,), filters=(PanelFilter(panel="numbers", text=text),) if text else ())


def test_without_a_filter_all_are_wanted_and_those_that_are_gone_are_counted() -> None:
    following: Following[int] = Following("numbers", Pace(10, 4), matcher)
    assert following.watch(watch(), 12) is False
    piece = following.next(12)
    assert piece is not None
    assert (following.chosen(piece, [4, 5, 6]), since(piece), following.wants(7)) == (([4, 5, 6], 1), 3, True)
    later = following.next(12)
    assert later is not None
    assert since(later) == 0


def test_with_another_filter_everything_is_told_anew_and_only_what_fits() -> None:
    following: Following[int] = Following("numbers", Pace(100, 100), matcher)
    following.watch(watch(), 20)
    following.next(20)
    assert (following.next(20), following.watch(watch("5"), 20), following.filter) == (None, True, "5")
    piece = following.next(20)
    assert piece is not None
    assert (following.chosen(piece, list(range(1, 21))), piece.is_first) == (([5, 15], 0), True)
    assert (following.watch(watch("5"), 20), following.wants(6)) == (False, False)


def test_a_filter_of_a_panel_that_is_not_watched_waits() -> None:
    following: Following[int] = Following("numbers", Pace(100, 100), matcher)
    assert (following.watch(watch("5", panel="others"), 20), following.filter) == (False, "")
    assert (following.watch(watch("5"), 20), following.filter) == (True, "5")
