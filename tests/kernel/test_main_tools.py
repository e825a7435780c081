"""Tools with `run_on="main"` in a real kernel: between cells, behind cells, interrupted, and called by cells themselves."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_workbench.client import ClientSession, connect
from tests.kernel.harness import ServingKernel, address, cell, ran, real_kernel, running_cell

pytestmark = pytest.mark.kernel

MAIN_TOOLS = """
import asyncio
import concurrent.futures
import os
import threading

stop, held, order = threading.Event(), threading.Event(), []

def place():
    return threading.current_thread() is threading.main_thread(), os.getpid()

@wb.tool(run_on="main")
def where() -> list:
    order.append("where")
    return list(place())

@wb.tool(run_on="main")
async def where_async(ctx: wb.AsyncContext) -> list:
    await asyncio.sleep(0)
    ctx.report_progress(1, 1)
    own_loop = asyncio.get_running_loop() is get_ipython().kernel.io_loop.asyncio_loop
    return [*place(), own_loop]

@wb.tool(run_on="main")
async def where_through_myself() -> str:
    async with wb.connect() as session:
        return (await session.call_tool("where")).text

@wb.tool(run_on="main")
def folders(ctx: wb.Context) -> int:
    return len(ctx.roots())

@wb.tool(run_on="main")
async def folders_async(ctx: wb.AsyncContext) -> int:
    return len(await ctx.roots())

@wb.tool(run_on="main")
def hold(how: str) -> None:
    held.set()
    while how == "computes":
        pass
    # In pieces: a signal just before Python calls the system ends that call only when it returns, in any program.
    # A test that strikes as the sleep begins meets those microseconds now and then; one sleep of 60 s would be slept to its end.
    for _ in range(600):
        time.sleep(0.1)

@wb.tool(run_on="main")
async def hold_async(how: str) -> None:
    held.set()
    while how == "computes":
        pass
    await asyncio.sleep(60)

@wb.tool
def holds() -> bool:
    return held.wait(20)

@wb.tool(run_on="main")
def in_steps(ctx: wb.Context) -> None:
    ctx.report_progress(0, 2, "reading")

@wb.tool
def stop_it() -> None:
    stop.set()

@wb.tool(run_on="main")
def correct(to: float) -> None:
    flights.loc[0, "delay"] = to

@wb.tool(run_on="main")
def leave(how: str) -> None:
    raise {"exit": SystemExit(3), "interrupt": KeyboardInterrupt(), "error": ValueError("bad luck")}[how]

@wb.tool(run_on="main")
async def leave_async(how: str) -> None:
    await asyncio.sleep(0)
    leave(how)
"""
BUSY = "print('begun')\nassert stop.wait(20)\norder.append('cell')"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingKernel]:
    with real_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        ran(kernel.run(MAIN_TOOLS))
        yield kernel


@pytest.fixture
def kernel(shared: ServingKernel) -> ServingKernel:
    """Serving, with nothing held and nothing stopped."""
    ran(shared.run("server = wb.start()\nstop.clear(); held.clear(); order.clear()"))
    return shared


class Caller:
    """A client, and what it was told of its calls' progress."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.said: list[str | None] = []
        self.progress: list[float] = []
        self.heard = asyncio.Event()
        self._latest = float("-inf")

    def note(self, progress: float, total: float | None, message: str | None) -> None:
        assert progress > self._latest
        self._latest = progress
        self.said.append(message)
        self.progress.append(progress)
        self.heard.set()

    async def call(self, tool: str, **arguments: Any) -> Any:
        """What a tool returned; it must have ended well."""
        result = await self.session.call_tool(tool, arguments, on_progress=self.note)
        assert not result.is_error, result
        return result.structured["result"] if result.structured else result.text

    async def fails(self, tool: str, **arguments: Any) -> str:
        """What a call was told that did not end well."""
        result = await self.session.call_tool(tool, arguments)
        assert result.is_error, result
        return result.text


async def played(kernel: ServingKernel, play: Any) -> None:
    url, token = address(kernel)
    async with asyncio.timeout(30), connect(url, token=token) as session:
        await play(Caller(session))


def play(kernel: ServingKernel, scene: Any) -> None:
    """Run a scene with a client of another process."""
    asyncio.run(played(kernel, scene))


