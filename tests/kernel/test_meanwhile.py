"""What clients do while the person works, or does nothing: calls during cells, changes without cells, and no noise."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosedError

from mcp_workbench.client import connect
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from tests.kernel.harness import (
    ERAS,
    FLIGHTS,
    FRESH_CELL,
    EraName,
    ServingKernel,
    address,
    agent,
    agents,
    cell,
    ran,
    real_kernel,
    running_cell,
)

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingKernel]:
    with real_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        ran(kernel.run(MORE_TOOLS))
        yield kernel


@pytest.fixture
def kernel(shared: ServingKernel) -> ServingKernel:
    """With three flights in it, published."""
    ran(shared.run(FRESH_CELL))
    shared.strays.clear()
    return shared


MORE_TOOLS = """
import sys
import threading

stop = threading.Event()

@wb.tool
def stop_it() -> None:
    stop.set()

@wb.tool
def correct(to: float) -> None:
    flights.loc[0, "delay"] = to

@wb.tool
def leave(how: str) -> None:
    print("about to leave by", how)
    print("and on stderr", file=sys.stderr)
    raise {"error": ValueError("bad luck"), "exit": SystemExit(3), "interrupt": KeyboardInterrupt()}[how]

@wb.tool
async def leave_async(how: str) -> None:
    leave(how)

@wb.tool(run_on="inline")
def leave_inline(how: str) -> None:
    leave(how)
"""


@pytest.mark.parametrize("work", ["while not stop.is_set(): pass", "while not stop.is_set(): time.sleep(0.2)"], ids=["computes", "sleeps"])
@pytest.mark.parametrize("era", ERAS)
def test_calls_reads_and_lists_are_answered_while_a_cell_works(kernel: ServingKernel, era: EraName, work: str) -> None:
    async def main() -> None:
        await cell(kernel, "stop.clear()")
        async with agent(kernel, era) as visitor, running_cell(kernel, f"print('begun')\n{work}"):
            assert (await visitor.session.call_tool("add", a=1, b=2)).text == "3"
            assert (await visitor.rows())[1] == "UA,2.0"
            assert "add" in [tool.name for tool in await visitor.session.list_tools()]
            # Only this call lets the cell end: everything above was answered before.
            assert not (await visitor.session.call_tool("stop_it")).is_error

    asyncio.run(main())


def test_a_change_made_by_a_tool_is_noticed_without_any_cell(kernel: ServingKernel) -> None:
    async def main() -> None:
        async with agents(kernel) as visitors:
            before = await visitors.version()
            for n in range(1, 4):
                await visitors.call("correct", to=float(n))
                await visitors.hear(FLIGHTS)
                assert (await visitors.rows())[1] == f"UA,{n}.0"
            assert await visitors.version() == before + 3

    asyncio.run(main())


def test_a_change_made_by_a_tool_during_a_cell_is_told_when_the_cell_ends(kernel: ServingKernel) -> None:
    async def main() -> None:
        await cell(kernel, "stop.clear()")
        async with agents(kernel) as visitors:
            async with running_cell(kernel, "print('begun')\nstop.wait(20)\nflights.loc[0, 'delay'] += 1"):
                await visitors.call("correct", to=20.0)
                assert await visitors.settle() == []
                await visitors.call("stop_it")
            await visitors.hear(FLIGHTS)
            assert (await visitors.rows())[1] == "UA,21.0"
            assert await visitors.settle() == [FLIGHTS]

    asyncio.run(main())


def printed(kernel: ServingKernel) -> list[str]:
    """Every line that came from no cell's own code since the test began, wherever the kernel has put it."""
    look = kernel.run("sys.stdout.flush(); sys.stderr.flush()")
    # The channel keeps the order: what was printed before this cell is here.
    streams = [message["content"]["text"] for message in kernel.strays if message["msg_type"] == "stream"]
    assert len(streams) == len(kernel.strays), kernel.strays
    return "".join([look.stdout, look.stderr, *streams]).splitlines()


@pytest.mark.parametrize("tool", ["leave", "leave_async", "leave_inline"])
@pytest.mark.parametrize("how", ["error", "exit", "interrupt"])
def test_a_tool_that_raises_anything_harms_neither_the_kernel_nor_its_cells(kernel: ServingKernel, tool: str, how: str) -> None:
    async def main() -> None:
        async with agent(kernel, "modern") as visitor:
            assert (await visitor.session.call_tool(tool, how=how)).is_error
            assert (await visitor.session.call_tool("add", a=1, b=2)).text == "3"

    asyncio.run(main())
    assert set(printed(kernel)) <= {f"about to leave by {how}", "and on stderr"}


