"""The HTML of a view: everything that others named is text, nothing is loaded, nothing runs."""

from __future__ import annotations

from dataclasses import fields, replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.views.facts import BARS, OPEN_CALLS, CallFacts, OpenCallFacts, SessionFacts, ToolFacts, View
from mcp_workbench.views.html_view import render_html, render_moved
from mcp_workbench.views.text_view import render_text, sparkline
from mcp_workbench.views.words import date, moment

CALL = CallFacts("c1", 1.7e9, "add", "ok", False, 4_200_000, "claude-code")
FAILED = replace(CALL, outcome="tool_error", failed=True, error="KeyError: 'dely' (in add, line 4)")
TOOL = ToolFacts("add", 23, 1, 4_200_000, 9_800_000, (0,) * 5 + (4, 18, 1) + (0,) * 6)
SESSION = SessionFacts("s1", "claude-code 2.1", "2025-11-25 legacy", "default", 23, 1)
VIEW = View(
    "trips", "ws://127.0.0.1:1/mcp", 1.7e9, (SESSION,), (FAILED, CALL), (TOOL,), 3, ("flights v3, 336,776 x 19",), ("moved to threads",), 1
)


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles = ""
        self.texts: list[str] = []
        self.titles: list[str] = []
        self.depth = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += 1
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += dict(attrs).get("style") or ""
        self.titles += [value for name, value in attrs if name == "title" and value]

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


RUNNING = OpenCallFacts("j3", "fit_model", "claude-code", 95, "62 %, epoch 3 of 5")


def test_what_goes_on_is_named_with_how_far_it_is_and_what_it_waits_for() -> None:
    waiting = OpenCallFacts("c4", "plot", "codex", 12, waits="behind cell [12], running 12 s")
    parked = OpenCallFacts("", "notebook_status", "codex", 30, waits="news")
    busy = replace(VIEW, running=(RUNNING, waiting, parked), main_thread="main thread: busy with draw (c9) for codex; cells wait for it")
    page = Reader(render_html(busy)).texts
    for text in (
        "running now",
        "j3",
        "fit_model",
        "runs, 62 %, epoch 3 of 5",
        "95 s",
        "waits behind cell [12], running 12 s",
        "waits for news",
        "–",
        busy.main_thread,
    ):
        assert text in page
    assert "  running now: j3  fit_model  runs, 62 %, epoch 3 of 5  95 s  claude-code" in (lines := render_text(busy).split("\n"))
    assert f"  {busy.main_thread}" in lines
    assert "running now" not in render_html(VIEW)
    crowded = replace(VIEW, running=(RUNNING,) * (OPEN_CALLS + 2))
    assert "and 2 more calls" in render_html(crowded)
    assert "and 2 more calls" in render_text(crowded)


def test_it_says_of_when_it_is() -> None:
    page = Reader(render_html(VIEW, at=1.7e9))
    assert f"as of {moment(1.7e9)}" in page.texts
    assert date(1.7e9) in page.titles[0]
    assert "the kernel has ended or was restarted, or this is a saved copy" in page.titles[0]
    assert f"(as of {moment(1.7e9)})" in render_text(VIEW, at=1.7e9).split("\n")[0]


def _named(text: str) -> View:
    """A view in which everything that somebody else names is called this."""
    return View(
        text,
        "ws://127.0.0.1:1/mcp",
        1.7e9,
        (replace(SESSION, client=text, principal=text),),
        (replace(FAILED, target=text, who=text, error=text), replace(CALL, target=text, who=text, behind=text)),
        (replace(TOOL, name=text),),
        1,
        (text,),
        (text,),
        running=(OpenCallFacts("c7", text, text, 3, text), OpenCallFacts("", text, text, 3, waits=text)),
        main_thread=text,
    )


def test_what_a_call_has_waited_for_stands_beside_it() -> None:
    view = replace(VIEW, calls=(replace(CALL, behind="cell [12], running 8 s"),))
    assert "behind cell [12], running 8 s" in Reader(render_html(view)).texts
    assert "claude-code  behind cell [12], running 8 s" in render_text(view)
    assert "behind" not in render_text(VIEW)


def test_every_fact_of_a_view_is_on_it() -> None:
    text = " ".join(" ".join(Reader(render_html(VIEW)).texts).split())
    for fact in (
        "mcp_workbench",
        "serving",
        "trips",
        "ws://127.0.0.1:1/mcp",
        "3 tools offered",
        "claude-code 2.1",
        "2025-11-25 legacy",
        "as default",
        "23 calls",
    ):
        assert fact in text
    for fact in ("1 running", "✓ ok", "✗ error", "4.2 ms", "KeyError: 'dely' (in add, line 4)", "9.8 ms", "flights v3, 336,776 x 19"):
        assert fact in text
    for fact in ("note: moved to threads", "1 call failed: %mcp error shows it, %mcp debug runs it again in the debugger"):
        assert fact in text


def test_what_went_wrong_stands_below_its_call_and_has_room() -> None:
    page = render_html(VIEW)
    texts = Reader(page).texts
    assert texts[texts.index("KeyError: 'dely' (in add, line 4)") - 1] == "claude-code"
    assert page.count("grid-column:2/-1") == 1
    crowded = replace(VIEW, calls=(replace(FAILED, target="df://flights/rows?" + "x" * 500),))
    assert "fit-content(" in render_html(crowded)  # a long name leaves the other columns their room


