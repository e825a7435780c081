"""The queue of the main thread: where calls run, what they wait for, and that each ends exactly once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mcp_workbench.events import Principal
from mcp_workbench.execution.calls import Busy, Call, CallState, Cancelled, Raised, Returned, current_call
from mcp_workbench.execution.main_line import TELL_EVERY_S
from mcp_workbench.execution.main_thread import PUSH_EVERY_S, UNLENT_S, Place
from tests.execution.main_rig import Rig, told


def done() -> concurrent.futures.Future[str]:
    future: concurrent.futures.Future[str] = concurrent.futures.Future()
    future.set_result("done")
    return future


# --- where calls run ----------------------------------------------------------------------------------


def test_between_cells_a_call_runs_at_the_next_turn_of_the_kernels_loop() -> None:
    rig = Rig()
    call = rig.submit(lambda: 5)
    assert (call.state, rig.queue.waiting, rig.ended) == (CallState.WAITING, 1, [])
    rig.host.turn()
    assert (rig.queue.waiting, rig.queue.running, rig.ended) == (0, 1, [])
    rig.home()
    assert rig.outcome(call) == Returned(5)
    assert (rig.queue.running, rig.looked, told(call), call.started_ns) == (0, 1, [], 5)


def test_calls_run_in_their_order_and_the_loop_has_its_turn_between_two() -> None:
    rig, ran = Rig(), []
    for number in range(3):
        rig.submit(lambda number=number: ran.append(number))  # type: ignore[misc]  # mypy infers no lambda with a default
    for number in range(3):
        assert rig.host.turn()
        assert ran == list(range(number + 1))
    assert not rig.host.turn()


def test_behind_a_cell_a_call_waits_and_runs_at_its_end() -> None:
    rig = Rig()
    rig.begin_cell()
    rig.clock.pass_by(8)
    call, other = rig.submit(lambda: 1), rig.submit(lambda: 2)
    assert call.queued_behind == "cell [12], running 8 s"
    rig.settle()
    assert rig.ended == []
    rig.end_cell()
    rig.home()
    assert rig.outcome(call) == Returned(1)
    assert other.state is CallState.WAITING, "another cell may wait: one at its end is enough"
    rig.settle()
    assert rig.outcome(other) == Returned(2)
    assert told(call) == ["queued behind cell [12], running 8 s", "running"]


def test_a_cell_that_has_begun_before_the_turn_is_left_alone() -> None:
    rig = Rig()
    call = rig.submit(lambda: 1)
    rig.begin_cell()
    rig.settle()
    assert rig.ended == []
    rig.end_cell()
    rig.home()
    assert rig.outcome(call) == Returned(1)


def test_a_wake_up_that_was_lost_is_repeated() -> None:
    rig = Rig()
    call = rig.submit(lambda: 1)
    rig.host.posted.clear()
    rig.clock.pass_by(TELL_EVERY_S)
    assert told(call) == ["queued behind the notebook's main thread, which is at work"]
    rig.settle()
    assert rig.outcome(call) == Returned(1)


def test_a_cell_that_awaits_gets_its_own_calls_and_no_others() -> None:
    rig, ran = Rig(), []
    rig.begin_cell()
    other = rig.submit(lambda: ran.append("other"))
    own = rig.submit(lambda: ran.append("own"), own=True)
    rig.settle()
    assert (ran, told(own), rig.looked) == (["own"], [], 0)
    assert other.state is CallState.WAITING
    rig.end_cell()
    rig.home()
    assert (ran, rig.looked) == (["own", "other"], 1)


def test_a_call_that_comes_while_one_runs_waits_for_it_also_where_the_loop_turns_within() -> None:
    rig, ran = Rig(), []

    def outer() -> None:
        ran.append("outer begins")
        waiting.append(rig.submit(lambda: ran.append("inner")))
        for _ in range(3):  # as nest_asyncio does
            rig.host.turn()
        assert rig.host.posted == [], "nothing spins while it runs"
        rig.queue.cell_ended()  # as a widget's message would
        ran.append("outer ends")

    waiting: list[Call] = []
    rig.submit(outer, name="slow")
    rig.settle()
    assert ran == ["outer begins", "outer ends", "inner"]
    assert waiting[0].queued_behind == "the call of slow, running 0 s"


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_call_raises_ends_it_and_nothing_else(error: BaseException) -> None:
    def work() -> None:
        raise error

    rig = Rig()
    call, following = rig.submit(work), rig.submit(lambda: 1)
    rig.settle()
    outcome = rig.outcome(call)
    assert isinstance(outcome, Raised)
    assert outcome.exception is error
    assert rig.outcome(following) == Returned(1)


def test_an_interrupt_ends_the_call_that_runs_and_the_handler_is_back_afterwards() -> None:
    rig, before = Rig(), signal.getsignal(signal.SIGINT)
    call = rig.submit(lambda: signal.raise_signal(signal.SIGINT))
    rig.settle()
    outcome = rig.outcome(call)
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, KeyboardInterrupt)
    assert signal.getsignal(signal.SIGINT) is before


def test_code_knows_its_call_while_that_runs_and_no_longer() -> None:
    rig, here = Rig(), current_call.get()
    seen: list[Call | None] = []
    call = rig.submit(lambda: seen.append(current_call.get()))
    rig.settle()
    assert (seen, current_call.get()) == ([call], here)


def test_a_look_for_changes_that_fails_costs_nobody_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("no luck")

    rig = Rig()
    rig.queue._after_job = broken
    call = rig.submit(lambda: 1)
    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        rig.settle()
    assert rig.outcome(call) == Returned(1)
    assert "looking for changes" in caplog.text


# --- coroutines ---------------------------------------------------------------------------------------------


def on_a_real_loop(scene: Callable[[Rig], Any]) -> None:
    """The main thread's loop runs, and is this one."""

    async def main() -> None:
        rig = Rig()
        rig.host.loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            await scene(rig)

    asyncio.run(main())


