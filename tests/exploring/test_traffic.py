"""`wb.traffic` over a real server, and over records made by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot

from mcp_workbench import Context, Workbench
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import Era
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.filters import FilterError
from mcp_workbench.exploring.recording import read
from mcp_workbench.telemetry import CallRecord, Direction, Message, Outcome
from tests.exploring.rig import calling

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e"


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("explored")

    @workbench.tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def broken(text: str) -> int:
        """Fail."""
        print("about to fail")
        raise ValueError(text)

    @workbench.tool(name="odd-name")
    def odd(timeout_s: int, ctx: Context) -> int:
        """Whose argument is named as something else of `call_tool`."""
        ctx.report_progress(1, 2, "half")
        return timeout_s

    with calling(workbench):
        yield workbench


def run(workbench: Workbench, *steps: tuple[str, dict[str, Any]]) -> None:
    async def main() -> None:
        async with workbench.connect(client_info=None) as session:
            for name, arguments in steps:
                await session.call_tool(name, arguments, on_progress=lambda *_: None)

    asyncio.run(main())


def test_a_call_tells_what_was_asked_and_answered_and_when(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}), ("broken", {"text": "no"}), ("odd-name", {"timeout_s": 9}))
    added, failed, odd = workbench.traffic.calls("method:tools/call")
    assert (added.method, added.target, added.session, added.outcome, added.failed) == ("tools/call", "add", "s1", "ok", False)
    assert (added.arguments, added.result["content"][0]["text"]) == ({"a": 1}, "3")
    assert added.total_ms is not None
    assert added.total_ms == pytest.approx((added.wait_ms or 0) + (added.run_ms or 0) + (added.send_ms or 0))
    assert [step.what for step in added.timeline] == ["request", "started", "returned", "answer"]
    assert (failed.outcome, failed.output, failed.exception is not None) == ("tool_error", "about to fail\n", True)
    assert "ValueError: no" in (failed.traceback or "")
    assert [notice["method"] for notice in odd.notifications] == ["notifications/progress"]
    assert [message.direction.value for message in odd.messages] == ["in", "out", "out"]
    assert "→" in repr(odd.messages), "they show themselves"
    assert "← notifications/progress" in [step.what for step in odd.timeline]


def test_a_list_is_narrowed_sliced_ordered_and_made_a_dataframe(workbench: Workbench) -> None:
    run(workbench, *(("add", {"a": number}) for number in range(5)), ("broken", {"text": "no"}))
    assert [call.method for call in workbench.traffic.calls("-method:tools/call")] == ["server/discover"]
    calls = workbench.traffic.calls("method:tools/call")
    assert len(calls) == 6
    assert [call.target for call in calls.where("outcome:error")] == ["broken"]
    assert len(calls.where("client:mcp-workbench")) == 6
    assert [call.arguments for call in calls[1:3]] == [{"a": 1}, {"a": 2}]
    slowest = [call.total_ms or 0 for call in calls.slowest(3)]
    assert slowest == sorted(slowest, reverse=True)
    assert calls.df()[["tool", "outcome", "client"]].iloc[-1].tolist() == ["broken", "tool_error", "mcp-workbench"]
    assert len(calls.messages) == 12
    assert len(workbench.traffic.messages()) >= 12
    assert workbench.traffic.messages("kind:request tool:broken")[0].raw.startswith(b'{"jsonrpc"')
    with pytest.raises(FilterError, match="outcome"):
        workbench.traffic.calls("outcom:ok")


def test_sums_and_histograms_keep_failure_apart(workbench: Workbench) -> None:
    run(workbench, *(("add", {"a": number}) for number in range(3)), ("broken", {"text": "no"}))
    stats = workbench.traffic.stats(by="tool")
    assert {name: (one.n, one.errors, one.succeeded.count, one.failed.count) for name, one in stats.items()} == {
        "add": (3, 0, 3, 0),
        "broken": (1, 1, 0, 1),
    }
    assert stats.df().loc["add", "n"] == 3
    assert (list(workbench.traffic.histogram(by="tool")), list(workbench.traffic.histogram(by="tool", failed=True))) == (
        ["add"],
        ["broken"],
    )
    assert workbench.traffic.histogram("tool:add").df()["n"].sum() == 3
    with pytest.raises(ValueError, match="nearest: session"):
        workbench.traffic.stats(by="sesion")
    with pytest.raises(ValueError, match="phase is one of"):
        workbench.traffic.stats(phase="later")


def test_the_waterfall_has_a_lane_for_each_session_and_rows_for_what_overlaps(workbench: Workbench) -> None:
    async def main() -> None:
        async with workbench.connect() as one, workbench.connect() as other:
            await asyncio.gather(*(session.call_tool("add", a=1) for session in (one, other) for _ in range(3)))

    asyncio.run(main())
    timeline = workbench.traffic.timeline("tool:add")
    lanes = timeline.lanes()
    assert set(lanes) == {"s1", "s2"}
    for lane in lanes.values():
        for first, second in ((first, second) for first in lane for second in lane if first is not second and first.row == second.row):
            assert first.end_ns <= second.begin_ns or second.end_ns <= first.begin_ns
    assert timeline.df()["begin_ms"].min() == 0
    assert "6 calls" in repr(timeline)


def test_a_call_is_made_again_with_a_change_and_the_new_one_is_given(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}))
    first = workbench.traffic.calls()[-1]
    again = asyncio.run(workbench.traffic.resend(first, a=40))
    assert (again.arguments, again.result["content"][0]["text"], again.record.principal) == ({"a": 40}, "42", "notebook")
    assert first.arguments == {"a": 1}
    failed = asyncio.run(workbench.traffic.resend(first, a="no number"))
    assert failed.outcome == "tool_error"


def test_what_cannot_be_made_again_says_why(workbench: Workbench) -> None:
    async def legacy() -> None:
        async with workbench.connect(era="legacy") as session:
            await session.set_log_level("info")
            await session.call_tool("add", a=1)

    asyncio.run(legacy())
    opening, call = workbench.traffic.calls()[0], workbench.traffic.calls()[-1]
    assert (opening.method, workbench.traffic.calls()[1].method) == ("initialize", "logging/setLevel")
    with pytest.raises(WorkbenchError, match="belongs to its conversation"):
        asyncio.run(workbench.traffic.resend(opening))
    assert call.record.request is not None
    call.record.request.raw = b""
    with pytest.raises(WorkbenchError, match="kept no longer"):
        workbench.traffic.as_cell(call)


def test_a_call_to_another_server_is_made_again_where_one_says(workbench: Workbench) -> None:
    ours = Workbench("asking")

    async def main() -> Call:
        async with ours.connect(workbench.url, token=workbench.token) as session:
            await session.call_tool("add", a=1)
            call = ours.traffic.calls("method:tools/call")[-1]
            with pytest.raises(WorkbenchError, match="session="):
                await ours.traffic.resend(call)
            return await ours.traffic.resend(call, session=session, a=5)

    assert asyncio.run(main()).arguments == {"a": 5}
    assert ours.traffic.as_cell(ours.traffic.calls("tool:add")[0]).startswith('async with wb.connect("ws://…", token=…) as session:')


def test_as_a_cell_it_does_the_same_and_nothing_an_agent_sent_is_code(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}), ("broken", {"text": "'); evil() #"}), ("odd-name", {"timeout_s": 9}))
    added, hostile, odd = (workbench.traffic.as_cell(call) for call in workbench.traffic.calls("method:tools/call"))
    assert added == "async with wb.connect() as session:\n    result = await session.call_tool('add', a=1)\nresult"
    assert "session.call_tool('odd-name', {'timeout_s': 9})" in odd
    for cell in (added, hostile, odd):
        body = "".join(f"    {line}\n" for line in cell.splitlines())
        names: dict[str, Any] = {"wb": workbench}
        exec(compile(f"async def main():\n{body}", "cell", "exec"), names)  # that it can be run is what is tested
        asyncio.run(names["main"]())
    again = workbench.traffic.calls("method:tools/call")[-3:]
    assert [call.arguments for call in again] == [{"a": 1}, {"text": "'); evil() #"}, {"timeout_s": 9}]


def test_what_is_written_beside_a_call_stays_with_it(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}))
    traffic = workbench.traffic
    traffic.annotate(traffic.calls()[0], " looks slow ")
    traffic.annotate(traffic.calls()[0], "second")
    assert traffic.calls()[0].annotations == ("looks slow", "second")
    assert len(traffic.calls('note:"looks slow"')) == 1
    with pytest.raises(ValueError, match="1 to"):
        traffic.annotate(traffic.calls()[0], "  ")
    traffic.annotate(traffic.calls()[0], None)
    assert traffic.calls()[0].annotations == ()


def test_a_list_says_what_was_asked_and_histograms_share_one_scale(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1, "b": 41}), ("broken", {"text": "x" * 20_000}))
    added, broken = calls = workbench.traffic.calls("tool:*")
    assert "tools/call add(a=1, b=41) ok in " in repr(added)
    assert "tools/call broken error in " in repr(broken), "what is long is left out"
    assert "a=1, b=41" in calls._repr_html_()
    added.record.sent_ns, broken.record.sent_ns = added.record.received_ns + 1_000_000, broken.record.received_ns + 1_000_000_000
    broken.record.outcome = Outcome.OK
    _, one, other = repr(calls.histogram("tool")).splitlines()
    assert (one.index("█") < other.index("█"), one.endswith("1.0 ms, 1 call"), other.endswith("1.0 s, 1 call")) == (True, True, True)


def test_everything_shows_itself_and_what_others_said_is_text(workbench: Workbench) -> None:
    run(workbench, ("broken", {"text": HOSTILE}))
    traffic = workbench.traffic
    traffic.annotate(traffic.calls()[0], HOSTILE)
    shown = (
        traffic,
        traffic.calls(),
        traffic.calls()[0],
        traffic.stats(),
        traffic.histogram(failed=True),
        traffic.timeline(),
        traffic.messages(),
    )
    for each in shown:
        html, words = each._repr_html_(), repr(each)
        assert "<img" not in html
        assert "\x1b" not in html + words
        assert words
    assert "&lt;img" in traffic.calls()[0]._repr_html_()


def test_a_plot_has_its_dots(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}), ("broken", {"text": "no"}))
    axes = workbench.traffic.plot("tool:*", by="tool")
    assert sorted(text.get_text() for text in axes.get_legend().get_texts()) == ["add", "broken (failed)"]
    pyplot.close(axes.figure)


def test_texts_that_are_gone_are_missing_and_nothing_else_is(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}))
    call = workbench.traffic.calls()[-1]
    for message in call.messages:
        message.raw = b""
    assert (call.request, call.response, call.arguments, call.result) == (None, None, None, None)
    assert (call.target, call.total_ms is not None) == ("add", True)
    assert "kept no longer" in repr(workbench.traffic.messages())
    assert call._repr_html_()


def test_a_call_in_a_batch_is_the_one_that_was_meant(workbench: Workbench) -> None:
    record = CallRecord("c1", "s1", "p", Era.LEGACY, "tools/call", "add", 7, 1, 1.0, 1)
    entries = [{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "add", "arguments": {"a": n}}} for n in (6, 7)]
    text = json.dumps(entries).encode()
    record.request = Message("s1", Direction.IN, 1, 1.0, len(text), text)
    assert Call(record, workbench._offer.annotations).arguments == {"a": 7}


def test_what_is_written_beside_a_call_stands_in_recordings_that_go_on(workbench: Workbench, tmp_path: Path) -> None:
    with workbench.record(tmp_path / "x") as recorder:
        run(workbench, ("add", {"a": 1}))
        workbench.traffic.annotate(workbench.traffic.calls()[0], "looks slow")
    workbench.traffic.annotate(workbench.traffic.calls()[0], "too late")
    assert [note.text for note in read(recorder.path).notes()] == ["looks slow"]


def test_a_callers_mistake_is_one_sentence_in_a_notebook(workbench: Workbench, tmp_path: Path) -> None:
    run(workbench, ("add", {"a": 1}))
    traffic = workbench.traffic
    calls = traffic.calls("tool:add")
    calls.save(tmp_path / "there")

    def resend(call: Any) -> object:
        return asyncio.run(traffic.resend(call))

    mistakes: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: resend(calls), TypeError, "expected one call, as wb.traffic.calls()[-1], got CallList"),
        (lambda: traffic.as_cell(calls), TypeError, "expected one call"),  # type: ignore[arg-type]  # the mistake
        (lambda: traffic.annotate("x", "y"), TypeError, "expected one call, as wb.traffic.calls()[-1], got str"),  # type: ignore[arg-type]
        (lambda: traffic.annotate(calls[0], 5), TypeError, "an annotation is a text, got an int"),  # type: ignore[arg-type]
        (lambda: traffic.annotate(calls[0], " "), ValueError, "an annotation has 1 to"),
        (lambda: traffic.stats(by="client"), ValueError, "by is one of"),
        (lambda: traffic.stats(by=["tool"]), ValueError, "by is one of"),  # type: ignore[arg-type]
        (lambda: traffic.stats(phase="x"), ValueError, "phase is one of"),
        (lambda: traffic.calls(5), ValueError, "expected a filter as text, as tool:sum, got an int"),  # type: ignore[arg-type]
        (lambda: traffic.calls("args.:5"), ValueError, "expected a name or a position at each step"),
        (lambda: calls[7], IndexError, "expected a call at [7]: there are 1"),
        (lambda: traffic.calls("tool:x")[-1], IndexError, "there is none yet, or none that the filter matches"),
        (lambda: traffic.messages()[10_000], IndexError, "expected a message at [10000]"),
        (lambda: traffic.sessions[9], IndexError, "expected a session at [9]"),
        (lambda: calls.save(tmp_path / "there"), FileExistsError, "overwrite=True"),
        (lambda: workbench.record(tmp_path / "twice"), FileExistsError, "another recording of this Workbench"),
        (lambda: workbench.record(tmp_path / "there"), FileExistsError, "there.mcptraffic.jsonl"),
        (lambda: traffic.load(tmp_path / "nowhere"), FileNotFoundError, "there is no recording"),
        (lambda: workbench.replay(tmp_path / "nowhere"), FileNotFoundError, "there is no recording"),
    ]
    for mistake, kind, sentence in mistakes:
        with workbench.record(tmp_path / "twice", overwrite=True), pytest.raises(kind) as raised:
            mistake()
        [line] = raised.value._render_traceback_()  # type: ignore[attr-defined]  # IPython asks for this
        assert sentence in line
        assert line.startswith(type(raised.value).__name__)


def test_sessions_stand_in_the_order_in_which_they_came(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}))
    run(workbench, ("add", {"a": 1}))
    first, second = workbench.traffic.sessions
    assert (first.session_id, second.session_id) == ("s1", "s2")
    assert [session.session_id for session in workbench.traffic.sessions[1:]] == ["s2"]


def test_a_message_and_a_step_show_no_text_of_their_own(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 4711}))
    [call] = workbench.traffic.calls("tool:add")
    assert "4711" not in repr(call.messages[0]) + repr(call.timeline)
    assert b"4711" in call.messages[0].raw
    assert "4711" in call.timeline[0].text


def test_what_a_call_was_for_is_said_with_its_method_where_the_target_alone_would_not(workbench: Workbench) -> None:
    def record(method: str, target: str) -> CallRecord:
        return CallRecord("", "s1", "p", Era.MODERN, method, target, 1, 0, 0.0, 1)

    calls = [record("resources/subscribe", "df://a"), record("resources/read", "df://a"), record("tools/call", "add"), record("ping", "")]
    html = CallList(calls, workbench._offer.annotations)._repr_html_()
    for words in (">resources/subscribe df://a<", ">resources/read df://a<", ">add<", ">ping<"):
        assert words in html


def test_versions_are_told_apart_by_tool_too(workbench: Workbench) -> None:
    run(workbench, ("add", {"a": 1}), ("broken", {"text": "no"}))
    names = list(workbench.traffic.stats(by="version"))
    assert [name.partition("@")[0] for name in names] == ["add v1", "broken v1"]
