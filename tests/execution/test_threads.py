"""Tool threads: grown when needed, used again, abandoned, retired, never in the way."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from itertools import count

import pytest

from mcp_workbench.events import Principal
from mcp_workbench.execution.calls import Busy, Call, CallState, Outcome, Raised, Returned
from mcp_workbench.execution.portal import Portal
from mcp_workbench.execution.threads import ToolThreads


class Pool:
    """Tool threads on the running loop, and what they answered."""

    def __init__(self, *, limit: int = 2, queue: int = 3, idle_s: float = 30.0) -> None:
        loop = asyncio.get_running_loop()
        self.portal = Portal(loop)
        self.threads = ToolThreads(loop, self.portal, limit=limit, queue=queue, answer=self._answer, idle_s=idle_s)
        self.answers: list[tuple[str, Outcome]] = []
        self._numbers = count(1)
        self._answered = asyncio.Event()

    def _answer(self, call: Call, outcome: Outcome) -> None:
        self.answers.append((call.id, outcome))
        self._answered.set()

    def submit(
        self, step: Callable[[], object], *, past_bound: bool = False, owner: str | None = None, principal: str | None = None
    ) -> tuple[Call, str | None]:
        call = Call(f"c{next(self._numbers)}", "tool", "thread")
        call.owner = owner
        call.principal = None if principal is None else Principal(principal)
        return call, self.threads.submit(call, lambda _: Returned(step()), past_bound=past_bound)

    async def answered(self, many: int) -> None:
        async with asyncio.timeout(5):
            while len(self.answers) < many:
                self._answered.clear()
                await self._answered.wait()

    async def stop(self) -> None:
        self.threads.stop()
        async with asyncio.timeout(5):
            await self.threads.wait_gone()


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await main()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Give up turns until it holds: for what other threads announce to the loop and to nobody else."""
    while not condition():  # noqa: ASYNC110 - there is no event: what is awaited is a reading of statistics
        await asyncio.sleep(0)


def test_one_free_thread_is_used_again_and_again() -> None:
    async def main() -> None:
        pool = Pool(limit=8)
        for done in range(1, 6):
            pool.submit(threading.get_ident)
            await pool.answered(done)
        assert len({outcome.value for _, outcome in pool.answers if isinstance(outcome, Returned)}) == 1
        assert (pool.threads.threads, pool.threads.idle) == (1, 1)
        await pool.stop()

    run(main)


def test_threads_grow_to_the_limit_then_calls_wait_then_busy() -> None:
    async def main() -> None:
        pool = Pool(limit=2, queue=3)
        go = threading.Event()
        calls = [pool.submit(lambda: go.wait(5)) for _ in range(5)]
        assert [refusal for _, refusal in calls] == [None] * 5
        assert [call.state for call, _ in calls] == [CallState.RUNNING] * 2 + [CallState.WAITING] * 3
        assert (pool.threads.threads, pool.threads.running, pool.threads.waiting) == (2, 2, 3)
        _, refusal = pool.submit(int)
        assert refusal is not None
        assert "all 2 tool threads are busy and 3 calls wait" in refusal
        _, refusal = pool.submit(int, past_bound=True)
        assert refusal is None
        go.set()
        await pool.answered(6)
        assert (pool.threads.threads, pool.threads.running, pool.threads.waiting) == (2, 0, 0)
        await pool.stop()

    run(main)


def test_waiting_calls_run_in_the_order_they_came() -> None:
    async def main() -> None:
        pool = Pool(limit=1, queue=10)
        go = threading.Event()
        for step in [lambda: go.wait(5)] + [lambda: True] * 6:
            pool.submit(step)
        go.set()
        await pool.answered(7)
        assert [call_id for call_id, _ in pool.answers] == [f"c{number}" for number in range(1, 8)]
        await pool.stop()

    run(main)


def running(calls: list[Call]) -> dict[str | None, int]:
    return dict(Counter(call.owner for call in calls if call.state is CallState.RUNNING))