async def send_raw(url: str, token: str, *texts: str | bytes) -> None:
    """Say something the server did not expect, wait for its answer or its farewell, and vanish."""
    headers = {"Authorization": f"Bearer {token}"}
    async with asyncio.timeout(10), connect_websocket(url, additional_headers=headers, compression=None) as channel:
        for text in texts:
            await channel.send(text)
        with contextlib.suppress(ConnectionClosedError):
            await channel.recv()
        channel.transport.abort()


def test_clients_that_misbehave_leave_no_trace_in_any_cell(kernel: ServingKernel) -> None:
    url, token = address(kernel)
    where = (urlsplit(url).hostname, urlsplit(url).port)

    async def main() -> None:
        with pytest.raises(HandshakeRefused):
            await connect(url, token="wrong")
        await send_raw(url, token, "{not json", '{"jsonrpc":"2.0","id":1,"method":"initialize"}', "[]", "null")
        await send_raw(url, token, b"\x00\xff\x00")
        await send_raw(url, token, '{"jsonrpc":"2.0","id":1,"method":"ping"}', '{"jsonrpc":"1.0"}')
        await send_raw(url, token, "x" * 2_000_000)

    asyncio.run(main())
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET /mcp HTTP/1.1\r\nHost: evil.example\r\n\r\n"):
        with socket.create_connection(where, timeout=10) as plain:
            plain.sendall(noise)
    assert printed(kernel) == []


def test_a_session_that_crashes_is_closed_and_leaves_no_trace_in_any_cell(kernel: ServingKernel) -> None:
    ran(
        kernel.run(
            """
from mcp_workbench.sessions.session import Session
whole = Session.receive_text
def broken(self, text):
    raise RuntimeError("a fault of the workbench")
Session.receive_text = broken
"""
        )
    )
    url, token = address(kernel)

    async def crash() -> None:
        with pytest.raises(ConnectionClosed) as closed:
            await connect(url, token=token, era="modern")
        assert closed.value.code == 1011

    async def again() -> None:
        async with agent(kernel, "modern") as visitor:
            assert (await visitor.session.call_tool("add", a=1, b=2)).text == "3"

    asyncio.run(crash())
    ran(kernel.run("Session.receive_text = whole"))
    asyncio.run(again())
    assert printed(kernel) == []


def test_a_fault_in_the_protocol_loop_leaves_no_trace_in_any_cell(kernel: ServingKernel) -> None:
    ran(kernel.run("server._running._engine.post(lambda: 1 / 0)\nserver._running._engine.call(lambda: None)"))
    assert printed(kernel) == []


INTERVAL = "import sys\nprint(round(sys.getswitchinterval(), 6))"


async def interval(kernel: ServingKernel) -> float:
    return float((await cell(kernel, INTERVAL)).stdout)


async def wait_until_alone(kernel: ServingKernel) -> None:
    """Until the server has seen its last client go."""
    await cell(
        kernel,
        """
gone = threading.Event()
server._running.sessions.on_population.append(lambda n: n or gone.set())
assert not len(server._running.sessions) or gone.wait(20)
""",
    )


def test_threads_change_more_often_only_while_a_client_is_connected(kernel: ServingKernel) -> None:
    async def main() -> None:
        await wait_until_alone(kernel)
        before = await interval(kernel)
        async with agent(kernel, "legacy"):
            assert await interval(kernel) == 0.0005
            async with agent(kernel, "modern"):
                assert await interval(kernel) == 0.0005
        await wait_until_alone(kernel)
        assert await interval(kernel) == before > 0.0005

    asyncio.run(main())


def test_a_switch_interval_that_the_person_sets_meanwhile_stays(kernel: ServingKernel) -> None:
    async def main() -> None:
        await wait_until_alone(kernel)
        before = await interval(kernel)
        async with agent(kernel, "legacy"):
            await cell(kernel, "sys.setswitchinterval(0.002)")
        await wait_until_alone(kernel)
        assert await interval(kernel) == 0.002
        await cell(kernel, f"sys.setswitchinterval({before})")

    asyncio.run(main())
