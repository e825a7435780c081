"""What is saved holds names of the author and counts, and no text that came from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.views.facts import CallFacts, OpenCallFacts, SessionFacts, ToolFacts, View
from mcp_workbench.views.html_view import render_html
from mcp_workbench.views.keeping import UNKNOWN, author_names, without_data
from mcp_workbench.views.text_view import render_text
from mcp_workbench.views.words import LEFT_OUT, PANELS
from mcp_workbench.workbench import Workbench

SECRET = "s3cr3t-4711"


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("trips")

    @workbench.tool
    def add(a: int) -> int:
        return a

    @workbench.prompt
    def ask() -> str:
        return "?"

    @workbench.resource("weather://{station}")
    def weather(station: str) -> str:
        return station

    @workbench.resource("mark://mark")
    def mark() -> str:
        return ""

    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    workbench._offer.own_tools.offer(offered=True)  # as a start does
    yield workbench
    workbench.stop()


def full_of(text: str) -> View:
    """A view in which every text that is not the author's is this."""
    return View(
        "trips",
        "ws://127.0.0.1:1/mcp",
        1.7e9,
        sessions=(SessionFacts("s3", text, "2025-11-25 legacy", text, 23, 1),),
        calls=(
            CallFacts("c1", 1.7e9, "add", "tool_error", True, 4_200_000, text, text, "cell [12], running 8 s", session_id="s3"),
            CallFacts("", 1.7e9, text, "rpc_error", True, None, text, text, session_id="s4"),
            CallFacts("c3", 1.7e9, f"weather://{text}", "ok", False, 5, text, job="→ job j3", session_id="s3"),
        ),
        tools=(ToolFacts("add", 23, 1, 4_200_000, 9_800_000, ()), ToolFacts(text, 1, 1, None, None, ())),
        dataframes=("flights v3, 336,776 x 19", f"orders v1, 2 x 3 (not followed any more: {text})"),
        notices=(text, text),
        running=(
            OpenCallFacts("c9", "add", text, 12, "62 %", run_id="c9", said=text, session_id="s4"),
            OpenCallFacts("", text, text, 3, waits="news", session_id="s4"),
        ),
        main_thread=f"main thread: busy with add (c9) for {text}; cells wait for it, an interrupt ends it",
        failed=1,
    )


def test_everything_that_came_from_elsewhere_is_replaced_and_the_rest_stays(workbench: Workbench) -> None:
    view = without_data(full_of(SECRET), author_names(workbench._offer))
    assert view.sessions == (SessionFacts("s3", "agent 3", "2025-11-25 legacy", "another token", 23, 1),)
    told = [(call.target, call.who, call.error, call.behind, call.job) for call in view.calls]
    assert told == [
        ("add", "agent 3", "error of the tool", "cell [12], running 8 s", ""),
        (UNKNOWN, "agent 4", "error of the request", "", ""),
        ("weather://{station}", "agent 3", "", "", "→ job j3"),
    ]
    assert [tool.name for tool in view.tools] == ["add", UNKNOWN]
    assert [(call.target, call.standing, call.who) for call in view.running] == [
        ("add", "runs, 62 %", "agent 4"),
        (UNKNOWN, "waits for news", "agent 4"),
    ]
    assert view.main_thread == "main thread: busy with add (c9) for agent 4; cells wait for it, an interrupt ends it"
    assert view.dataframes == ("flights v3, 336,776 x 19", "orders v1, 2 x 3 (not followed any more)")
    assert view.notices == ("2 left out: wb.status() says what",)
    assert (view.name, view.url, view.failed, view.left_out) == ("trips", "ws://127.0.0.1:1/mcp", 1, True)


