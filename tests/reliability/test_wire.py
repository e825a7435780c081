"""The door and the frames of a running Workbench, tried with bytes no library would send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

import mcp_workbench as wb
from mcp_workbench.limits import MIB
from tests.reliability.bystanders import port_of, unharmed
from tests.support.raw_websocket import BINARY, CLOSE, CONT, PING, TEXT, RawConnection, close_frame, frame, request
from tests.support.stage import running, within

PING_TEXT = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


def _refused(**wishes: object) -> Callable[[int, str], bytes]:
    def make(port: int, token: str) -> bytes:
        return request(port, **({"token": token} | wishes))  # type: ignore[arg-type]  # the table below is the check

    return make


def _with(*extra: str) -> Callable[[int, str], bytes]:
    return lambda port, token: request(port, token, extra=extra)


def _token(change: Callable[[str], str | None]) -> Callable[[int, str], bytes]:
    return lambda port, token: request(port, change(token))


def _rebound(port: int, token: str) -> bytes:
    return request(port, token, host=f"evil.example:{port}", extra=[f"Origin: http://evil.example:{port}"])


HANDSHAKES: dict[str, tuple[Callable[[int, str], bytes], set[int]]] = {
    "no token": (_refused(token=None), {401}),
    "token cut short": (_token(lambda token: token[:-1]), {401}),
    "token with more": (_token(lambda token: token + "x"), {401}),
    "token in other case": (_token(str.swapcase), {401}),
    "token padded": (_token(lambda token: f" {token} "), {401}),
    "token twice": (_token(lambda token: f"{token}\r\nAuthorization: Bearer {token}"), {401}),
    "token beyond ASCII": (_token(lambda token: "tök\xe9n"), {401}),
    "basic": (lambda port, token: request(port, None, extra=[f"Authorization: Basic {token}"]), {401}),
    "cookie": (lambda port, token: request(port, None, extra=[f"Cookie: token={token}"]), {401}),
    "token in the query": (lambda port, token: request(port, None, target=f"/mcp?token={token}"), {401}),
    "origin of a page": (_with("Origin: https://evil.example"), {403}),
    "origin null": (_with("Origin: null"), {403}),
    "origin lookalike": (_with("Origin: http://127.0.0.1.evil.example"), {403}),
    "origin of another port": (_with("Origin: http://127.0.0.1:1"), {403}),
    "two origins": (_with("Origin: http://127.0.0.1", "Origin: http://localhost"), {403}),
    "host lookalike": (_refused(host="127.0.0.1.evil.example"), {403}),
    "host rebound": (_rebound, {403}),
    "host of a user": (_refused(host="127.0.0.1@evil.example"), {403}),
    "host in decimal": (_refused(host="2130706433"), {403}),
    "host empty": (_refused(host=" "), {403}),
    "no host": (lambda port, token: request(port, token).replace(f"Host: 127.0.0.1:{port}\r\n".encode(), b""), {400}),
    "two hosts": (_with("Host: 127.0.0.1"), {400}),
    "path up": (_refused(target="/mcp/../mcp"), {404}),
    "path encoded": (_refused(target="/%6dcp"), {404}),
    "path doubled": (_refused(target="//mcp"), {404}),
    "path of a stranger": (_refused(target="/etc/passwd"), {404}),
    "absolute form": (lambda port, token: request(port, token, target=f"http://127.0.0.1:{port}/mcp"), {404}),
    "ticket made up": (_refused(token=None, target="/mcp/t/" + "x" * 43), {401}),
    "ticket empty": (_refused(token=None, target="/mcp/t/"), {404}),
    "version 8": (_refused(version="8"), {426}),
    "no upgrade": (_refused(upgrade=False), {426}),
    "post": (_refused(method="POST"), {405}),
    "bad key": (_refused(key="short"), {400}),
    "not http": (lambda port, token: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
    "http 1.0": (lambda port, token: request(port, token).replace(b"HTTP/1.1", b"HTTP/1.0"), {505}),
    "folded header": (_with("X-Fold: a\r\n b"), {400}),
    "space before colon": (_with("X-Space : a"), {400}),
    "long line": (_refused(target="/mcp?" + "x" * 70_000), {414}),
    "long header": (_with("X-Long: " + "x" * 70_000), {431}),
    "many headers": (_with(*(f"X-{number}: x" for number in range(600))), {431}),
}


@pytest.mark.parametrize(("make", "statuses"), HANDSHAKES.values(), ids=HANDSHAKES)
def test_who_may_not_come_in_is_told_so_and_nobody_else_notices(make: Callable[[int, str], bytes], statuses: set[int]) -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench):
            stranger = await RawConnection.dial(port_of(workbench))
            # Frames sent along with a refused handshake must not be looked at.
            stranger.send(make(port_of(workbench), workbench.token), frame(PING_TEXT))
            head = await stranger.head()
            body = await stranger.body()
            assert head.status in statuses, (head, body)
            assert workbench.token.encode() not in body
            assert b"Traceback" not in body
            assert len(body) < 300
            await stranger.hang_up()

    with running(workbench):
        within(main)
    assert [session.messages_in for session in workbench.telemetry.sessions() if session.client_name is None] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "localhost:1", "127.0.0.1:65535"])
def test_every_loopback_name_gets_in_whatever_the_port(host: str) -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        friend = await RawConnection.open(port_of(workbench), workbench.token, host=host)
        friend.send(frame(PING_TEXT))
        assert json.loads(await friend.text()) == {"jsonrpc": "2.0", "id": 1, "result": {}}
        await friend.leave()

    with running(workbench):
        within(main)


def test_names_and_origins_that_were_allowed_get_in() -> None:
    workbench = wb.Workbench(allowed_hosts=["lab.example"], allowed_origins=["https://lab.example"])

    async def main() -> None:
        wishes = {"host": "lab.example", "extra": ["Origin: https://lab.example"]}
        friend = await RawConnection.open(port_of(workbench), workbench.token, **wishes)  # type: ignore[arg-type]  # extra is a list
        await friend.leave()

    with running(workbench):
        within(main)


FRAMES: dict[str, tuple[list[bytes], set[int]]] = {
    "binary": ([frame(PING_TEXT, BINARY)], {1003}),
    "unmasked": ([frame(PING_TEXT, masked=False)], {1002}),
    "reserved opcode 3": ([frame(b"", 3)], {1002}),
    "reserved opcode 11": ([frame(b"", 11)], {1002}),
    "reserved bit": ([frame(PING_TEXT, reserved=4)], {1002}),
    "not UTF-8": ([frame(b'"\xff\xfe"')], {1007}),
    "surrogate in UTF-8": ([frame(b'"\xed\xa0\x80"')], {1007}),
    "continuation of nothing": ([frame(b"x", CONT)], {1002}),
    "a message inside another": ([frame(b"x", TEXT, fin=False), frame(b"y", TEXT)], {1002}),
    "long ping": ([frame(b"x" * 126, PING)], {1002}),
    "fragmented ping": ([frame(b"x", PING, fin=False)], {1002}),
    "close of one byte": ([frame(b"\x03", CLOSE)], {1002}),
    "close that is not UTF-8": ([close_frame(1000, b"\xff")], {1002, 1007}),
    "close code nobody may send": ([close_frame(1005)], {1002}),
    "one byte too much": ([frame(b" " * (MIB + 1))], {1009}),
    "a gigabyte announced": ([frame(b"", declared=1 << 30)], {1009}),
    "an exabyte announced": ([frame(b"", declared=1 << 60)], {1009}),
    "a mebibyte in pieces": ([frame(b" " * MIB, fin=False), frame(b" ", CONT)], {1009}),
    "too many fragments": ([frame(b"", TEXT, fin=False), *(frame(b" ", CONT, fin=False) for _ in range(1_100))], {1008}),
}


@pytest.mark.parametrize(("frames", "codes"), FRAMES.values(), ids=FRAMES)
def test_broken_frames_end_their_own_connection_with_the_right_code(frames: list[bytes], codes: set[int]) -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench):
            vandal = await RawConnection.open(port_of(workbench), workbench.token)
            vandal.send(*frames)
            assert (await vandal.closing()).code in codes
            await vandal.hang_up()

    with running(workbench):
        within(main)


def test_a_message_of_the_full_size_is_taken() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench):
            friend = await RawConnection.open(port_of(workbench), workbench.token)
            friend.send(frame(PING_TEXT + b" " * (MIB - len(PING_TEXT))))
            assert json.loads(await friend.text())["result"] == {}
            await friend.leave()

    with running(workbench):
        within(main)


def test_a_half_open_handshake_is_ended_after_its_time() -> None:
    workbench = wb.Workbench(limits=wb.Limits(handshake_timeout_s=0.05))

    async def main() -> None:
        async with unharmed(workbench):
            silent, slow = [await RawConnection.dial(port_of(workbench)) for _ in range(2)]
            slow.send(b"GET /mcp HT")
            assert await silent.reader.read() == b""
            assert await slow.reader.read() == b""
            await silent.hang_up()
            await slow.hang_up()

    with running(workbench):
        within(main)


def test_connections_past_the_limit_are_told_so_and_room_comes_back() -> None:
    workbench = wb.Workbench(limits=wb.Limits(sessions=3))

    async def main() -> None:
        port, token = port_of(workbench), workbench.token
        guests = [await RawConnection.open(port, token) for _ in range(3)]
        late = await RawConnection.dial(port)
        late.send(request(port, token))
        assert (await late.head()).status == 503
        await late.body()
        await late.hang_up()
        await guests.pop().leave()
        guests.append(await RawConnection.open(port, token))
        for guest in guests:
            await guest.leave()

    with running(workbench):
        within(main)


def test_a_flood_of_pings_nobody_reads_the_answers_of_stops_being_read() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench) as bystander:
            vandal = await RawConnection.open(port_of(workbench), workbench.token, small=True)
            vandal.stop_reading()
            flood = frame(b"x" * 125, PING) * 1_000
            for _ in range(100):
                vandal.send(flood)
                assert await bystander.result("ping") == {}
                if vandal.unsent_bytes > 8 * MIB:
                    break
            [session] = [each for each in workbench.sessions if each.record.client_name is None]
            assert session.queues["unsent_bytes"] < 2 * MIB
            vandal.abort()

    with running(workbench):
        within(main)


def test_wrong_tokens_in_a_row_lock_nobody_out() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench):

            async def knock(number: int) -> int:
                stranger = await RawConnection.dial(port_of(workbench))
                stranger.send(request(port_of(workbench), f"wrong{number}"))
                status = (await stranger.head()).status
                await stranger.body()
                await stranger.hang_up()
                return status

            assert set(await asyncio.gather(*map(knock, range(60)))) == {401}

    with running(workbench):
        within(main)
