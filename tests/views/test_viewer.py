"""One connection of a view, from its first message to its end."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.version import __version__
from mcp_workbench.views.asks import FAILED, Action, Ask
from mcp_workbench.views.messages import VIEW_PROTOCOL, Done, GetOlder, HistogramKey, Open, OpenCall, OpenCalls, Sessions, Stop, Watch
from mcp_workbench.views.viewer import HISTOGRAMS, STUCK_S, UNANSWERED
from tests.views.rig import OPEN, FakeFeed, View


def test_the_kernel_speaks_first() -> None:
    [hello] = View().heard()
    assert hello == {"type": "hello", "viewProtocol": VIEW_PROTOCOL, "version": __version__, "now": 100.0, "kernelId": "k1"}
    assert View(transport="comm").heard()[0]["waitsForCells"] is True


def test_what_is_watched_is_told_at_once_and_then_at_each_look() -> None:
    calls, sessions = FakeFeed("calls"), FakeFeed("sessions")
    calls.news, sessions.news = [OpenCalls()], [Sessions()]
    view = View(calls, sessions).opened()
    view.say(Watch(panels=("calls",)))
    assert view.types == ["openCalls"]
    calls.news = [OpenCalls(more=1), OpenCalls(more=2)]
    view.viewer.look(101.0)
    assert [message.get("more") for message in view.heard()] == [1, 2]
    view.viewer.look(102.0)
    assert (view.types, calls.looks, sessions.looks) == ([], [100.0, 101.0, 102.0], [])
    assert len(sessions.wanted) == 2, "also who is not watched hears what is"


def test_a_view_watches_so_many_histograms_and_no_more() -> None:
    latency = FakeFeed("latency")
    view = View(latency).opened()
    keys = tuple(HistogramKey(tool=f"f{n}", phase="run") for n in range(HISTOGRAMS + 1))
    view.say(Watch(panels=("latency",), histograms=keys[1:]))
    assert view.channel.closes == []
    heard = len(latency.wanted)
    view.say(Watch(panels=("latency",), histograms=keys))
    assert view.channel.closes == [(1008, "a view watches 64 histograms at most, and this one wanted 65")]
    assert len(latency.wanted) == heard


def test_a_view_that_does_not_read_is_told_later_what_has_become_of_it_all() -> None:
    calls = FakeFeed("calls")
    view = View(calls).opened("calls")
    view.channel.room = 0
    calls.news = [OpenCalls()]
    view.viewer.look(101.0)
    assert (view.types, calls.looks) == ([], [100.0])
    view.channel.drain()
    view.viewer.look(102.0)
    assert (view.types, calls.looks) == (["openCalls"], [100.0, 102.0])


def test_a_view_that_never_reads_is_let_go() -> None:
    view = View().opened()
    view.channel.room = 0
    for now in (101.0, 101.0 + STUCK_S - 1):
        view.viewer.look(now)
    assert not view.channel.aborted
    view.channel.drain(room=1)
    view.viewer.look(200.0)
    view.channel.room = 0
    view.viewer.look(201.0)
    view.viewer.look(201.0 + STUCK_S)
    assert (view.channel.aborted, view.home.gone) == (True, [view.viewer])


def test_one_that_asks_and_does_not_read_is_not_read_either() -> None:
    view = View().opened()
    view.channel.room = 1
    view.say(Stop(id=1, key="j1"))
    assert view.channel.paused
    view.channel.drain()
    assert not view.channel.paused


@pytest.mark.parametrize("fault", ["look", "watch"])
def test_a_feed_that_fails_is_told_no_more_and_costs_the_others_nothing(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    broken, sound = FakeFeed("calls"), FakeFeed("calls")
    broken.fault, sound.news = fault, [OpenCalls()]
    view = View(broken, sound)
    view.channel.deliver(OPEN)
    view.say(Watch(panels=("calls",)))
    assert view.types == ["hello", "openCalls"]
    view.viewer.look(101.0)
    view.say(Watch(panels=("calls",)))
    assert (len(broken.looks), len(broken.wanted), len(sound.looks)) == (fault == "look", 1, 3)
    assert "FakeFeed could not tell" in caplog.text


# --- who may talk to whom -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "which", "where"),
    [
        (VIEW_PROTOCOL - 1, "this view is older", "in the environment that runs JupyterLab"),
        (VIEW_PROTOCOL + 1, "the kernel is older", "in the kernel's environment"),
    ],
)
def test_another_version_is_told_which_side_to_upgrade_and_how(theirs: int, which: str, where: str) -> None:
    view = View()
    view.heard()
    view.say(Open(view_protocol=theirs, version="9.9\n"))
    [refused] = view.heard()
    assert refused["type"] == "refused"
    assert which in refused["sentence"]
    assert where in refused["sentence"]
    assert "9.9\\n" in refused["sentence"]
    assert refused["command"] == "pip install -U /path/to/mcp_workbench"
    assert view.channel.closes == [(1008, "this view and this kernel do not speak the same")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{nonsense", 1007),
        (b"\xff\xfe", 1007),
        (b"[" * 5000, 1007),
        (b"[]", 1007),
        (b"{}", 1007),
        (b'{"type": 7}', 1007),
        (b'{"type": "watch", "panels": "calls"}', 1008),
        (b'{"type": "stop", "id": 1}', 1008),
    ],
)
def test_what_is_no_message_ends_the_connection_with_a_sentence(text: bytes, code: int) -> None:
    view = View().opened()
    view.channel.deliver(text)
    [(closed_with, sentence)] = view.channel.closes
    assert closed_with == code
    assert sentence.startswith("expected ")
    assert len(sentence.encode()) <= 123


def test_a_view_that_does_not_begin_with_open_is_told_so() -> None:
    view = View()
    view.say(Watch(panels=("calls",)))
    assert view.channel.closes == [(1008, "expected a message of type open first")]


def test_a_message_of_a_newer_view_is_ignored_and_counted() -> None:
    view = View().opened()
    view.channel.deliver(b'{"type": "rotate", "angle": {"deep": [1, 2]}}')
    assert (view.types, view.viewer.ignored, view.channel.closes) == ([], 1, [])


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,typewatchpanels1 ', max_size=40).map(str.encode))
def test_no_bytes_raise(text: bytes) -> None:
    view = View().opened()
    view.channel.deliver(text)
    assert view.viewer.ignored or [code for code, _ in view.channel.closes] in ([1007], [1008])


def test_what_comes_behind_the_end_is_dropped() -> None:
    feed = FakeFeed("calls")
    view = View(feed).opened("calls")
    view.viewer.close(1001, "the server is stopping")
    view.viewer.close(1008, "twice")
    view.say(Watch(panels=("calls",)))
    view.viewer.look(101.0)
    view.channel.end()
    assert (feed.looks, view.channel.closes, view.home.gone) == ([100.0], [(1001, "the server is stopping")], [view.viewer])


# --- what it asks for ---------------------------------------------------------------------------------------------


def test_requests_are_answered_by_the_action_for_their_type() -> None:
    def done(ask: Ask[Any]) -> None:
        ask.done(f"stopped {ask.request.key}")

    view = View(actions={Stop: done}).opened()
    view.say(Stop(id=7, key="j1"))
    view.say(GetOlder(id=8, before=1, limit=1))
    stopped, unknown = view.heard()
    assert stopped == {"type": "done", "re": 7, "ok": True, "sentence": "stopped j1"}
    assert (unknown["re"], unknown["ok"]) == (8, False)
    assert "cannot do that" in unknown["sentence"]


def test_an_action_that_fails_is_a_fault_of_ours_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    def fail(ask: Ask[Any]) -> None:
        raise KeyError("action")

    view = View(actions={Stop: fail}).opened()
    view.say(Stop(id=7, key="j1"))
    [answer] = view.heard()
    assert (answer["re"], answer["ok"], "fault of the workbench" in answer["sentence"]) == (7, False, True)
    assert "KeyError" in caplog.text


def test_only_so_many_requests_wait_for_their_answers() -> None:
    waiting: list[Ask[Any]] = []
    actions: dict[type[Any], Action] = {GetOlder: waiting.append, Stop: lambda ask: ask.done("stopped")}
    view = View(actions=actions).opened()
    for number in range(UNANSWERED + 1):
        view.say(GetOlder(id=number, before=1, limit=1))
    [refused] = view.heard()
    assert (refused["re"], refused["ok"], len(waiting)) == (UNANSWERED, False, UNANSWERED)
    waiting[0].answer(Done(re=0, ok=True, sentence=""))
    view.say(GetOlder(id=99, before=1, limit=1))
    assert len(waiting) == UNANSWERED + 1
    view.heard()
    view.say(Stop(id=100, key="j1"))
    [stopped] = view.heard()
    assert (stopped["re"], stopped["sentence"]) == (100, "stopped"), "it may be what the others wait for"


def test_half_of_a_surrogate_pair_is_told_as_its_escape() -> None:
    running = FakeFeed("running")
    view = View(running).opened("running")
    call = OpenCall(key="s1.1", target="caf\udce9", method="tools/call", session="s1", principal="p", at=1.0, message="caf\udce9.txt")
    running.news = [OpenCalls(rows=(call,))]
    view.viewer.look(101.0)
    [told] = view.heard()
    assert [(row["target"], row["message"]) for row in told["rows"]] == [("caf\\udce9", "caf\\udce9.txt")]


def test_a_message_that_cannot_be_written_costs_neither_its_feed_nor_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    running, unwritable = FakeFeed("running"), OpenCalls(more=cast(int, object()))
    actions: dict[type[Any], Action] = {Stop: lambda ask: ask.answer(Done(re=ask.request.id, ok=True, sentence=cast(str, object())))}
    view = View(running, actions=actions).opened("running")
    for more in (1, 2):
        running.news = [unwritable, OpenCalls(more=more)]
        view.viewer.look(101.0)
        assert [message["more"] for message in view.heard()] == [more]
    assert caplog.text.count("was left out: OpenCalls") == 1
    view.say(Stop(id=7, key="j1"))
    [answer] = view.heard()
    assert (answer["re"], answer.get("ok", False), answer["sentence"]) == (7, False, FAILED)


def test_at_the_end_it_is_told_how_it_all_stands_also_where_it_does_not_read() -> None:
    calls, sessions = FakeFeed("calls"), FakeFeed("sessions")
    view = View(calls, sessions).opened("calls")
    view.channel.room = 0
    calls.news = [OpenCalls(more=1)]
    view.viewer.say_goodbye(101.0, 1001, "the server is stopping")
    assert (view.types, calls.last, sessions.looks) == (["openCalls"], True, [])
    assert view.channel.closes == [(1001, "the server is stopping")]
    view.viewer.say_goodbye(102.0, 1001, "again")
    assert len(view.channel.closes) == 1