@pytest.mark.parametrize("panel", PANELS)
def test_no_panel_shows_what_is_left_out_and_each_says_that_it_is(panel: str, workbench: Workbench) -> None:
    view = full_of(SECRET)
    kept = without_data(view, author_names(workbench._offer))
    for drawn in (render_html(kept, panel), render_text(kept, panel)):
        assert SECRET not in drawn
        assert LEFT_OUT in drawn
    if panel != "dataframes":
        assert SECRET in render_html(view, panel)
    assert LEFT_OUT not in render_html(view, panel)


@given(text=st.text(min_size=1, max_size=20).map(lambda text: f"⟪{text}⟫"))
def test_whatever_the_text_it_is_nowhere_in_what_is_saved(text: str, workbench: Workbench) -> None:
    assert text not in repr(without_data(full_of(text), author_names(workbench._offer)))


def test_where_there_is_nothing_to_leave_out_nothing_is_said(workbench: Workbench) -> None:
    view = View("trips", "ws://127.0.0.1:1/mcp", 1.7e9, offered=1, dataframes=("flights v1, 1 x 1",))
    assert without_data(view, author_names(workbench._offer)) is view


def test_equal_views_stay_equal(workbench: Workbench) -> None:
    named = author_names(workbench._offer)
    assert without_data(full_of(SECRET), named) == without_data(full_of("another secret"), named)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("add", "add"),
        ("ask", "ask"),
        ("notebook_status", "notebook_status"),
        ("mark://mark", "mark://mark"),
        (f"weather://{SECRET}", "weather://{station}"),
        ("df://flights", "df://flights"),
        (f"df://flights/rows?where=name={SECRET}", "df://flights/…"),
        (f"df://flights?version={SECRET}", "df://flights/…"),
        (f"df://flights{SECRET}", UNKNOWN),
        (f"df://_r7/rows?where={SECRET}", "df://_r7/…"),
        ("result://_r12", "result://_r12"),
        (f"result://_r7{SECRET}", UNKNOWN),
        (f"{SECRET}://x", UNKNOWN),
        (f"add → job {SECRET}", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_of_a_target_the_authors_part_is_kept(target: str, shown: str, workbench: Workbench) -> None:
    assert author_names(workbench._offer)(target) == shown


def test_the_callers_place_in_the_sentence_of_the_main_thread_is_found_whatever_the_caller_is_called(workbench: Workbench) -> None:
    named = author_names(workbench._offer)
    first = OpenCallFacts("c1", "add", "a", 9, run_id="c1", session_id="s1")
    busy = replace(first, id="c2", run_id="c2", who="alice) for a (c1", session_id="s2")
    sentence = f"main thread: busy with add (c2) for {busy.who}; cells wait for it"
    view = View("trips", None, running=(first, busy), main_thread=sentence)
    assert without_data(view, named).main_thread == "main thread: busy with add (c2) for agent 2; cells wait for it"


def test_a_fact_that_is_added_is_thought_of_here() -> None:
    """Each field is either kept as it is, or replaced by `without_data`: whoever adds one decides which."""
    kept = {
        View: "name url since offered failed mistakes last_mistake messages left_out",
        SessionFacts: "session_id protocol calls running",
        CallFacts: "call_id at outcome failed total_ns behind job session_id is_mistake",
        OpenCallFacts: "id seconds done waits run_id session_id",
        ToolFacts: "calls errors p50_ns p99_ns bars",
    }
    replaced = {
        View: "sessions calls running tools main_thread dataframes notices",
        SessionFacts: "client principal",
        CallFacts: "target who error",
        OpenCallFacts: "target who said",
        ToolFacts: "name",
    }
    for facts, names in kept.items():
        assert {field.name for field in fields(facts)} == {*names.split(), *replaced[facts].split()}, facts


def test_what_a_caller_got_wrong_is_no_error_of_the_tool() -> None:
    view = full_of("x")
    wrong = replace(view, calls=(replace(view.calls[0], is_mistake=True),))
    assert without_data(wrong, lambda _: UNKNOWN).calls[0].error == "mistake of the caller"
