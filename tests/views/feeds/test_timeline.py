"""The feed of the timeline: bars and marks, each told once."""

from __future__ import annotations

from typing import cast

import pandas as pd

from mcp_workbench.telemetry import Direction, Outcome
from mcp_workbench.views.feeds.timeline import AT_ONCE, HISTORY, MARKS_AT_ONCE, TimelineFeed
from mcp_workbench.views.messages import PanelFilter, Timeline, Watch
from tests.views.rig import no_server
from tests.views.wire_log import WireLog

WATCH = Watch(panels=("timeline",))


class Look(WireLog):
    """A memory, and a feed that looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.sources = no_server(self.telemetry)
        self.feed = TimelineFeed(self.sources)

    def look(self) -> Timeline | None:
        told = list(self.feed.look(0.0))
        assert len(told) <= 1
        return cast(Timeline, told[0]) if told else None


def test_a_call_is_a_bar_with_its_parts_and_is_told_once() -> None:
    log = Look()
    log.feed.watch(WATCH)
    assert (log.look(), log.look()) == (Timeline(), None), "that there is nothing is told once"
    call = log.call(outcome=Outcome.TOOL_ERROR)
    told = log.look()
    assert told is not None
    [span] = told.spans
    assert (span.seq, span.at, span.session, span.target, span.outcome) == (1, call.received_at, "s1", "add", "tool_error")
    assert (span.total_us, span.wait_us, span.run_us) == (4, 1, 2)
    assert log.look() is None


def test_notifications_of_both_directions_are_marks_and_nothing_else_is() -> None:
    log = Look()
    log.feed.watch(WATCH)
    log.call()
    log.said(Direction.OUT, method="notifications/progress", params={"progressToken": 1, "progress": 1})
    log.said(Direction.IN, method="notifications/cancelled", params={"requestId": 5})
    log.text(Direction.IN, b'{"method"')
    told = log.look()
    assert told is not None
    assert [(mark.kind, mark.text, mark.out, mark.session, mark.seq) for mark in told.marks] == [
        ("notification", "notifications/progress", True, "s1", 3),
        ("notification", "notifications/cancelled", False, "s1", 4),
    ]


def test_each_version_of_a_dataframe_is_a_mark_once() -> None:
    log = Look()
    dataframes = log.sources.offer.dataframes
    log.feed.watch(WATCH)
    log.look()
    dataframes.publish("flights", pd.DataFrame({"a": [1]}))
    dataframes.publish("flights", pd.DataFrame({"a": [1, 2]}))
    told = log.look()
    assert told is not None
    assert [mark.text.partition(":")[0] for mark in told.marks] == ["flights v1", "flights v2"]
    assert {mark.kind for mark in told.marks} == {"version"}
    assert log.look() is None
    dataframes.unpublish("flights")
    assert log.look() is None


def test_of_too_many_at_once_the_newest_are_told_and_the_others_counted() -> None:
    log = Look()
    log.feed.watch(WATCH)
    log.look()
    for n in range(AT_ONCE + 3):
        log.call(request_id=n)
    for _ in range(MARKS_AT_ONCE + 2):
        log.said(Direction.OUT, method="notifications/message")
    told = log.look()
    assert told is not None
    assert (told.skipped, told.spans[0].seq, told.skipped_marks, len(told.marks)) == (3, 4, 2, MARKS_AT_ONCE)


def test_a_view_that_begins_is_told_the_latest_in_pieces() -> None:
    log = Look()
    for n in range(HISTORY + 1):
        log.call(request_id=n)
    log.feed.watch(WATCH)
    spans = []
    while (told := log.look()) is not None:
        assert len(told.spans) <= AT_ONCE
        spans += [span.seq for span in told.spans]
    assert spans == list(range(2, HISTORY + 2))


def filtered(text: str) -> Watch:
    return Watch(panels=("timeline",), filters=(PanelFilter(panel="timeline", text=text),))


def test_a_filter_is_told_the_calls_that_fit_from_the_beginning_and_without_one_everything_again() -> None:
    log = Look()
    log.sources.offer.dataframes.publish("flights", pd.DataFrame({"a": [1]}))
    log.feed.watch(WATCH)
    for tool in ("add", "sum", "add"):
        log.call(tool)
    log.said(Direction.OUT, method="notifications/message", params={"level": "info", "data": "sum"})
    everything = log.look()
    log.feed.watch(filtered("tool:sum"))
    told = log.look()
    assert told is not None
    assert ([span.seq for span in told.spans], told.filter, told.skipped) == ([2], "tool:sum", 0)
    assert [mark.kind for mark in told.marks] == ["version"], "what is published is told whatever the filter says"
    log.call("add")
    assert log.look() is None
    log.call("sum")
    told = log.look()
    assert told is not None
    assert [span.seq for span in told.spans] == [5]
    log.feed.watch(WATCH)
    told = log.look()
    assert everything is not None
    assert told is not None
    assert ([span.seq for span in told.spans], told.filter) == ([1, 2, 3, 4, 5], "")
    assert [mark.kind for mark in told.marks] == [mark.kind for mark in everything.marks] == ["notification", "version"]


def test_notifications_fit_a_filter_as_messages_and_none_fits_what_only_calls_have() -> None:
    log = Look()
    log.call()
    log.said(Direction.OUT, method="notifications/progress", params={"progressToken": 1, "progress": 1})
    log.said(Direction.OUT, session="s2", method="notifications/message", params={})
    for text, sessions, spans in (("session:s2", ["s2"], 0), ("dur:>0ms", [], 1), ("dur:>0ms | session:s2", [], 1)):
        log.feed.watch(filtered(text))
        told = log.look()
        assert told is not None
        assert ([mark.session for mark in told.marks], len(told.spans)) == (sessions, spans), text


def test_where_it_begins_is_told_so_that_what_is_further_back_can_be_asked_for() -> None:
    log = Look()
    for n in range(HISTORY + 3):
        log.call(request_id=n)
    log.feed.watch(filtered("tool:none"))
    told = log.look()
    assert told is not None
    assert (told.spans, told.since, told.filter) == ((), 4, "tool:none")