def test_no_session_has_all_threads_and_who_comes_next_finds_some_free() -> None:
    async def main() -> None:
        pool = Pool(limit=8, queue=100)
        go = threading.Event()
        calls: list[Call] = []

        def submit(owner: str, many: int) -> None:
            calls.extend(pool.submit(lambda: go.wait(5), owner=owner)[0] for _ in range(many))

        submit("greedy", 20)
        assert running(calls) == {"greedy": 4}
        submit("next", 20)
        assert running(calls) == {"greedy": 4, "next": 2}
        submit("third", 1)
        assert running(calls) == {"greedy": 4, "next": 2, "third": 1}
        assert (pool.threads.waiting, pool.threads.running) == (34, 7)
        go.set()
        await pool.answered(41)
        assert (pool.threads.waiting, pool.threads.running, pool.threads.threads) == (0, 0, 7)
        await pool.stop()

    run(main)


def test_a_share_is_used_again_whichever_of_its_calls_ends() -> None:
    async def main() -> None:
        pool = Pool(limit=4, queue=100)
        goes = [threading.Event() for _ in range(8)]
        calls = [pool.submit(partial(go.wait, 5), owner="a")[0] for go in goes]
        other, _ = pool.submit(partial(goes[7].wait, 5), owner="b")
        assert running([*calls, other]) == {"a": 2, "b": 1}
        for ended, place in enumerate((1, 0, 3, 2)):
            goes[place].set()
            await pool.answered(ended + 1)
            assert running([call for call in calls if call.id not in dict(pool.answers)]) == {"a": 2}
        pool.threads.drop(calls[4])
        assert running([call for call in calls if call.id not in dict(pool.answers)]) == {"a": 3}, "and one of them is abandoned"
        assert pool.threads.running == 3
        for go in goes:
            go.set()
        await pool.answered(9)
        await pool.stop()

    run(main)


def test_a_session_over_its_share_is_told_so_when_the_line_is_full_and_others_are_not() -> None:
    async def main() -> None:
        pool = Pool(limit=2, queue=1)
        go = threading.Event()
        refusals = [pool.submit(lambda: go.wait(5), owner=owner)[1] for owner in ("a", "a", "a", "b", "c")]
        assert refusals[:2] == [None, None]
        assert refusals[2] == "this connection has its share of the 2 tool threads and 1 calls wait already; try again in a moment"
        assert refusals[3] is None
        assert refusals[4] == "all 2 tool threads are busy and 1 calls wait already; try again in a moment"
        go.set()
        await pool.answered(3)
        await pool.stop()

    run(main)


def test_a_dropped_waiting_call_never_runs_and_makes_room() -> None:
    async def main() -> None:
        pool = Pool(limit=1, queue=1)
        go = threading.Event()
        ran: list[int] = []
        pool.submit(lambda: go.wait(5))
        waiting, _ = pool.submit(lambda: ran.append(1))
        assert pool.threads.drop(waiting) is False
        assert pool.threads.waiting == 0
        assert pool.submit(lambda: ran.append(2))[1] is None
        go.set()
        await pool.answered(2)
        assert ran == [2]
        await pool.stop()

    run(main)


def test_hung_tools_do_not_stop_the_service_until_the_second_bound() -> None:
    async def main() -> None:
        pool = Pool(limit=2, queue=5)
        hung = threading.Event()
        inside = [asyncio.Event() for _ in range(4)]

        def hangs(entered: asyncio.Event) -> None:
            pool.portal.post(entered.set)
            hung.wait(10)

        stuck = [pool.submit(partial(hangs, entered))[0] for entered in inside[:2]]
        for entered in inside[:2]:
            await entered.wait()
        waiting, _ = pool.submit(lambda: "served")
        assert pool.threads.threads == 2
        assert [pool.threads.drop(call) for call in stuck] == [True, True]
        assert waiting.state is CallState.RUNNING
        await pool.answered(1)
        assert pool.answers == [(waiting.id, Returned("served"))]

        more = [pool.submit(partial(hangs, entered))[0] for entered in inside[2:]]
        for entered in inside[2:]:
            await entered.wait()
        assert [pool.threads.drop(call) for call in more] == [True, True]
        assert (pool.threads.threads, pool.threads.abandoned, pool.threads.running) == (4, 4, 0)
        last, refusal = pool.submit(lambda: "later")
        assert (last.state, refusal) == (CallState.WAITING, None)

        hung.set()
        await pool.answered(6)
        assert (last.id, Returned("later")) in pool.answers
        await until(lambda: pool.threads.threads == 2)  # back to the limit
        assert pool.threads.abandoned == 0
        await pool.stop()

    run(main)


