"""Who may come in, what the kernel gets to see of it, and how each end is told to the other side."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer

from mcp_workbench import discovery
from mcp_workbench.errors import HandshakeRefused
from mcp_workbench.gateway import proxy, sentences
from mcp_workbench.gateway.direct import join
from mcp_workbench.gateway.pump import HIGH_WATER_BYTES, Pump
from mcp_workbench.limits import Limits
from mcp_workbench.transports import websocket
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.http_head import render_switch
from mcp_workbench.transports.websocket_client import open_websocket
from tests.gateway.jupyter import BASE, DOORS, KERNEL, OTHER, Jupyter, announce, jupyter, kernel, listen, run
from tests.support.raw_websocket import BINARY, PING, PONG, RawConnection, frame, request

FOREIGN = "https://elsewhere.example"
LANDED_BYTES = 64 * 1024
"""What may have been read at once before it is known that nobody takes it."""


@pytest.fixture(params=["direct", "by tornado"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On channels of our own, and by tornado's WebSocket, as where Jupyter compresses."""
    if request.param == "by tornado":
        monkeypatch.setattr(proxy.Proxy, "get_compression_options", lambda _: {})


Way = Callable[[Jupyter], Awaitable[tuple[str, dict[str, str]]]]
"""Query and headers with which a client comes."""


async def with_header(here: Jupyter) -> tuple[str, dict[str, str]]:
    return "", {"Authorization": f"token {here.token}"}


async def with_query(here: Jupyter) -> tuple[str, dict[str, str]]:
    return f"?token={here.token}", {}


async def with_cookie(here: Jupyter) -> tuple[str, dict[str, str]]:
    return "", {"Cookie": await here.cookie(), "Origin": here.origin}


async def with_nothing(here: Jupyter) -> tuple[str, dict[str, str]]:
    return "", {}


async def with_wrong_header(here: Jupyter) -> tuple[str, dict[str, str]]:
    return "", {"Authorization": f"token {here.token[:-1]}"}


async def with_wrong_query(here: Jupyter) -> tuple[str, dict[str, str]]:
    return f"?token={here.token}x", {}


async def with_cookie_from_a_foreign_page(here: Jupyter) -> tuple[str, dict[str, str]]:
    return "", {"Cookie": await here.cookie(), "Origin": FOREIGN}


