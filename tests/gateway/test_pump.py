from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.gateway.pump import HIGH_WATER_BYTES, Pump


class Kernel:
    """A channel whose pace the test decides."""

    def __init__(self) -> None:
        self.receiver: Any = None
        self.sent: list[bytes] = []
        self.writable = True
        self.paused = False

    def open(self, receiver: Any) -> None:
        self.receiver = receiver

    def send(self, text: bytes) -> None:
        self.sent.append(text)

    def pause_receiving(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_receiving(self) -> None:
        assert self.paused
        self.paused = False


class Client:
    """The other half; the test says when a text has left."""

    def __init__(self) -> None:
        self.sending: list[asyncio.Future[None]] = []
        self.sent: list[bytes] = []
        self.ends: list[tuple[int, str]] = []
        self.gone = False

    def send(self, text: bytes) -> asyncio.Future[None] | None:
        if self.gone:
            return None
        self.sent.append(text)
        self.sending.append(asyncio.get_running_loop().create_future())
        return self.sending[-1]

    def end(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))


def pair() -> tuple[Kernel, Client, Pump]:
    kernel, client = Kernel(), Client()
    return kernel, client, Pump(kernel, client)  # type: ignore[arg-type]  # the parts of a channel that a pump uses


async def turn() -> None:
    """Let callbacks that are due run."""
    await asyncio.sleep(0)


@given(st.lists(st.one_of(st.none(), st.integers(1, 3 * HIGH_WATER_BYTES)), max_size=30))
def test_the_kernel_is_read_exactly_while_little_waits_for_the_client(steps: list[int | None]) -> None:
    """A number: the kernel sends so many bytes if it is read; None: the oldest text leaves."""

    async def main() -> None:
        kernel, client, _ = pair()
        waiting: list[int] = []
        for step in steps:
            if step is None and waiting:
                client.sending[len(client.sent) - len(waiting)].set_result(None)
                waiting.pop(0)
                await turn()
            elif step is not None and not kernel.paused:
                kernel.receiver.receive_text(b"x" * step)
                waiting.append(step)
            assert kernel.paused == (sum(waiting) > HIGH_WATER_BYTES)
        for sending in client.sending:
            if not sending.done():
                sending.set_result(None)
        await turn()
        assert not kernel.paused

    asyncio.run(main())


def test_the_client_is_read_again_when_the_kernel_has_read() -> None:
    async def main() -> None:
        kernel, _, pump = pair()
        assert pump.pass_on(b"one") is None
        kernel.writable = False
        waiting = _started(pump.pass_on(b"two"))
        await turn()
        kernel.receiver.receive_writable()  # but full again by the time it is looked at
        await turn()
        assert not waiting.done()
        kernel.writable = True
        kernel.receiver.receive_writable()
        await waiting
        assert kernel.sent == [b"one", b"two"]

    asyncio.run(main())


def test_the_end_of_the_kernels_half_wakes_who_waits_for_it_and_is_told_once() -> None:
    async def main() -> None:
        kernel, client, pump = pair()
        kernel.writable = False
        waiting = _started(pump.pass_on(b"one"))
        await turn()
        kernel.receiver.receive_close(1000, "done")
        await waiting
        assert client.ends == [(1000, "done")]
        assert pump.pass_on(b"into the void") is None

    asyncio.run(main())


def test_a_client_that_is_gone_leaves_no_complaint_and_no_pause() -> None:
    async def main() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        kernel, client, _ = pair()
        kernel.receiver.receive_text(b"x" * (HIGH_WATER_BYTES + 1))
        kernel.receiver.receive_text(b"y")
        client.sending[0].set_exception(ConnectionResetError())
        client.sending.pop(1).cancel()
        await turn()
        assert not kernel.paused
        client.gone = True
        client.sending.clear()
        kernel.receiver.receive_text(b"x" * (HIGH_WATER_BYTES + 1))
        assert not kernel.paused
        assert complaints == []

    asyncio.run(main())


def _started(waiting: Awaitable[None] | None) -> asyncio.Future[None]:
    assert waiting is not None
    return asyncio.gather(waiting)  # type: ignore[return-value]  # only waited for
