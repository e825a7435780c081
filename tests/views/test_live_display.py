"""A display renews itself at most every interval, only when something changed, and ends cleanly."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from queue import Queue
from typing import Any
from unittest.mock import patch

import pytest

from mcp_workbench.views.facts import View
from mcp_workbench.views.live_display import BEAT, INTERVAL_S, SELDOM, LiveDisplay
from mcp_workbench.views.words import moment

NOON = 1.7e9
SERVING = View("trips", "ws://127.0.0.1:1/mcp", 1.7e9)


class Stage:
    """A host's display and a clock that a test turns by hand."""

    def __init__(self) -> None:
        self.view = SERVING
        self.shown: list[str] = []
        self.here: list[str] = []
        self.viewers = 0
        self.waits: list[float] = []
        self._ticks: Queue[bool] = Queue()
        self._asked: Queue[None] = Queue()

    def display(self, bundle: Mapping[str, Any]) -> Stage | None:
        self(bundle)
        return self

    def __call__(self, bundle: Mapping[str, Any], /, *, here: bool = False) -> None:
        self.shown.append(bundle["text/plain"])
        if here:
            self.here.append(bundle["text/plain"])

    def look(self) -> View:
        return self.view

    def wait(self, ending: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self._asked.put(None)
        return self._ticks.get(timeout=5)

    def tick(self) -> None:
        """Let one interval pass, until the display has looked and waits again."""
        self._ticks.put(False)
        self._asked.get(timeout=5)

    def begin(self) -> LiveDisplay:
        clock: dict[str, Any] = {"wait": self.wait, "now": lambda: NOON + len(self.shown)}
        shown = LiveDisplay(self.look, "all", mark="mark", viewers=lambda: self.viewers, **clock).show(self.display)
        self._asked.get(timeout=5)
        return shown

    def rest(self, display: LiveDisplay) -> None:
        self._ticks.put(True)
        display.rest()

    def go_on(self, display: LiveDisplay) -> None:
        display.go_on()
        self._asked.get(timeout=5)

    def move(self, display: LiveDisplay) -> None:
        self._ticks.put(True)
        display.move()


def test_nothing_is_sent_while_nothing_changes_and_one_thing_per_interval_when_it_does() -> None:
    stage = Stage()
    display = stage.begin()
    for _ in range(3):
        stage.tick()
    assert len(stage.shown) == 1
    for failed in (1, 2, 3):
        stage.view = replace(SERVING, failed=failed)
    stage.tick()
    assert len(stage.shown) == 2
    assert "3 calls failed" in stage.shown[-1]
    assert set(stage.waits) == {INTERVAL_S}
    assert INTERVAL_S >= 0.5  # at most twice a second
    stage.rest(display)


def test_what_does_not_change_is_sent_again_every_minute_so_that_an_old_display_is_seen_to_be_old() -> None:
    stage = Stage()
    display = stage.begin()
    for _ in range(BEAT - 1):
        stage.tick()
    assert len(stage.shown) == 1
    stage.tick()
    assert BEAT * INTERVAL_S == 60
    assert len(stage.shown) == 2
    first, again = (text.split("(as of ")[1].split(")")[0] for text in stage.shown)
    assert (first, again) == (moment(NOON), moment(NOON + 1))
    stage.tick()
    assert len(stage.shown) == 2
    stage.rest(display)


def test_while_somebody_watches_by_other_means_it_is_renewed_every_ten_seconds_and_its_age_tells_nothing() -> None:
    stage = Stage()
    stage.viewers = 1
    display = stage.begin()
    for failed in range(1, SELDOM):
        stage.view = replace(SERVING, failed=failed)
        stage.tick()
    assert len(stage.shown) == 1
    stage.tick()
    assert SELDOM * INTERVAL_S == 10
    assert f"{SELDOM - 1} calls failed" in stage.shown[-1]
    for _ in range(2 * BEAT):
        stage.tick()
    assert len(stage.shown) == 2
    stage.viewers = 0
    stage.tick()
    assert len(stage.shown) == 3
    stage.rest(display)


def test_what_a_cell_has_changed_is_shown_as_an_output_of_that_cell_and_only_if_it_differs() -> None:
    stage = Stage()
    stage.viewers = 1
    display = stage.begin()
    display.cell_ended()
    assert len(stage.shown) == 1
    stage.view = replace(SERVING, failed=1)
    display.cell_ended()
    assert stage.here == [stage.shown[-1]]
    assert "1 call failed" in stage.shown[-1]
    stage.rest(display)
    stage.view = replace(SERVING, failed=2)
    display.cell_ended()
    assert len(stage.here) == 1  # it rests


def test_a_fault_at_the_end_of_a_cell_reaches_the_log_and_not_the_cell(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    display = stage.begin()
    with patch.object(display, "_look", side_effect=OSError("no facts")):
        display.cell_ended()
    assert "could not be renewed at the end of a cell" in caplog.text
    stage.rest(display)


def test_a_display_goes_on_after_a_rest() -> None:
    stage = Stage()
    display = stage.begin()
    stage.view = View("trips", None)
    stage.rest(display)
    assert "is stopped" in stage.shown[-1]
    stage.view = SERVING
    stage.go_on(display)
    stage.tick()
    assert "serves at" in stage.shown[-1]
    stage.rest(display)
    stage.move(display)
    assert stage.shown[-1] == "moved to the newer display"
    assert not [thread for thread in threading.enumerate() if thread.name == "mcp-workbench-display"]


def test_the_last_state_is_shown_once_and_no_thread_is_left() -> None:
    stage = Stage()
    display = stage.begin()
    stage.view = View("trips", None)
    stage.rest(display)
    assert [text for text in stage.shown if "is stopped" in text] == stage.shown[1:] == [stage.shown[-1]]
    assert not [thread for thread in threading.enumerate() if thread.name == "mcp-workbench-display"]


def test_a_display_whose_place_is_taken_says_so() -> None:
    stage = Stage()
    stage.move(stage.begin())
    assert stage.shown[1:] == ["moved to the newer display"]


def test_where_nothing_can_be_renewed_it_is_shown_once_and_without_a_thread() -> None:
    shown: list[Mapping[str, Any]] = []
    display = LiveDisplay(lambda: SERVING, "all").show(shown.append)
    display.rest()
    display.go_on()
    display.move()
    assert len(shown) == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "mcp-workbench-display"]


def test_a_front_end_that_is_gone_ends_the_display_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    display = stage.begin()

    def gone(_: Mapping[str, Any], /, *, here: bool = False) -> None:
        raise OSError("closed")

    display._renew = gone
    stage.rest(display)
    assert "can no longer be renewed" in caplog.text
