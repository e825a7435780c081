"""What a tool says arrives on the protocol loop, in order, never after the end."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench import errors
from mcp_workbench.events import Era, Principal
from mcp_workbench.execution.calls import Call, CallState, Progress
from mcp_workbench.execution.context import PENDING_LOGS, AsyncContext, Client, Context
from mcp_workbench.execution.portal import Portal
from mcp_workbench.execution.questions import Question


@dataclass
class Port:
    """Keeps what it is given, and on which thread."""

    request_id: str | int = 7
    wants_progress: bool = True
    progress: list[tuple[float, float | None, str | None]] = field(default_factory=list)
    logs: list[tuple[str, Any, str | None]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def wants_output(self, level: str) -> bool:
        return True

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.threads.add(threading.get_ident())
        self.progress.append((progress, total, message))

    def send_log(self, level: str, data: Any, logger: str | None) -> None:
        self.threads.add(threading.get_ident())
        self.logs.append((level, data, logger))

    def ask(self, question: Question) -> None:
        raise AssertionError("nothing to ask")


class RefusingPort(Port):
    """Cannot write anything."""

    def send_log(self, level: str, data: Any, logger: str | None) -> None:
        raise ValueError("not to be written")


@dataclass(frozen=True)
class Facts:
    session_id: str = "s1"
    client_name: str | None = "inspector"
    client_version: str | None = "1.0"
    protocol_version: str = "2025-11-25"
    era: Era = Era.LEGACY


class HeldLoop:
    """A loop that runs nothing until told to, so that coalescing can be seen."""

    def __init__(self, port: Port | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.portal = Portal(self.loop)
        self.port = port or Port()
        self.call = Call("c1", "tool", "thread")
        self.call.port = self.port
        self.call.state = CallState.RUNNING
        self.ctx = Context(self.call, self.portal)

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def close(self) -> None:
        self.loop.close()


@pytest.fixture
def held() -> Any:
    held = HeldLoop()
    yield held
    held.close()


def test_only_the_latest_progress_is_sent(held: HeldLoop) -> None:
    for done in range(1, 101):
        held.ctx.report_progress(done, 100, f"row {done}")
    assert held.port.progress == []
    held.turn()
    assert held.port.progress == [(100.0, 100.0, "row 100")]
    held.ctx.report_progress(101)
    held.turn()
    assert held.port.progress[-1] == (101.0, None, None)


def test_a_hundred_reports_cost_one_wake_up(held: HeldLoop) -> None:
    for done in range(1, 101):
        held.ctx.report_progress(done)
        held.ctx.log("text")
    assert len(held.portal._posted) == 1


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none()))
def test_what_is_sent_increases_strictly_and_ends_with_the_highest(values: list[float | None]) -> None:
    held = HeldLoop()
    try:
        for value in values:
            if value is None:
                held.turn()
            else:
                held.ctx.report_progress(value)
        held.turn()
        sent = [progress for progress, _, _ in held.port.progress]
        assert sent == sorted(set(sent))
        finite = [value for value in values if value is not None and abs(value) < float("inf")]
        assert sent[-1:] == ([max(finite)] if finite else [])
    finally:
        held.close()


def test_progress_is_kept_for_the_panel_even_when_the_client_asked_for_none(held: HeldLoop) -> None:
    held.port.wants_progress = False
    held.ctx.report_progress(1, 2, "half")
    assert held.call.progress == Progress(1.0, 2.0, "half")
    assert len(held.portal._posted) == 0


@pytest.mark.parametrize("over", ["cancelled", "ended"])
def test_nothing_is_sent_once_the_call_is_over(held: HeldLoop, over: str) -> None:
    held.ctx.report_progress(1)
    held.ctx.log("said before")
    if over == "cancelled":
        held.call.cancelled = True
    else:
        held.call.state = CallState.ENDED
    held.ctx.report_progress(2)
    held.ctx.log("said after")
    held.turn()
    assert held.port.progress == []
    assert held.port.logs == []


def test_without_an_exchange_nothing_is_sent_and_a_new_one_gets_what_follows(held: HeldLoop) -> None:
    held.call.port = None
    held.ctx.report_progress(1)
    held.ctx.log("nobody hears this")
    held.turn()
    later = Port()
    held.call.port = later
    held.ctx.report_progress(2)
    held.turn()
    assert later.progress == [(2.0, None, None)]
    assert later.logs == []


def test_logs_keep_their_order_and_are_bounded(held: HeldLoop) -> None:
    for number in range(PENDING_LOGS + 5):
        held.ctx.log(f"line {number}", level="debug", logger="tool")
    held.turn()
    assert held.port.logs == [("debug", f"line {number}", "tool") for number in range(PENDING_LOGS)]
    assert held.call.dropped_logs == 5
    held.ctx.log("there is room again")
    held.turn()
    assert held.port.logs[-1] == ("info", "there is room again", None)


def test_what_was_logged_is_a_copy(held: HeldLoop) -> None:
    data = {"rows": [1]}
    held.ctx.log(data)
    data["rows"].append(2)
    held.turn()
    assert held.port.logs == [("info", {"rows": [1]}, None)]


def test_objects_are_logged_as_their_text(held: HeldLoop) -> None:
    class Model:
        def __str__(self) -> str:
            return "a model"

    held.ctx.log({"fitted": Model(), 3: "three"})
    held.turn()
    assert held.port.logs == [("info", {"fitted": "a model", "3": "three"}, None)]


def test_an_unknown_level_is_refused_with_the_known_ones(held: HeldLoop) -> None:
    with pytest.raises(ValueError, match="debug, info, notice"):
        held.ctx.log("text", level="loud")  # type: ignore[arg-type]


def test_a_message_the_port_cannot_write_is_logged_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    held = HeldLoop(RefusingPort())
    held.ctx.log("text")
    held.ctx.report_progress(1)
    held.turn()
    assert held.port.progress == [(1.0, None, None)]
    assert "could not be sent" in caplog.text
    held.close()


def test_reporting_to_a_closed_loop_is_quiet() -> None:
    held = HeldLoop()
    held.close()
    held.ctx.report_progress(1)
    held.ctx.log("text")
    assert held.port.progress == []


def test_on_the_loop_itself_progress_is_sent_directly() -> None:
    async def main() -> None:
        call = Call("c1", "tool", "inline")
        port = Port()
        call.port = port
        ctx = Context(call, Portal(asyncio.get_running_loop()))
        ctx.report_progress(1)
        ctx.log("text")
        assert port.progress == [(1.0, None, None)]
        assert port.logs == [("info", "text", None)]

    asyncio.run(main())


def test_both_may_be_awaited_and_need_not_be() -> None:
    async def main() -> None:
        ctx = AsyncContext(Call("c1", "tool", "async"), Portal(asyncio.get_running_loop()))
        turned = False

        def turn() -> None:
            nonlocal turned
            turned = True

        asyncio.get_running_loop().call_soon(turn)
        await ctx.report_progress(1)
        await ctx.log("text")
        assert not turned  # awaiting gave up no turn

    asyncio.run(main())


def test_progress_from_many_threads_still_increases() -> None:
    held = HeldLoop()
    barrier = threading.Barrier(4)

    def report() -> None:
        barrier.wait(5)
        for done in range(500):
            held.ctx.report_progress(done)

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    held.turn()
    assert held.port.progress == [(499.0, None, None)]
    assert held.port.threads == {threading.get_ident()}
    held.close()


def test_a_cancelled_call_can_be_left(held: HeldLoop) -> None:
    held.ctx.check_cancelled()
    assert held.ctx.cancelled is False
    held.call.cancelled, held.call.cancel_reason = True, "the client gave up"
    assert held.ctx.cancelled is True
    with pytest.raises(errors.Cancelled, match="the client gave up"):
        held.ctx.check_cancelled()


def test_what_a_tool_may_know_of_its_call(held: HeldLoop) -> None:
    held.call.principal = Principal("alice")
    held.call.session = Facts()
    ctx = held.ctx
    assert (ctx.call_id, ctx.request_id, ctx.principal.name) == ("c1", 7, "alice")
    assert (ctx.session.session_id, ctx.protocol_version, ctx.era) == ("s1", "2025-11-25", Era.LEGACY)
    assert ctx.client == Client("inspector", "1.0")
    held.call.port = None
    assert ctx.request_id is None


def test_without_a_client_there_is_no_session_and_the_error_says_so(held: HeldLoop) -> None:
    with pytest.raises(errors.WorkbenchError, match="no session"):
        _ = held.ctx.session
    with pytest.raises(errors.WorkbenchError, match="no principal"):
        _ = held.ctx.principal


def test_the_two_contexts_are_told_apart() -> None:
    assert not issubclass(AsyncContext, Context)
    assert not issubclass(Context, AsyncContext)