def test_coroutines_run_side_by_side_as_tasks_of_the_running_loop() -> None:
    async def scene(rig: Rig) -> None:
        door = asyncio.Event()

        async def waits() -> str:
            await door.wait()
            return "waited"

        async def opens() -> str:
            door.set()
            return "opened"

        first, second = rig.submit(waits), rig.submit(opens)
        rig.host.turn()
        rig.host.turn()
        assert rig.queue.running == 2
        while len(rig.ended) < 2:
            await asyncio.sleep(0)
            rig.home()
        assert (rig.outcome(first), rig.outcome(second)) == (Returned("waited"), Returned("opened"))
        assert rig.looked == 2

    on_a_real_loop(scene)


@pytest.mark.parametrize("begun", [True, False])
def test_a_task_that_nobody_waits_for_is_cancelled(begun: bool) -> None:
    async def scene(rig: Rig) -> None:
        async def waits() -> None:
            began.append("first step")
            await asyncio.Event().wait()

        began: list[str] = []
        call = rig.submit(waits)
        rig.host.turn()
        if begun:
            await asyncio.sleep(0)
        call.cancelled, call.cancel_reason = True, "asked"
        assert rig.queue.drop(call) is True
        assert (rig.queue.running, rig.queue.abandoned) == (0, 1)
        rig.host.turn()
        while not rig.ended:
            await asyncio.sleep(0)
            rig.home()
        assert rig.queue.abandoned == 0
        assert len(rig.ended) == 1
        assert began == (["first step"] if begun else [])

    on_a_real_loop(scene)


def test_a_loop_that_rests_is_made_to_turn_while_a_task_is_on_it() -> None:
    async def scene(rig: Rig) -> None:
        rig.host.loop_rests = True
        door = asyncio.Event()
        call = rig.submit(door.wait)
        rig.host.turn()
        rig.home()
        assert rig.host.posted == []
        rig.clock.pass_by(3 * PUSH_EVERY_S)
        assert len(rig.host.posted) >= 2
        door.set()
        while not rig.ended:
            await asyncio.sleep(0)
            rig.home()
        assert rig.outcome(call) == Returned(True)
        rig.host.turn()
        rig.clock.pass_by(3 * PUSH_EVERY_S)
        assert rig.host.posted == []

    on_a_real_loop(scene)


def test_where_no_loop_runs_a_coroutine_is_run_to_its_end_and_can_be_cancelled_meanwhile() -> None:
    rig = Rig("on request")
    began = threading.Event()

    async def waits() -> None:
        began.set()
        await asyncio.Event().wait()

    call = rig.submit(waits)

    def cancel() -> None:
        assert began.wait(10)
        call.cancelled, call.cancel_reason = True, "asked"
        assert rig.queue.drop(call) is True

    canceller = threading.Thread(target=cancel)
    canceller.start()
    assert rig.queue._run_next(Place.PUMPING) is True
    canceller.join()
    rig.home()
    outcome = rig.outcome(call)
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.exception, asyncio.CancelledError)