def test_mistakes_of_callers_are_counted_apart_and_without_alarm() -> None:
    view = replace(VIEW, failed=0, mistakes=12, last_mistake="x3")
    texts = " ".join(Reader(render_html(view)).texts)
    assert "12 mistakes of callers: %mcp error x3 shows the last one" in " ".join(texts.split())
    assert "failed" not in texts
    assert "  12 mistakes of callers: %mcp error x3 shows the last one" in render_text(view)


def test_names_keep_their_beginning_however_narrow_the_window_is() -> None:
    page = render_html(replace(VIEW, tools=(replace(TOOL, name="monthly_revenue_by_region"), TOOL)))
    assert 'min-width:18ch" title="monthly_revenue_by_region"' in page
    assert 'min-width:3ch" title="add"' in page


def test_magics_in_the_hint_are_set_as_code() -> None:
    texts = Reader(render_html(VIEW)).texts
    assert "%mcp error" in texts
    assert "%mcp debug" in texts


def test_it_waits_for_an_agent_until_there_is_one() -> None:
    lonely = replace(VIEW, sessions=())
    assert "%mcp config claude-code" in render_html(lonely)
    assert "%mcp config claude-code" in render_text(lonely)
    assert "%mcp config" not in render_html(VIEW) + render_text(VIEW)


def test_a_stopped_workbench_says_how_to_go_on_and_keeps_its_calls() -> None:
    stopped = replace(VIEW, url=None, since=None, sessions=(), notices=())
    text = " ".join(Reader(render_html(stopped)).texts)
    assert "stopped" in text
    assert "wb.start() starts it" in text
    assert "waiting for your agent" not in text
    assert "✗ error" in text


@pytest.mark.parametrize("panel", ["all", "messages", "timeline", "latency"])
@given(text=st.text(min_size=1, max_size=30) | st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=y>', "\x1b[31m‮", "]]>"]))
def test_whatever_others_named_is_text(panel: str, text: str) -> None:
    page = render_html(_named(text), panel)
    reader = Reader(page)
    assert reader.tags == {"div", "span"}
    assert reader.attributes <= {"style", "title"}
    assert reader.depth == 0
    assert "url(" not in reader.styles
    assert all(character.isprintable() for character in page)
    assert all(line.isprintable() for line in render_text(_named(text), panel).split("\n"))


def test_it_stays_small_however_much_there_is_and_however_long_the_names_are() -> None:
    crowd = replace(
        _named("x" * 100_000),
        sessions=(SESSION,) * 500,
        calls=(replace(FAILED, error="y" * 100_000),) * 8,
        tools=(TOOL,) * 8,
        dataframes=("z" * 100_000,) * 200,
        notices=("n" * 1000,) * 20,
    )
    page = render_html(crowd)
    assert len(page) < 40_000
    assert "and 496 more sessions" in page
    assert "and 194 more DataFrames" in page


def test_the_latency_panel_has_state_and_tools_only() -> None:
    text = " ".join(Reader(render_html(VIEW, "latency")).texts)
    assert "serving" in text
    assert "9.8 ms" in text
    assert "last calls" not in text
    assert "claude-code" not in text


def test_the_timeline_has_the_last_calls_against_time_and_messages_are_counted() -> None:
    page = render_html(VIEW, "timeline")
    texts = Reader(page).texts
    assert any(text.startswith("last calls, ") for text in texts)
    assert page.count("position:absolute") == len(VIEW.calls)
    told = " ".join(Reader(render_html(replace(VIEW, messages=1_234), "messages")).texts)
    assert "1,234 messages crossed" in told
    assert "1,234 messages crossed" in render_text(replace(VIEW, messages=1_234), "messages")


def test_a_moved_display_is_one_line() -> None:
    assert Reader(render_moved()).texts == ["moved to the newer display"]


def test_a_histogram_in_text_shows_every_bar_that_is_not_empty() -> None:
    assert sparkline((0, 1, 1000, 500)) == " ▁█▄"
    assert sparkline((0,) * BARS) == " " * BARS


def test_no_fact_has_a_place_for_the_token() -> None:
    names = {field.name for facts in (View, SessionFacts, CallFacts, ToolFacts) for field in fields(facts)}
    assert not [name for name in names if "token" in name or "secret" in name]


def test_what_was_cancelled_is_neither_well_nor_wrong_and_serving_says_of_when() -> None:
    texts = Reader(render_html(replace(VIEW, calls=(replace(CALL, outcome="cancelled", failed=False),)), at=1.7e9)).texts
    assert "– cancelled" in texts
    serving = texts.index("serving")
    assert texts[serving + 1].startswith("as of ")


def test_a_long_line_of_a_dataframe_is_cut_at_the_frame_and_can_be_read_whole() -> None:
    line = "hourly_weather_of_all_airports v3, 336,776 x 19"
    drawn = render_html(replace(VIEW, dataframes=(line,)))
    assert f'text-overflow:ellipsis;max-width:100%" title="{line}"' in drawn