def test_free_threads_retire_oldest_first() -> None:
    async def main() -> None:
        pool = Pool(limit=4, idle_s=0.01)
        go = threading.Event()
        for _ in range(3):
            pool.submit(lambda: go.wait(5))
        go.set()
        await pool.answered(3)
        await until(lambda: pool.threads.threads == 0)
        pool.submit(lambda: "made anew")
        await pool.answered(4)
        assert pool.answers[-1][1] == Returned("made anew")
        await pool.stop()

    run(main)


def test_a_free_thread_keeps_no_result_alive() -> None:
    class Big:
        """Something large."""

    died = threading.Event()

    async def main() -> None:
        pool = Pool()

        def step() -> str:
            big = Big()
            weak_finalize(big, died.set)
            return "small"

        pool.submit(step)
        await pool.answered(1)
        pool.answers.clear()
        del step
        await until(died.is_set)
        await pool.stop()

    from weakref import finalize as weak_finalize

    run(main)


def test_context_variables_do_not_leak_from_one_call_to_the_next() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="clean")

    async def main() -> None:
        pool = Pool(limit=1)
        pool.submit(lambda: [variable.set("dirty")])
        pool.submit(variable.get)
        await pool.answered(2)
        assert pool.answers[1][1] == Returned("clean")
        await pool.stop()

    run(main)


def test_a_thread_killed_from_outside_still_answers_its_call_and_is_replaced() -> None:
    async def main() -> None:
        pool = Pool(limit=1)
        inside = asyncio.Event()
        ident: list[int] = []

        def step() -> None:
            ident.append(threading.get_ident())
            pool.portal.post(inside.set)
            while True:  # only an exception from outside ends this
                pass

        killed, _ = pool.submit(step)
        await inside.wait()
        following, _ = pool.submit(lambda: "alive")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading, "excepthook", lambda _: None)
            [thread] = [thread for thread in threading.enumerate() if thread.ident == ident[0]]
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident[0]), ctypes.py_object(SystemExit))
            await pool.answered(2)
            await asyncio.to_thread(thread.join, 10)  # it reports what ended it after the call was answered
        outcomes = dict(pool.answers)
        killed_by = outcomes[killed.id]
        assert isinstance(killed_by, Raised)
        assert "ended from outside" in str(killed_by.exception)
        assert outcomes[following.id] == Returned("alive")
        await pool.stop()

    run(main)