# --- waiting on purpose ---------------------------------------------------------------------------------------


def test_what_waits_on_purpose_runs_what_it_may_be_waiting_for() -> None:
    rig = Rig()
    rig.begin_cell()
    answer: concurrent.futures.Future[int] = concurrent.futures.Future()
    call = rig.submit(lambda: answer.set_result(7))
    assert rig.queue.pump_until(answer) == 7
    rig.home()
    assert rig.outcome(call) == Returned(None)
    assert rig.looked == 0, "a cell is at work, which has done half of what it will"


def test_what_waits_on_purpose_is_woken_by_a_call_and_by_what_it_waits_for() -> None:
    rig = Rig("on request")
    answer: concurrent.futures.Future[int] = concurrent.futures.Future()
    ran = threading.Event()

    def elsewhere() -> None:
        rig.submit(ran.set)
        assert ran.wait(10)
        answer.set_result(1)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert rig.queue.pump_until(answer) == 1
    thread.join()


def test_a_call_that_waits_for_one_behind_itself_is_told_so_at_once_whichever_came_first() -> None:
    rig = Rig()
    answer: concurrent.futures.Future[str] = concurrent.futures.Future()
    calls: dict[str, Call] = {}

    def outer() -> str:
        calls["other"] = rig.submit(lambda: "an agent's")
        calls["before"] = rig.submit(lambda: None, own=True, name="inner")
        real_result = answer.result

        def result(timeout: float | None = None) -> str:  # now it waits
            rig.home()
            refusals.append(rig.queue.submit(rig.call(lambda: None, own=True, name="inner")))
            answer.set_result("refused")
            return real_result(timeout)

        answer.result = result  # type: ignore[method-assign]
        return rig.queue.pump_until(answer)

    refusals: list[str | None] = []
    calls["earlier"] = rig.submit(outer, name="outer")
    rig.clock.pass_by(1)
    unrelated = rig.submit(lambda: "unrelated", own=True)
    rig.clock.pass_by(1)
    rig.host.turn()
    rig.home()
    outcome = rig.outcome(calls["before"])
    assert isinstance(outcome, Busy)
    assert refusals == [outcome.sentence]
    assert outcome.sentence == (
        "inner was not run: it is for the main thread, which the call of outer has and blocks while it waits for an answer. "
        'Call the function itself there instead, or leave out run_on="main" of outer'
    )
    rig.settle()
    assert rig.outcome(calls["earlier"]) == Returned("refused")
    assert (rig.outcome(unrelated), rig.outcome(calls["other"])) == (Returned("unrelated"), Returned("an agent's"))
    assert rig.queue.submit(rig.call(lambda: None, own=True)) is None, "the wait is over"
    rig.settle()


def test_waiting_on_purpose_has_an_end() -> None:
    rig = Rig()
    never: concurrent.futures.Future[int] = concurrent.futures.Future()
    with pytest.raises(TimeoutError):
        rig.queue.pump_until(never, timeout_s=0)
    assert rig.queue.pump_until(done(), timeout_s=0) == "done"
    rig.submit(lambda: rig.clock.pass_by(20))
    with pytest.raises(TimeoutError):
        rig.queue.pump_until(never, timeout_s=10)


def test_what_another_thread_or_a_call_waits_for_is_only_waited_for() -> None:
    rig, results = Rig(), []
    waiting = rig.submit(lambda: pytest.fail("not on that thread"))
    thread = threading.Thread(target=lambda: results.append(rig.queue.pump_until(done())))
    thread.start()
    thread.join()
    assert (results, waiting.state) == (["done"], CallState.WAITING)
    rig.queue.drop(waiting)
    outer = rig.submit(lambda: rig.queue.pump_until(done()))
    rig.settle()
    assert rig.outcome(outer) == Returned("done")


