"""`run_on="main"` in kernels that are not as others: a GUI's loop, loops within loops, a second kernel, a restart."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mcp_workbench.client import connect
from mcp_workbench.errors import ConnectionClosed
from tests.kernel.harness import ServingKernel, cell, ran, real_kernel, running_cell

pytestmark = pytest.mark.kernel

SERVING = """
import asyncio
import os
os.environ["JPY_SESSION_NAME"] = "/home/ann/flights.ipynb"
import threading
import time
import mcp_workbench as wb

stop = threading.Event()

@wb.tool(run_on="main")
def pid() -> int:
    assert threading.current_thread() is threading.main_thread()
    return os.getpid()

@wb.tool(run_on="main")
async def pid_async() -> int:
    return pid()

@wb.tool
def stop_it() -> None:
    stop.set()

server = wb.start()
"""
GUI = """
from ipykernel.eventloops import get_shell_stream, register_integration

stubborn, in_gui = threading.Event(), threading.Event()

@register_integration("patient")
def loop_patient(kernel):
    "When stubborn as those of Qt and Tk: it has the thread until a message comes. Else it polls, as wx does."
    in_gui.set()
    while not get_shell_stream(kernel).flush(limit=1) and stubborn.is_set():
        time.sleep(0.005)
    in_gui.clear()

@wb.tool
def gui_has_it() -> bool:
    stubborn.set()
    return in_gui.wait(20)

@wb.tool
def gui_relents() -> None:
    stubborn.clear()

@wb.tool(run_on="main")
async def pid_later() -> int:
    for _ in range(3):
        await asyncio.sleep(0.001)
    return pid()

%gui patient
"""
OWN_IN_A_LOOP_WITHIN_THE_LOOP = """
import nest_asyncio
nest_asyncio.apply()

async def main():
    async with wb.connect() as session:
        answers = [(await session.call_tool(tool)).text for tool in ("pid", "pid_async")]
        while not stop.is_set():
            await asyncio.sleep(0.01)
        return answers

print("begun")
answers = asyncio.get_event_loop().run_until_complete(main())
answers == [str(os.getpid())] * 2
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServingKernel, ServingKernel]]:
    """Two kernels of one notebook, which share their runtime folder."""
    folder = tmp_path_factory.mktemp("kernel")
    with ExitStack() as stack:
        one, other = [stack.enter_context(real_kernel(folder, SERVING)) for _ in range(2)]
        yield one, other


def entry_of(kernel: ServingKernel) -> dict[str, Any]:
    """How other programs find this kernel."""
    entry: dict[str, Any] = json.loads((kernel.runtime / "mcp-workbench" / f"kernel-{kernel.kernel_id}.json").read_text())
    return entry


async def call(kernel: ServingKernel, tool: str) -> str:
    """Call a tool with a client of its own; it must end well."""
    entry = entry_of(kernel)
    async with asyncio.timeout(20), connect(entry["url"], token=entry["token"]) as session:
        result = await session.call_tool(tool)
        assert not result.is_error, result
        return result.text


def test_two_kernels_of_one_notebook_serve_each_its_own(pair: tuple[ServingKernel, ServingKernel]) -> None:
    async def main() -> None:
        assert [entry_of(kernel)["name"] for kernel in pair] == ["flights", "flights"]
        assert [await call(kernel, "pid") for kernel in pair] == [str(kernel.pid) for kernel in pair]

    asyncio.run(main())


def test_calls_get_the_main_thread_although_a_gui_has_it(pair: tuple[ServingKernel, ServingKernel]) -> None:
    kernel = pair[0]

    async def main() -> None:
        await cell(kernel, GUI)
        for tool in ("pid", "pid_async", "pid_later", "pid"):
            assert await call(kernel, "gui_has_it") == "true"
            assert await call(kernel, tool) == str(kernel.pid)
        # Stubborn, it would also keep cells waiting now and then, with or without us: ipykernel 7.4 may enter it too early.
        await call(kernel, "gui_relents")
        assert (await cell(kernel, "1 + 1")).result == "2"
        await cell(kernel, "%gui")

    asyncio.run(main())


def test_a_loop_within_the_loop_serves_its_own_calls_and_nobody_elses(pair: tuple[ServingKernel, ServingKernel]) -> None:
    kernel = pair[1]

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            async with running_cell(kernel, OWN_IN_A_LOOP_WITHIN_THE_LOOP) as nested:
                others = [tasks.create_task(call(kernel, tool)) for tool in ("pid", "pid_async")]
                await call(kernel, "stop_it")
            assert (nested.error, nested.result) == (None, "True")
            assert [await other for other in others] == [str(kernel.pid)] * 2
        queued = "[call.queued_behind is not None for call in server.telemetry.calls(10) if call.target.startswith('pid')]"
        shown = await cell(kernel, f"{queued}[-4:]")
        assert shown.result == "[False, False, True, True]"

    asyncio.run(main())


def test_a_cell_interrupted_lets_calls_through_and_a_kernel_restarted_serves_again(pair: tuple[ServingKernel, ServingKernel]) -> None:
    kernel = pair[0]

    async def main() -> None:
        before = entry_of(kernel)
        async with asyncio.timeout(40), connect(before["url"], token=before["token"]) as session:
            async with running_cell(kernel, "print('begun')\ntime.sleep(60)"):
                heard = asyncio.Event()
                waiting = asyncio.get_running_loop().create_task(session.call_tool("pid", on_progress=lambda *_: heard.set()))
                await heard.wait()
                kernel.process.send_signal(signal.SIGINT)
            assert (await waiting).text == str(kernel.pid)
            await asyncio.to_thread(kernel.manager.restart_kernel)
            with pytest.raises(ConnectionClosed):
                await session.call_tool("pid")
        await asyncio.to_thread(kernel.connect)
        await asyncio.to_thread(lambda: ran(kernel.run(SERVING)))
        after = entry_of(kernel)
        assert (after["name"], after["url"] != before["url"]) == ("flights", True)
        assert await call(kernel, "pid") == str(kernel.pid)
        assert await call(pair[1], "pid") == str(pair[1].pid)

    asyncio.run(main())