def test_when_no_thread_can_be_started_calls_are_answered_busy(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    real_start = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("mcp-tool-") and thread.name != "mcp-tool-starter":
            raise RuntimeError("can't start new thread")
        real_start(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    async def main() -> None:
        pool = Pool(limit=1)
        pool.submit(int)
        pool.submit(int)
        await pool.answered(2)
        assert all(isinstance(outcome, Busy) for _, outcome in pool.answers)
        assert pool.threads.threads == 0
        await pool.stop()

    run(main)
    assert "no further tool thread could be started" in caplog.text


def test_when_no_further_thread_can_be_started_calls_wait_for_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    real_start = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "mcp-tool-2":
            raise RuntimeError("can't start new thread")
        real_start(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    async def main() -> None:
        pool = Pool(limit=2)
        go = threading.Event()
        pool.submit(lambda: go.wait(5))
        second, _ = pool.submit(lambda: "in the first one's thread")
        await until(lambda: second.state is CallState.WAITING)
        go.set()
        await pool.answered(2)
        assert pool.answers[1] == (second.id, Returned("in the first one's thread"))
        await pool.stop()

    run(main)


def test_a_free_thread_takes_over_calls_whose_threads_are_still_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    real_start = threading.Thread.start
    may_start = threading.Event()

    def start(thread: threading.Thread) -> None:
        if thread.name in {"mcp-tool-2", "mcp-tool-3"}:
            may_start.wait(5)
        real_start(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    async def main() -> None:
        pool = Pool(limit=3, queue=3)
        go = threading.Event()
        pool.submit(lambda: go.wait(5))
        late = [pool.submit(lambda: threading.current_thread().name)[0] for _ in range(4)]
        assert [call.state for call in late] == [CallState.RUNNING] * 2 + [CallState.WAITING] * 2
        assert pool.threads.drop(late[1]) is False  # it is taken back from a thread that has not started
        assert pool.threads.abandoned == 0
        assert [call.state for call in late[2:]] == [CallState.RUNNING, CallState.WAITING]
        go.set()
        await pool.answered(4)
        assert [call_id for call_id, _ in pool.answers] == ["c1", "c2", "c4", "c5"]
        assert {outcome for _, outcome in pool.answers[1:]} == {Returned("mcp-tool-1")}

        pool.submit(lambda: threading.current_thread().name)
        pool.submit(lambda: threading.current_thread().name)  # to a thread that rests and has not started yet
        await pool.answered(6)
        assert {outcome for _, outcome in pool.answers[4:]} == {Returned("mcp-tool-1")}
        may_start.set()
        await pool.stop()

    run(main)


def test_stopping_ends_free_threads_now_and_busy_ones_after_their_call() -> None:
    async def main() -> None:
        before = set(threading.enumerate())
        pool = Pool(limit=3)
        go = threading.Event()
        pool.submit(lambda: go.wait(5))
        pool.submit(int)
        await pool.answered(1)
        pool.threads.stop()
        go.set()
        await pool.threads.wait_gone()
        assert set(threading.enumerate()) == before
        assert len(pool.answers) == 2

    run(main)


def test_threads_are_daemons_and_named() -> None:
    async def main() -> None:
        pool = Pool()
        pool.submit(lambda: (threading.current_thread().name, threading.current_thread().daemon))
        await pool.answered(1)
        assert pool.answers[0][1] == Returned(("mcp-tool-1", True))
        await pool.stop()

    run(main)


def test_a_principal_with_many_sessions_leaves_a_quarter_of_the_threads_and_half_of_the_line_to_others() -> None:
    gate = threading.Event()

    async def main() -> None:
        pool = Pool(limit=16, queue=40)
        try:
            refusals = [pool.submit(gate.wait, owner=f"s{number % 12}", principal="bob")[1] for number in range(60)]
            assert pool.threads.running == 12
            assert pool.threads.waiting == 20
            assert refusals[-1] == (
                "this connection has its share of the 16 tool threads and 20 calls, its share, wait already; try again in a moment"
            )
            done = threading.Event()
            pool.submit(done.set, owner="a1", principal="alice")
            await pool.answered(1)
            assert done.is_set(), "whoever comes next is run at once"
            for number in range(4):
                assert pool.submit(gate.wait, owner=f"a{number}", principal="alice")[1] is None
            assert pool.threads.running == 14, "the rule is the same for those"
        finally:
            gate.set()
        await pool.answered(1 + 12 + 20 + 4)
        assert pool.threads._held == pool.threads._held_by == {}
        await pool.stop()

    run(main)


def test_one_session_alone_gets_half_and_a_further_one_of_its_principal_finds_some_free() -> None:
    gate = threading.Event()

    async def main() -> None:
        pool = Pool(limit=16, queue=40)
        try:
            running = []
            for owner in ("s1", "s2", "s3"):
                for _ in range(9):
                    pool.submit(gate.wait, owner=owner, principal="bob")
                running.append(pool.threads.running)
            assert running == [8, 10, 11]
        finally:
            gate.set()
        await pool.answered(27)
        await pool.stop()

    run(main)