def test_a_coroutine_of_ones_own_is_refused_where_its_loop_is_blocked_and_anothers_waits() -> None:
    async def tool() -> int:
        return 1

    rig = Rig()
    rig.begin_cell()
    refusals: list[str | None] = []

    def meanwhile() -> None:
        own = rig.call(tool, own=True, name="shown")
        refusals.append(rig.queue.submit(own))
        others.append(rig.submit(tool))

    others: list[Call] = []

    async def blocking_cell() -> None:
        rig.submit(meanwhile)
        rig.submit(lambda: waits_for.set_result(None))
        rig.queue.pump_until(waits_for)

    waits_for: concurrent.futures.Future[None] = concurrent.futures.Future()
    asyncio.run(blocking_cell())
    assert refusals[0] is not None
    assert "shown was not run: it is an async tool of the main thread's own loop" in refusals[0]
    assert others[0].queued_behind == "the call of tool, running 0 s, and 1 other call"
    rig.end_cell()
    rig.home()
    assert rig.outcome(others[0]) == Returned(1)


# --- refusals, and giving up ------------------------------------------------------------------------------------


def test_when_too_many_wait_the_next_is_refused_with_what_they_wait_for() -> None:
    rig = Rig(limit=3)
    rig.begin_cell()
    for _ in range(2):
        rig.submit(lambda: None)
    assert rig.queue.submit(rig.call(lambda: None, name="top_routes")) == (
        "top_routes was not run: 2 calls of this client wait for the notebook's main thread already, which is its share, "
        "behind cell [12], running 0 s; try again when it is free"
    )
    others = [rig.call(lambda: None, name="top_routes") for _ in range(2)]
    for call, principal in zip(others, ("alice", "carol"), strict=True):
        call.principal = Principal(principal)
    assert rig.queue.submit(others[0]) is None, "one client's calls keep nobody else out"
    assert rig.queue.submit(others[1]) == (
        "top_routes was not run: 3 calls wait for the notebook's main thread already, behind cell [12], running 0 s; "
        "try again when it is free"
    )


def test_a_call_that_waits_too_long_is_answered_as_busy_and_never_run() -> None:
    rig = Rig(wait_s=600)
    rig.begin_cell()
    call = rig.submit(lambda: pytest.fail("never"), name="top_routes")
    rig.clock.pass_by(601)
    assert rig.outcome(call) == Busy(
        "top_routes was not run: it waited 600 s for the notebook's main thread, behind cell [12], running 600 s. "
        "Ask the person to interrupt that, or call again when it has ended"
    )
    rig.end_cell()
    rig.settle()
    assert len(rig.ended) == 1


def test_a_script_that_has_lent_its_main_thread_to_nobody_keeps_nobody_waiting_long() -> None:
    rig = Rig("on request")
    call = rig.submit(lambda: pytest.fail("never"))
    assert told(call) == ["queued behind the script, which runs such calls in wb.wait()"]
    rig.clock.pass_by(UNLENT_S)
    outcome = rig.outcome(call)
    assert isinstance(outcome, Busy)
    assert "call wb.wait() there" in outcome.sentence
    rig.queue.pump_until(done())
    patient = rig.submit(lambda: 1)
    rig.clock.pass_by(UNLENT_S)
    answer: concurrent.futures.Future[None] = concurrent.futures.Future()
    rig.submit(lambda: answer.set_result(None))
    rig.queue.pump_until(answer)
    rig.home()
    assert rig.outcome(patient) == Returned(1)


def test_in_a_terminal_all_that_wait_run_after_a_cell() -> None:
    rig = Rig("after cells")
    calls = [rig.submit(lambda: 1) for _ in range(3)]
    assert calls[0].queued_behind == "the prompt: in a terminal such calls run when a cell has run, or in wb.wait()"
    rig.begin_cell()
    rig.end_cell()
    rig.home()
    assert [rig.outcome(call) for call in calls] == [Returned(1)] * 3


def test_stopping_refuses_what_waits_and_what_comes_and_leaves_alone_what_runs() -> None:
    rig = Rig()

    def stops() -> str:
        rig.queue.stop()
        return "went on"

    running = rig.submit(stops)
    waiting = rig.submit(lambda: pytest.fail("never"))
    rig.settle()
    assert rig.outcome(running) == Returned("went on")
    assert rig.outcome(waiting) == Busy("tool was not run: the server is shutting down. Reconnect later and call again.")
    assert "shutting down" in (rig.queue.submit(rig.call(lambda: None)) or "")
    assert rig.clock.running == 0