def test_between_cells_calls_run_on_the_main_thread_and_coroutines_on_its_loop(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        assert await caller.call("where") == [True, kernel.pid]
        assert caller.said == []
        assert await caller.call("where_async") == [True, kernel.pid, True]

    play(kernel, scene)


def test_what_a_main_tool_changed_is_published_without_any_cell(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with caller.session.subscribe("df://flights") as updates:
            await caller.call("correct", to=77.0)
            await anext(aiter(updates))
            assert "UA,77.0" in (await caller.session.read_resource("df://flights/rows")).text

    play(kernel, scene)


def test_a_call_behind_a_busy_cell_is_told_which_and_runs_when_that_has_ended(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks, running_cell(kernel, BUSY):
            waiting = tasks.create_task(caller.call("where"))
            await caller.heard.wait()
            more = [tasks.create_task(caller.session.call_tool("where")) for _ in range(3)]
            await caller.call("stop_it")
            assert await waiting == [True, kernel.pid]
            assert [(await each).is_error for each in more] == [False, False, False]
        [first, last] = caller.said
        assert first is not None
        assert first.startswith("queued behind cell [")
        assert first.endswith("], running 0 s")
        assert last == "running"
        assert (await cell(kernel, "order")).result == "['cell', 'where', 'where', 'where', 'where']"
        behind = await cell(kernel, "[call.queued_behind for call in server.telemetry.calls(5) if call.target == 'where'][0]")
        assert f"queued behind {behind.result}" == f"queued behind {first.removeprefix('queued behind ')!r}"

    play(kernel, scene)


def test_news_of_the_waiting_is_tiny_progress_and_a_tools_own_beginning_comes_through(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks, running_cell(kernel, BUSY):
            waiting = tasks.create_task(caller.call("in_steps"))
            await caller.heard.wait()
            await caller.call("stop_it")
            await waiting
        [queued, *_, begun] = caller.said
        assert queued is not None
        assert queued.startswith("queued behind cell [")
        assert begun == "reading"
        assert all(0 < value < 1e-3 for value in caller.progress), caller.progress

    play(kernel, scene)


def test_a_cell_gets_its_turn_between_many_calls(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks:
            async with running_cell(kernel, BUSY):
                for _ in range(40):
                    tasks.create_task(caller.call("slow"))
                next_cell = kernel.begin("order.append('next cell')")
                await caller.call("stop_it")
            ran(await asyncio.to_thread(kernel.finish, next_cell))
        seen = (await cell(kernel, "order.index('next cell')")).result
        assert seen is not None
        assert int(seen) < 20, "the cell came after the calls"

    ran(kernel.run("@wb.tool(run_on='main')\ndef slow() -> None:\n    time.sleep(0.02)\n    order.append('slow')"))
    play(kernel, scene)


@pytest.mark.parametrize(("tool", "how"), [("hold", "computes"), ("hold", "sleeps"), ("hold_async", "computes")])
def test_an_interrupt_ends_the_tool_that_runs_and_nothing_else(kernel: ServingKernel, tool: str, how: str) -> None:
    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks:
            held = tasks.create_task(caller.fails(tool, how=how))
            assert await caller.call("holds") == "true"
            assert f" · kernel busy with a call of {tool} for " in await caller.call("notebook_status") or tool == "hold_async"
            kernel.process.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt: the person interrupted it (in " in await held
        assert await caller.call("where") == [True, kernel.pid]

    play(kernel, scene)
    assert ran(kernel.run("1 + 1")).result == "2"


def test_an_interrupt_while_nothing_runs_does_nothing(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        kernel.process.send_signal(signal.SIGINT)
        assert await caller.call("where") == [True, kernel.pid]
        # A tool that waits blocks nobody, so the interrupt is not for it; its caller can cancel it.
        waiting = asyncio.get_running_loop().create_task(caller.fails("hold_async", how="waits"))
        assert await caller.call("holds") == "true"
        kernel.process.send_signal(signal.SIGINT)
        assert await caller.call("where_async") == [True, kernel.pid, True]
        assert not waiting.done()
        waiting.cancel()

    play(kernel, scene)
    assert ran(kernel.run("1 + 1")).result == "2"


@pytest.mark.parametrize("tool", ["leave", "leave_async"])
@pytest.mark.parametrize(("how", "told"), [("exit", "SystemExit"), ("interrupt", "KeyboardInterrupt"), ("error", "bad luck")])
def test_a_main_tool_that_raises_anything_harms_nobody(kernel: ServingKernel, tool: str, how: str, told: str) -> None:
    async def scene(caller: Caller) -> None:
        assert told in await caller.fails(tool, how=how)
        assert await caller.call("where") == [True, kernel.pid]

    play(kernel, scene)
    assert ran(kernel.run("1 + 1")).result == "2"


def test_a_cell_that_awaits_gets_its_own_calls_and_nobody_elses(kernel: ServingKernel) -> None:
    own = """
print("begun")
async with wb.connect() as session:
    answers = [(await session.call_tool(tool)).text for tool in ("where", "where_async", "where_through_myself")]
    while not stop.is_set():
        await asyncio.sleep(0.01)
order.append("cell")
answers
"""

    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks, running_cell(kernel, own) as awaiting:
            other = tasks.create_task(caller.call("where"))
            await caller.heard.wait()
            await caller.call("stop_it")
            await other
        assert awaiting.error is None
        assert awaiting.result is not None
        assert awaiting.result.count("true") == 4
        # The cell's own two, and the other's only when the cell had ended.
        assert (await cell(kernel, "order")).result == "['where', 'where', 'cell', 'where']"

    play(kernel, scene)


THREAD_OF_THE_USER = """
answer = concurrent.futures.Future()

def client():
    async def main():
        async with wb.connect() as session:
            return (await session.call_tool("where")).text
    answer.set_result(asyncio.run(main()))

threading.Thread(target=client, daemon=True).start()
"""


def test_a_client_in_a_thread_of_the_user_is_served_between_cells_and_by_a_cell_that_waits_on_purpose(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        await cell(kernel, THREAD_OF_THE_USER)
        assert "true" in await caller.call("user_answer")
        waits = await cell(kernel, THREAD_OF_THE_USER + "wb.Workbench._wait_for(server, answer, 20)")
        assert waits.result is not None
        assert "true" in waits.result

    ran(kernel.run("@wb.tool\ndef user_answer() -> str:\n    return answer.result(20)"))
    play(kernel, scene)


def test_wait_lends_the_main_thread_until_the_server_stops(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with running_cell(kernel, "print('begun')\nwb.wait()") as waiting:
            assert await caller.call("where") == [True, kernel.pid]
            kernel.process.send_signal(signal.SIGINT)
        assert waiting.error == "KeyboardInterrupt: "
        assert ran(await asyncio.to_thread(kernel.run, "wb.wait(0)")).result == "False"

    play(kernel, scene)
    ran(kernel.run("threading.Timer(0.1, wb.stop).start()\nassert wb.wait(20)"))


def test_stopping_refuses_what_waits_at_once(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks:
            # With a minute of grace: what waits must not have it.
            async with running_cell(kernel, "print('begun')\nassert stop.wait(20)\nserver._stop(60, 5)") as stopping:
                waiting = tasks.create_task(caller.session.call_tool("where", on_progress=caller.note))
                await caller.heard.wait()
                await caller.call("stop_it")
                refused = await waiting
            assert stopping.error is None
            assert refused.is_error
            assert "where was not run: the server is shutting down" in refused.text

    play(kernel, scene)


FORK = """
import warnings
print("begun")
assert stop.wait(20)
warnings.simplefilter("ignore")
child = os.fork()
if child == 0:
    try:
        os._exit(0 if server.running else 7)
    finally:
        os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
order.append("cell")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_in_a_cell_leaves_the_queue_to_the_parent(kernel: ServingKernel) -> None:
    async def scene(caller: Caller) -> None:
        async with asyncio.TaskGroup() as tasks, running_cell(kernel, FORK) as forking:
            waiting = tasks.create_task(caller.call("where"))
            await caller.heard.wait()
            await caller.call("stop_it")
            assert await waiting == [True, kernel.pid]
        assert forking.error is None
        assert (await cell(kernel, "order")).result == "['cell', 'where']"

    play(kernel, scene)


def test_a_cell_that_is_run_again_starts_nothing_twice(kernel: ServingKernel) -> None:
    again = "@wb.tool(run_on='main')\ndef again() -> int:\n    return {}\nwb.start() is server"

    async def scene(caller: Caller) -> None:
        assert (await cell(kernel, again.format(1))).result == "True"
        assert await caller.call("again") == "1"
        assert (await cell(kernel, again.format(2))).result == "True"
        assert await caller.call("again") == "2"

    play(kernel, scene)


def test_a_main_tool_asks_its_client_and_an_interrupt_ends_the_waiting(kernel: ServingKernel) -> None:
    async def scene() -> None:
        asked, answers = asyncio.Event(), asyncio.Event()

        async def on_roots() -> list[str]:
            asked.set()
            await answers.wait()
            return ["file:///lent"]

        url, token = address(kernel)
        async with asyncio.timeout(30), connect(url, token=token, era="legacy", on_roots=on_roots) as session, asyncio.TaskGroup() as tasks:
            waits = tasks.create_task(session.call_tool("folders"))
            await asked.wait()
            kernel.process.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt: the person interrupted it" in (await waits).text
            answers.set()
            assert [(await session.call_tool(tool)).text for tool in ("folders", "folders_async")] == ["1", "1"]

    asyncio.run(scene())
    own = """
async with wb.connect(on_roots=lambda: ["file:///a"]) as session:
    answers = [(await session.call_tool(tool)).text for tool in ("folders", "folders_async")]
answers
"""
    refused, told = ast.literal_eval(str(ran(kernel.run(own)).result))
    assert "both have the notebook's main thread" in refused
    assert told == "1"
