"""The feed of messages: each told once, as a row, whatever the pace and the size."""

from __future__ import annotations

from typing import cast

from mcp_workbench.limits import MIB
from mcp_workbench.telemetry import Direction
from mcp_workbench.views.feeds.messages import AT_ONCE, BYTES_AT_ONCE, HISTORY, MessagesFeed
from mcp_workbench.views.message_rows import BEGINNING
from mcp_workbench.views.messages import Messages, PanelFilter, Watch
from tests.views.rig import no_server
from tests.views.wire_log import WireLog

IN, OUT = Direction.IN, Direction.OUT


class Look(WireLog):
    """A memory, and a feed that looks at it."""

    def __init__(self, **bounds: int) -> None:
        super().__init__(**bounds)
        self.feed = MessagesFeed(no_server(self.telemetry))

    def watch(self, text: str = "") -> Look:
        self.feed.watch(Watch(panels=("messages",), filters=(PanelFilter(panel="messages", text=text),) if text else ()))
        return self

    def look(self) -> Messages | None:
        told = list(self.feed.look(0.0))
        assert len(told) <= 1
        return cast(Messages, told[0]) if told else None

    def seqs(self) -> list[int]:
        told = self.look()
        return [] if told is None else [row.seq for row in told.rows]


def test_a_row_says_what_the_message_is_and_how_what_it_carries_begins() -> None:
    log = Look().watch()
    log.said(IN, id=7, method="tools/call", params={"name": "add", "arguments": {"a": 1}})
    log.said(OUT, id=7, result={"resultType": "complete", "_meta": {"x": 1}, "content": [{"type": "text", "text": "2"}]})
    log.said(OUT, session="tap1", method="notifications/tools/list_changed")
    log.text(IN, b"{no")
    told = log.look()
    assert told is not None
    request, answer, notification, garbage = told.rows
    assert (request.kind, request.id, request.method, request.target, request.out) == ("request", "7", "tools/call", "add", False)
    assert request.beginning == '{"a":1}'
    assert (answer.kind, answer.id, answer.out, answer.belongs) == ("response", "7", True, request.begins)
    assert answer.beginning == "2"
    assert (notification.kind, notification.session, notification.method) == ("notification", "tap1", "notifications/tools/list_changed")
    assert (garbage.kind, garbage.beginning, garbage.size) == ("malformed", "{no", 3)
    assert log.look() is None


def test_whole_texts_are_in_no_row() -> None:
    log = Look().watch()
    log.said(OUT, id=1, result={"text": "x" * 100_000})
    told = log.look()
    assert told is not None
    assert len(told.rows[0].beginning) == BEGINNING
    assert told.rows[0].size > 100_000


def test_texts_that_were_pushed_out_say_so_and_where_texts_begin_is_told() -> None:
    log = Look(max_bytes=500).watch()
    for n in range(3):
        log.said(IN, id=n, method="ping", params={"x": "y" * 150})
    told = log.look()
    assert told is not None
    assert [(row.gone, row.kind) for row in told.rows] == [(True, ""), (False, "request"), (False, "request")]
    assert (told.oldest, told.oldest_text, told.newest) == (1, 2, 3)


def test_a_view_that_begins_is_told_the_latest_and_from_where_on() -> None:
    log = Look()
    for n in range(HISTORY + 10):
        log.said(IN, id=n, method="ping")
    log.watch()
    told = log.look()
    assert told is not None
    assert (told.since, [row.seq for row in told.rows]) == (11, list(range(11, AT_ONCE + 11)))


def test_where_more_cross_than_fit_the_newest_are_told_and_the_others_counted() -> None:
    log = Look().watch()
    log.look()
    for n in range(AT_ONCE + 5):
        log.said(IN, id=n, method="ping")
    told = log.look()
    assert told is not None
    assert (told.skipped, told.rows[0].seq) == (5, 6)


def test_of_long_texts_fewer_are_read_at_once_and_one_too_long_is_not_read_at_all() -> None:
    log = Look().watch()
    log.look()
    for n in range(5):
        log.said(OUT, id=n, result={"text": "x" * (BYTES_AT_ONCE // 3)})
    told = log.look()
    assert told is not None
    assert ([row.seq for row in told.rows], told.skipped) == ([4, 5], 3)
    log.said(OUT, id=9, result={"text": "x" * 2 * MIB})
    told = log.look()
    assert told is not None
    [row] = told.rows
    assert (row.kind, row.gone) == ("", False)


def test_a_filter_is_told_what_fits_from_the_beginning_and_without_one_everything_again() -> None:
    log = Look().watch()
    for n in range(4):
        log.said(IN, id=n, method="ping" if n % 2 else "tools/list")
    assert log.seqs() == [1, 2, 3, 4]
    log.watch("method:ping")
    told = log.look()
    assert told is not None
    assert ([row.seq for row in told.rows], told.filter) == ([2, 4], "method:ping")
    log.said(IN, id=5, method="tools/list")
    assert log.look() is None, "nothing that fits is no news"
    log.watch()
    assert log.seqs() == [1, 2, 3, 4, 5]


def test_a_filter_that_cannot_be_read_lets_nothing_through() -> None:
    log = Look()
    log.said(IN, id=1, method="ping")
    log.watch("mehtod:ping")
    told = log.look()
    assert told is not None
    assert (told.rows, told.filter) == ((), "mehtod:ping")


def test_a_filter_for_a_tool_tells_its_answers_too_also_where_the_request_came_right_before_what_is_told() -> None:
    log = Look()
    log.said(IN, id=1, method="tools/call", params={"name": "add"})
    for n in range(HISTORY):
        log.said(IN, id=f"p{n}", method="ping")
    log.watch("tool:add")
    answered = log.said(OUT, id=1, result={})
    told = [seq for _ in range(HISTORY // AT_ONCE + 1) for seq in log.seqs()]
    assert told == [answered.seq], "its request was not told, and is known"
