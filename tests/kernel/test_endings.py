"""Interrupts, stops, forks, restarts and shutdowns of a real kernel, as its clients and its author see them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from mcp_workbench.client import ClientSession, connect
from mcp_workbench.errors import ConnectionClosed, PeerError
from tests.kernel.harness import OPENING_CELL, ServingKernel, address, agent, agents, cell, ran, real_kernel, running_cell

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingKernel]:
    with real_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: ServingKernel) -> ServingKernel:
    """Serving, whatever the test before did."""
    ran(shared.run("server = wb.start()"))
    return shared


async def closed_with(session: ClientSession) -> int:
    """Wait until the server ends the connection; with which code."""
    with pytest.raises(ConnectionClosed) as closed:
        async for _ in session.list_changes():
            pass
    return closed.value.code


# A cell that awaits is left out: interrupted, it is never answered by ipykernel 7.4, with or without a workbench.
@pytest.mark.parametrize("work", ["while True: pass", "time.sleep(60)"], ids=["computes", "sleeps"])
def test_an_interrupted_cell_leaves_clients_connected(kernel: ServingKernel, work: str) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            async with running_cell(kernel, f"flights.loc[0, 'delay'] += 1\nprint('begun')\n{work}") as begun:
                kernel.process.send_signal(signal.SIGINT)
            assert begun.error == "KeyboardInterrupt: "
            await visitors.hear("df://flights")
            assert await visitors.call("add", a=1, b=2) == "3"

    asyncio.run(main())


def test_starting_again_changes_nothing_and_warns_when_asked_for_something_else(kernel: ServingKernel) -> None:
    before = address(kernel)
    assert ran(kernel.run("wb.start() is server")).result == "True"
    other = kernel.run("wb.start(name='other') is server")
    assert (other.error, other.result) == (None, "True")
    assert "already runs at" in other.stderr
    assert "nothing was changed" in other.stderr
    assert address(kernel) == before


def test_a_cell_that_awaits_can_start_the_server_and_be_its_own_client(kernel: ServingKernel) -> None:
    ran(kernel.run("wb.stop()"))
    own = ran(
        kernel.run(
            """
wb.start()
async with wb.connect(era="modern") as session:
    answer = (await session.call_tool("add", a=20, b=22)).text
answer
"""
        )
    )
    assert own.result == "'42'"


def test_stopping_closes_clients_and_starting_serves_what_was_registered(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agent(kernel, "legacy") as visitor:
            await cell(kernel, "wb.stop()")
            assert await closed_with(visitor.session) == 1001
        assert list((kernel.runtime / "mcp-workbench").glob("kernel-*.json")) == []
        await cell(kernel, "wb.start()")
        async with agent(kernel, "modern") as visitor:
            assert (await visitor.session.call_tool("add", a=1, b=2)).text == "3"
            assert "df://flights" in [resource.uri for resource in await visitor.session.list_resources()]

    asyncio.run(main())


FORK = """
import os
to_child, from_parent = os.pipe()
to_parent, from_child = os.pipe()
child = os.fork()
if child == 0:
    try:
        said = []
        for attempt in (lambda: server.url, wb.start):
            try:
                said.append(f"no error: {attempt()}")
            except BaseException as error:
                said.append(f"{type(error).__name__}: {error}")
        os.write(from_child, "\\n".join(said).encode())
        os.read(to_child, 1)
    finally:
        os._exit(0)
os.read(to_parent, 10_000).decode()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_holds_no_connection_and_says_that_it_cannot_serve(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agent(kernel, "modern") as visitor:
            child = await asyncio.to_thread(kernel.run, FORK)  # newer Pythons warn that a process with threads forks
            assert child.error is None
            assert child.result is not None
            assert child.result.count("WorkbenchError: ") == 2, child.result
            assert "forked" in child.result
            assert (await visitor.session.call_tool("add", a=1, b=2)).text == "3"
            url, token = address(kernel)
            # The child lives, so a socket it had kept would stay open.
            await cell(kernel, "wb.stop()")
            assert await closed_with(visitor.session) == 1001
            with pytest.raises(ConnectionClosed, match="connect"):
                await connect(url, token=token)
            await cell(kernel, "os.write(from_parent, b'x'); os.waitpid(child, 0)\nwb.start()")
        async with agent(kernel, "modern") as visitor:
            assert (await visitor.session.call_tool("add", a=1, b=2)).text == "3"

    asyncio.run(main())


def test_a_restarted_kernel_closes_its_clients_and_can_serve_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def main(kernel: ServingKernel) -> None:
        before = address(kernel)
        async with agent(kernel, "legacy") as visitor:
            await asyncio.to_thread(kernel.manager.restart_kernel)
            assert await closed_with(visitor.session) in (1001, 1006)
        await asyncio.to_thread(kernel.connect)
        await cell(kernel, OPENING_CELL)
        assert address(kernel) != before
        async with agents(kernel) as visitors:
            assert await visitors.call("add", a=1, b=2) == "3"
            assert await visitors.rows() == ["carrier,delay", "UA,2.0", "AA,4.0", "B6,2.0"]

    with real_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        asyncio.run(main(kernel))


HANGING_TOOL = """
import threading
hangs = threading.Event()

@wb.tool
def hang() -> None:
    hangs.set()
    threading.Event().wait()
"""


def test_neither_clients_nor_a_hanging_tool_keep_a_kernel_from_ending(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def main(kernel: ServingKernel) -> None:
        await cell(kernel, HANGING_TOOL)
        async with agent(kernel, "modern") as visitor, asyncio.TaskGroup() as tasks:
            call = tasks.create_task(ends_badly(visitor.session))
            await cell(kernel, "assert hangs.wait(20)")
            kernel.client.shutdown()
            # Two and a half seconds are what a non-daemon thread would cost it; Jupyter kills after five.
            assert await asyncio.to_thread(kernel.process.wait, 2.5) == 0
            assert await call in (1001, 1006)

    async def ends_badly(session: ClientSession) -> int:
        try:
            result = await session.call_tool("hang")
        except ConnectionClosed as closed:
            return closed.code
        except PeerError:
            return 1001
        assert result.is_error
        return 1001

    with real_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        asyncio.run(main(kernel))
        assert list((kernel.runtime / "mcp-workbench").glob("kernel-*.json")) == []