def test_a_waiting_call_that_is_dropped_never_runs_and_a_running_one_is_left_alone() -> None:
    rig = Rig()
    waiting = rig.submit(lambda: pytest.fail("never"))
    assert rig.queue.drop(waiting) is False
    assert rig.queue.drop(waiting) is False
    dropped: list[bool] = []

    def work() -> None:
        dropped.append(rig.queue.drop(running))

    running = rig.submit(work)
    rig.host.turn()
    assert (dropped, rig.queue.abandoned, rig.queue.running) == ([True], 1, 0)
    rig.settle()
    assert (rig.queue.abandoned, rig.queue.waiting) == (0, 0)


def test_a_call_that_is_over_when_it_is_taken_is_not_run() -> None:
    rig = Rig()
    call = rig.submit(lambda: pytest.fail("never"))
    call.cancelled, call.cancel_reason = True, "asked"
    rig.settle()
    assert rig.outcome(call) == Cancelled("asked")


def test_a_forked_child_runs_nothing_of_the_parents() -> None:
    rig = Rig()
    rig.begin_cell()
    rig.submit(lambda: pytest.fail("never"))
    rig.queue.abandon_in_child()
    rig.end_cell()
    rig.settle()
    assert (rig.ended, rig.queue.waiting) == ([], 0)


# --- any interleaving -------------------------------------------------------------------------------------------


class Interleavings(RuleBasedStateMachine):
    """Callers, cells, turns, waits and time in any order: each call is answered exactly once, or was dropped while it waited."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(limit=4, wait_s=30)
        self.open: list[Call] = []
        self.ran: list[str] = []
        self.dropped: set[str] = set()
        self.wrong: list[str] = []
        self.running = self.pumping = False

    @rule(is_async=st.booleans(), own=st.booleans(), nested=st.booleans())
    def submit(self, is_async: bool, own: bool, nested: bool) -> None:
        def work() -> None:
            if self.running:
                self.wrong.append("one within another")
            if not (own or self.rig.host.at_work is None or self.pumping):
                self.wrong.append("in somebody's cell")
            self.running = True
            self.ran.append(call.id)
            if nested:  # a loop within the loop looks for work
                self.rig.host.turn()
                self.rig.queue._turn()
            self.running = False

        async def coroutine() -> None:
            work()

        call = self.rig.call(coroutine if is_async else work, own=own)
        if self.rig.queue.submit(call) is None:
            self.open.append(call)
        else:
            assert self.rig.queue.waiting >= 2, "half of the places are anybody's"

    @rule()
    def begin_cell(self) -> None:
        if self.rig.host.at_work is None:
            self.rig.begin_cell()

    @rule()
    def end_cell(self) -> None:
        if self.rig.host.at_work is not None:
            self.rig.end_cell()

    @rule()
    def turn(self) -> None:
        self.rig.host.turn()

    @rule()
    def lose_wake_ups(self) -> None:
        self.rig.host.posted.clear()

    @rule()
    def home(self) -> None:
        self.rig.home()

    @rule(seconds=st.sampled_from([0.5, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.rig.clock.pass_by(seconds)

    @rule()
    def pump(self) -> None:
        self.pumping = True
        never: concurrent.futures.Future[None] = concurrent.futures.Future()
        while self.rig.queue._pumps == 0 and self.rig.queue._run_next(Place.PUMPING):
            pass
        with pytest.raises(TimeoutError):
            self.rig.queue.pump_until(never, 0)
        self.pumping = False

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.open))
        if call.id in self.dropped or call.id in self.answered:
            return
        call.cancelled, call.cancel_reason = True, "asked"
        self.dropped.add(call.id)
        self.rig.queue.drop(call)

    @property
    def answered(self) -> list[str]:
        return [call_id for call_id, _ in self.rig.ended]

    @invariant()
    def no_call_is_answered_or_run_twice(self) -> None:
        assert len(set(self.answered)) == len(self.answered)
        assert len(set(self.ran)) == len(self.ran)
        assert self.wrong == []
        assert 0 <= self.rig.queue.waiting <= 4
        assert self.rig.queue.running >= 0

    def teardown(self) -> None:
        if self.rig.host.at_work is not None:
            self.rig.end_cell()
        for _ in range(12):
            self.rig.settle()
            self.rig.clock.pass_by(TELL_EVERY_S)
        self.no_call_is_answered_or_run_twice()
        assert (self.rig.queue.waiting, self.rig.queue.running, self.rig.queue.abandoned) == (0, 0, 0)
        assert {call.id for call in self.open} - set(self.answered) <= self.dropped


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
