"""A client's socket out of tornado's hands, and what of it must stay in them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tornado.iostream import IOStream, StreamClosedError

from mcp_workbench.gateway import direct, proxy
from mcp_workbench.gateway.direct import join, take_over
from mcp_workbench.limits import MIB
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.memory import memory_pair
from mcp_workbench.transports.websocket import LANDING_BYTES
from mcp_workbench.transports.websocket_client import open_websocket
from tests.gateway.jupyter import BASE, KERNEL, jupyter, kernel, run
from tests.support.channels import Listener
from tests.support.raw_websocket import RawConnection, frame, request
from tests.transports.test_websocket_server import tls_pair


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each connection that went this way."""
    seen: list[str] = []

    async def note(*args: object, **pace: float) -> None:
        seen.append("joined")
        await join(*args, **pace)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(proxy, "join", note)
    return seen


def handshake(port: int, token: str) -> bytes:
    return request(port, target=f"{BASE}mcp-workbench/kernels/{KERNEL}/mcp", extra=[f"Authorization: token {token}"])


def test_what_a_client_sends_before_it_has_been_answered_is_not_lost(tmp_path: Path, taken: list[str]) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            client = await RawConnection.dial(here.port)
            large = b"x" * 100_000  # more than tornado reads at a time
            client.send(handshake(here.port, here.token) + frame(b"one") + frame(large) + frame(b"two"))
            assert (await client.head()).status == 101
            assert [await client.text(), await client.text(), await client.text()] == [b"one", large, b"two"]
            assert taken == ["joined"]
            await client.leave()
            await there.listeners[0].until_closed()

    run(main)


@pytest.mark.parametrize("size", [1_001, 70_000, 2 * MIB])
def test_a_text_too_large_is_refused_with_1009_also_when_it_is_sent_before_the_answer(size: int, tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path, McpWorkbenchGateway={"max_message_bytes": 1000}) as here:
            client = await RawConnection.dial(here.port)
            client.send(handshake(here.port, here.token) + frame(b"one") + frame(b"x" * size))
            assert (await client.head()).status == 101
            assert (await client.closing()).code == 1009
            await client.hang_up()
            assert (await there.listeners[0].until_closed())[0] == 1009
            assert there.listeners[0].texts == [b"one"]

    run(main)


def test_many_small_texts_may_be_more_than_a_large_one_before_the_answer(tmp_path: Path, taken: list[str]) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path, McpWorkbenchGateway={"max_message_bytes": 1000}) as here:
            client = await RawConnection.dial(here.port)
            texts = [b"%d" % n * 100 for n in range(1000)]
            client.send(handshake(here.port, here.token) + b"".join(map(frame, texts)))
            assert (await client.head()).status == 101
            assert await there.listeners[0].until_texts(1000) == texts
            assert taken == ["joined"]
            await client.leave()

    run(main)


class Filled:
    """A stream of tornado's, of a client that never stops: it reads so much at a time and keeps what was not asked for."""

    def __init__(self, at_a_time: int) -> None:
        self.held, self.given = 0, 0
        self._at_a_time = at_a_time

    def read_bytes(self, most: int, partial: bool) -> asyncio.Future[bytes]:
        self.held = self.held or self._at_a_time
        count = min(most, self.held)
        self.held, self.given = self.held - count, self.given + count
        (given := asyncio.get_running_loop().create_future()).set_result(b"x" * count)
        return given


@pytest.mark.parametrize("at_a_time", [LANDING_BYTES, LANDING_BYTES - 1, 1000, 2 * LANDING_BYTES - 1])
def test_a_client_that_never_stops_is_not_read_for_ever_and_nothing_of_it_is_left_behind(at_a_time: int) -> None:
    async def main() -> None:
        stream: Any = Filled(at_a_time)
        sent = direct._sent_early(stream, MIB)
        assert (len(sent), stream.held) == (stream.given, 0)
        assert MIB < len(sent) <= MIB + 5 * LANDING_BYTES

    asyncio.run(main())


def test_a_client_that_is_gone_when_it_is_its_turn_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async def late(stream: IOStream, **wishes: Any) -> Channel:
            client.abort()
            asked.set()
            with pytest.raises(StreamClosedError):
                await stream.read_bytes(1)
            return await take_over(stream, **wishes)

        asked = asyncio.Event()
        monkeypatch.setattr(proxy, "take_over", late)
        async with kernel() as there, jupyter(tmp_path, McpWorkbenchGateway={"max_connections": 1}) as here:
            client = await RawConnection.dial(here.port)
            client.send(handshake(here.port, here.token))
            await asked.wait()
            assert (await there.listeners[0].until_closed())[0] == 1001
            monkeypatch.undo()
            channel, listener = await here.open()
            channel.close()
            await listener.until_closed()
            await there.listeners[1].until_closed()

    run(main)


def test_where_jupyter_itself_ends_tls_tornado_goes_on(tmp_path: Path, taken: list[str]) -> None:
    tls, trusted = tls_pair(tmp_path)

    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path, tls=tls) as here:
            url = here.url().replace("ws://127.0.0.1", "wss://localhost")
            channel = await open_websocket(url, headers={"Authorization": f"token {here.token}"}, ssl=trusted)
            listener = Listener()
            channel.open(listener)
            channel.send(b"text")
            assert await listener.until_texts(1) == [b"text"]
            assert taken == []
            channel.close()
            await there.listeners[0].until_closed()
            await listener.until_closed()

    run(main)


def test_a_client_that_gives_no_sign_of_life_is_dropped_and_one_that_does_is_not() -> None:
    async def main() -> None:
        (client, far), (ours, its_kernel) = memory_pair(), memory_pair()
        ears, kernels_ears = Listener(), Listener()
        its_kernel.open(kernels_ears)
        far.open(ears)
        joined = start_task(join(client, ours, ping_every_s=0.001, dead_after_s=0.002), name="joined")
        for _ in range(10):
            far.send(b"here I am")
            await kernels_ears.until_texts(len(kernels_ears.texts) + 1)
        assert kernels_ears.closes == []
        far.pause_receiving()
        await joined
        assert (await kernels_ears.until_closed())[0] == 1001

    run(main)