async def with_cookie_from_a_foreign_page_in_a_new_browser(here: Jupyter) -> tuple[str, dict[str, str]]:
    return "", {"Cookie": await here.cookie(), "Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}


async def with_a_kernels_own_token(here: Jupyter) -> tuple[str, dict[str, str]]:
    [entry] = [each for each in discovery.find() if each.kernel_id == KERNEL]
    return "", {"Authorization": f"Bearer {entry.token.reveal()}"}


async def refusal(here: Jupyter, way: Way = with_header, door: str = "mcp", kernel_id: str = KERNEL) -> tuple[int, str]:
    query, headers = await way(here)
    with pytest.raises(HandshakeRefused) as caught:
        await open_websocket(here.url(door, kernel_id, query), headers=headers, subprotocol=DOORS[door])
    return caught.value.status, str(caught.value)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", [with_header, with_query, with_cookie])
def test_who_may_use_jupyter_is_led_to_the_kernel_which_sees_nothing_of_their_credential(way: Way, door: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            query, headers = await way(here)
            channel, listener = await listen(here.url(door, query=query), DOORS[door], headers)
            channel.send("Grüße".encode())
            assert await listener.until_texts(1) == ["Grüße".encode()]
            assert channel.facts.subprotocol == DOORS[door]
            [seen] = there.requests
            assert seen.target == f"/{door}"
            assert seen.headers["authorization"] == [f"Bearer {there.secrets[door]}"]
            assert here.token not in repr(seen)
            assert {"cookie", "origin"}.isdisjoint(seen.headers)
            channel.close(1000)
            await there.listeners[0].until_closed()
            await listener.until_closed()

    run(main)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "way",
    [
        with_nothing,
        with_wrong_header,
        with_wrong_query,
        with_cookie_from_a_foreign_page,
        with_cookie_from_a_foreign_page_in_a_new_browser,
        with_a_kernels_own_token,
    ],
)
def test_nobody_else_reaches_the_kernel(way: Way, door: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            assert (await refusal(here, way, door))[0] == 403
            assert (await refusal(here, way, door, "no-such-kernel"))[0] == 403, "a stranger could tell which kernels there are"
            assert there.requests == []

    run(main)


@pytest.mark.parametrize("door", DOORS)
def test_where_jupyter_wants_no_login_pages_of_other_origins_still_stay_out(door: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path, IdentityProvider={"token": ""}) as here:
            for headers in ({"Origin": FOREIGN}, {"Origin": "null"}, {"Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}):
                with pytest.raises(HandshakeRefused) as caught:
                    await open_websocket(here.url(door), headers=headers, subprotocol=DOORS[door])
                assert (caught.value.status, there.requests) == (403, [])
            channel, listener = await listen(here.url(door), DOORS[door], {"Origin": here.origin})
            channel.close()
            await listener.until_closed()

    run(main)


class OnlyOne(Authorizer):
    """Lets everybody run code in one kernel."""

    def is_authorized(self, handler: Any, user: object, action: str, resource: str) -> bool:
        return (action, resource) == ("execute", "kernels") and handler.path_kwargs["kernel_id"] == KERNEL


@pytest.mark.parametrize("door", DOORS)
def test_jupyters_authorizer_decides_for_each_kernel(door: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel(KERNEL) as mine, kernel(OTHER) as other, jupyter(tmp_path, ServerApp={"authorizer_class": OnlyOne}) as here:
            channel, listener = await here.open(door, KERNEL)
            status, text = await refusal(here, door=door, kernel_id=OTHER)
            assert (status, sentences.NOT_AUTHORIZED in text) == (403, True)
            assert (len(mine.requests), other.requests) == (1, [])
            channel.close()
            await listener.until_closed()

    run(main)


def test_an_address_that_leads_nowhere_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel("99999999-0000-0000-0000-000000000000") as stranger, jupyter(tmp_path) as here:
            for kernel_id, sentence in [
                (KERNEL, sentences.SERVES_NOTHING),
                ("no-such-kernel", sentences.NO_KERNEL),
                ("99999999-0000-0000-0000-000000000000", sentences.NO_KERNEL),
            ]:
                for door in DOORS:
                    status, text = await refusal(here, door=door, kernel_id=kernel_id)
                    assert status == 404
                    assert text.removesuffix(" The address of a workbench ends in /mcp.").endswith(
                        f" answered with HTTP 404: {sentence}"
                    ), "what is JSON is not shown as such"
            assert stranger.requests == [], "a kernel of another Jupyter Server was connected"
            answer = await here.get(f"mcp-workbench/kernels/{KERNEL}/view")
            assert (answer.code, json.loads(answer.body)) == (426, {"message": sentences.NOT_A_WEBSOCKET})

    run(main)


def test_agents_can_be_kept_out_and_views_stay(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path, McpWorkbenchGateway={"agents": False}) as here:
            status, text = await refusal(here, door="mcp")
            assert (status, sentences.NO_AGENTS in text, there.requests) == (403, True, [])
            channel, listener = await here.open("view")
            channel.close()
            await listener.until_closed()

    run(main)


def test_nothing_secret_is_logged_whatever_goes_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            here.app.log.propagate = True
            for door in DOORS:
                channel, listener = await listen(here.url(door, query=f"?token={here.token}"), DOORS[door], {})
                channel.close()
                await listener.until_closed()
                await refusal(here, with_query, door, "no-such-kernel")
                await refusal(here, with_query, door, OTHER)
                await refusal(here, with_wrong_query, door)
                monkeypatch.setattr(proxy, "entries", broken)
                assert (await refusal(here, with_query, door))[0] == 500
                monkeypatch.undo()
            await here.get("mcp-workbench/api/kernels", token=False, query=f"?token={here.token}")
            assert "mcp-workbench: a fault of the gateway itself" in caplog.text
            assert f"{BASE}mcp-workbench/kernels/{KERNEL}/view" in caplog.text, "the log was not captured"
            for secret in (here.token, *there.secrets.values()):
                assert secret not in caplog.text

    async def broken(door: object) -> dict[str, object]:
        raise RuntimeError("a fault that a test has made")

    with caplog.at_level(logging.DEBUG):
        run(main)


def test_a_kernel_elsewhere_is_told_by_the_close_for_a_page_sees_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with jupyter(tmp_path, provisioner=object()) as here:
            _, listener = await here.open("view")
            assert await listener.until_closed() == (1013, sentences.ELSEWHERE)

    run(main)


def test_a_server_that_does_not_answer_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "CONNECT_WITHIN_S", 0.05)

    async def main() -> None:
        silent = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
        announce(KERNEL, "mcp", silent.sockets[0].getsockname()[1], "a" * 43)
        gone = await asyncio.start_server(lambda _, writer: None, "127.0.0.1", 0)
        announce(KERNEL, "view", gone.sockets[0].getsockname()[1], "a" * 43)
        gone.close()
        async with jupyter(tmp_path) as here:
            for door in DOORS:
                status, text = await refusal(here, door=door)
                assert (status, sentences.NOT_NOW[:-1] in text) == (503, True)
        silent.close()
        for each in held:
            each.close()

    held: list[asyncio.StreamWriter] = []
    run(main)


def test_a_server_that_refuses_is_quoted_without_its_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            announce(KERNEL, "mcp", there.server.port, "b" * 43)
            status, text = await refusal(here)
            assert (status, "wants a credential" in text, "b" * 43 in text) == (503, True, False)

    run(main)


def test_a_client_that_leaves_while_the_kernel_is_being_connected_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        asked, noticed = asyncio.Event(), asyncio.Event()
        told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def hesitate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            asked.set()
            await noticed.wait()
            writer.write(render_switch(re.findall("Sec-WebSocket-Key: (.*)\r\n", head)[0], "mcp"))
            told.set_result(await reader.readexactly(1))
            writer.close()

        def note(handler: proxy.Proxy) -> None:
            on_close(handler)
            noticed.set()

        on_close = proxy.Proxy.on_close
        monkeypatch.setattr(proxy.Proxy, "on_close", note)
        slow = await asyncio.start_server(hesitate, "127.0.0.1", 0)
        file = announce(KERNEL, "mcp", slow.sockets[0].getsockname()[1], "a" * 43)
        async with jupyter(tmp_path, McpWorkbenchGateway={"max_connections": 1}) as here:
            client = await RawConnection.dial(here.port)
            client.send(request(here.port, target=f"{BASE}mcp-workbench/kernels/{KERNEL}/mcp?token={here.token}"))
            await asked.wait()
            client.abort()
            assert await told == bytes([0x88]), "the kernel was not told goodbye"
            file.unlink()
            async with kernel() as there:
                channel, listener = await here.open()
                channel.close()
                await there.listeners[0].until_closed()
                await listener.until_closed()
        slow.close()

    run(main)


def test_there_is_room_for_so_many_connections_and_again_when_one_has_ended(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel(KERNEL) as there, kernel(OTHER), jupyter(tmp_path, McpWorkbenchGateway={"max_connections": 1}) as here:
            channel, listener = await here.open("view")
            status, text = await refusal(here)
            assert (status, sentences.full(1) in text) == (503, True)
            second, second_listener = await here.open(kernel_id=OTHER)
            channel.close()
            await there.listeners[0].until_closed()
            third, third_listener = await here.open()
            for each, ears in ((second, second_listener), (third, third_listener)):
                each.close()
                await ears.until_closed()
            await listener.until_closed()

    run(main)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("abrupt", [False, True], ids=["the server stopped", "the process vanished"])
def test_after_a_restart_the_client_is_told_to_come_again_and_reaches_the_new_server(abrupt: bool, tmp_path: Path) -> None:
    async def main() -> None:
        async with jupyter(tmp_path) as here:
            async with kernel() as before:
                first = before.secrets["view"]
                _, listener = await here.open("view")
                if abrupt:
                    before.channels[0].abort()
                    assert await listener.until_closed() == (1012, sentences.GONE)
            assert await listener.until_closed() == (1012, sentences.GONE)
            assert (await refusal(here, door="view"))[0] == 404
            async with kernel() as after:
                channel, listener = await here.open("view")
                channel.send(b"again")
                assert await listener.until_texts(1) == [b"again"]
                assert after.secrets["view"] != first
                channel.close()
                await listener.until_closed()

    run(main)


@pytest.mark.usefixtures("way")
def test_each_side_is_told_how_the_other_one_ended(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            channel, _ = await here.open()
            channel.close(4001, "enough")
            assert await there.listeners[0].until_closed() == (4001, "enough")
            channel, _ = await here.open()
            channel.abort()
            assert await there.listeners[1].until_closed() == (1001, "the client has gone")
            _, listener = await here.open()
            there.channels[2].send(b"last words")
            there.channels[2].close(1008, "this token was\nrevoked")
            assert await listener.until_closed() == (1008, r"this token was\nrevoked")
            assert listener.texts == [b"last words"]

    run(main)


@pytest.mark.usefixtures("way")
def test_what_is_no_text_or_too_long_ends_the_connection(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            kernel(limits=Limits(max_message_bytes=2000)) as there,
            jupyter(tmp_path, McpWorkbenchGateway={"max_message_bytes": 3000}) as here,
        ):
            target = f"{BASE}mcp-workbench/kernels/{KERNEL}/mcp"
            for sent, code, kernel_heard in [
                (frame(b"\x00", BINARY), 1003, (1003,)),
                (frame(b"x" * 2500), 1009, None),
                (frame(b"x" * 3500), 1009, (1001, 1009)),
            ]:
                client = await RawConnection.dial(here.port)
                client.send(request(here.port, target=target, extra=[f"Authorization: token {here.token}"]))
                assert (await client.head()).status == 101
                client.send(sent)
                assert (await client.closing()).code == code
                client.send(frame(code.to_bytes(2, "big"), 8))
                heard = (await there.listeners[-1].until_closed())[0]
                assert kernel_heard is None or heard in kernel_heard
                await client.hang_up()

    run(main)


@pytest.mark.usefixtures("way")
def test_a_ping_is_answered_by_the_next_hop(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            client = await RawConnection.dial(here.port)
            target = f"{BASE}mcp-workbench/kernels/{KERNEL}/mcp"
            client.send(request(here.port, target=target, extra=[f"Authorization: token {here.token}"]))
            await client.head()
            client.send(frame(b"are you there", PING))
            got = await client.frame()
            assert (got.opcode, got.payload) == (PONG, b"are you there")
            there.channels[0].ping()
            client.send(frame(b"text"))
            assert await client.text() == b"text"
            await client.leave()
            await there.listeners[0].until_closed()

    run(main)


@dataclass
class Halves:
    """Of the connection made in the test, as the gateway has them."""

    kernel: Channel | None = None
    client: Channel | None = None
    pump: Pump | None = None

    def unsent_to_client(self) -> int:
        if self.pump is not None:
            return self.pump._unsent_bytes
        assert self.client is not None
        return self.client.unsent_bytes


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> Halves:
    """Seen when there is a connection."""
    here = Halves()

    def make(kernel: Channel, client: Any) -> Pump:
        here.kernel, here.pump = kernel, Pump(kernel, client)
        return here.pump

    async def note(client: Channel, kernel: Channel, **pace: float) -> None:
        here.kernel, here.client = kernel, client
        await join(client, kernel, **pace)

    monkeypatch.setattr(proxy, "Pump", make)
    monkeypatch.setattr(proxy, "join", note)
    return here


class Still:
    """Whether something has been so for many turns of the loop in a row: what was under way has arrived."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self._condition = condition
        self._turns = 0

    def __call__(self) -> bool:
        self._turns = self._turns + 1 if self._condition() else 0
        return self._turns > 200


async def send_until(end: Callable[[], bool], channel: Channel) -> int:
    """Send numbered texts of 8 kB as long as the channel takes them; returns how many."""
    sent = 0
    while not end():
        if channel.writable:
            channel.send(f"{sent:07}".encode() + b"." * 8000)
            sent += 1
        await asyncio.sleep(0)
    return sent


@pytest.mark.usefixtures("way")
def test_a_client_that_does_not_read_stops_the_kernel_and_loses_nothing(tmp_path: Path, halves: Halves) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            client = await RawConnection.dial(here.port, small=True)
            target = f"{BASE}mcp-workbench/kernels/{KERNEL}/view"
            client.send(request(here.port, target=target, offer=DOORS["view"], extra=[f"Authorization: token {here.token}"]))
            await client.head()
            client.stop_reading()
            stuck = Still(lambda: not there.channels[0].writable and halves.unsent_to_client() > HIGH_WATER_BYTES)
            sent = await send_until(stuck, there.channels[0])
            assert halves.unsent_to_client() <= HIGH_WATER_BYTES + 8100 + LANDED_BYTES
            client.read_again()
            for number in range(sent):
                assert int((await client.text())[:7]) == number
            await there.listeners[0].until(lambda each: each.writable_again > 0)
            await client.leave()
            await there.listeners[0].until_closed()

    run(main)


@pytest.mark.usefixtures("way")
def test_a_kernel_that_does_not_read_stops_the_client_and_loses_nothing(tmp_path: Path, halves: Halves) -> None:
    async def main() -> None:
        async with kernel() as there, jupyter(tmp_path) as here:
            channel, listener = await here.open()
            channel.send(b"first")
            await listener.until_texts(1)
            there.channels[0].pause_receiving()
            kernel_half = halves.kernel
            assert kernel_half is not None
            sent = await send_until(Still(lambda: not kernel_half.writable and not channel.writable), channel)
            assert kernel_half.unsent_bytes <= websocket.HIGH_WATER_BYTES + 8100 + LANDED_BYTES
            there.channels[0].resume_receiving()
            texts = await listener.until_texts(1 + sent)
            assert [int(text[:7]) for text in texts[1:]] == list(range(sent))
            channel.close()
            await listener.until_closed()

    run(main)
