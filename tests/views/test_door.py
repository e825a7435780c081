"""`/view` of a running server: who gets in, how it is found, and a view's whole stay over a real socket."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
import sys
from typing import Any

import pytest

from mcp_workbench import Workbench, discovery
from mcp_workbench.views.door import ViewDoor
from mcp_workbench.views.messages import VIEW_PROTOCOL, Open, Watch
from mcp_workbench.views.page import VIEW_SUBPROTOCOL as SUBPROTOCOL
from tests.support.raw_websocket import CLOSE, RawConnection, request
from tests.support.stage import running, talking, within
from tests.views.visitor import Visitor, port_of, view_secret, visiting

EVIL = "Origin: https://evil.example"


async def status(port: int, token: str | None, target: str = "/view", **wishes: object) -> int:
    connection = await RawConnection.dial(port)
    connection.send(request(port, token, target=target, offer=SUBPROTOCOL, **wishes))  # type: ignore[arg-type]  # passed on
    head = await connection.head()
    await connection.hang_up()
    return head.status


def test_each_of_the_two_secrets_opens_its_own_endpoint_and_no_other() -> None:
    workbench = Workbench("door")

    async def main() -> None:
        port, agents = port_of(workbench), workbench.token
        secret = (await asyncio.to_thread(view_secret, workbench)).reveal()
        ticket = workbench.ticket_url().rpartition("/t/")[2]
        assert secret != agents
        for token, target, expected in (
            (secret, "/view", 101),
            (agents, "/mcp", 101),
            (agents, "/view", 401),
            (secret, "/mcp", 401),
            (None, "/view", 401),
            (secret + "x", "/view", 401),
            (secret[:-1], "/view", 401),
            (None, f"/view?token={secret}", 401),
            (secret, "/view/", 404),
            (None, f"/view/t/{ticket}", 404),
        ):
            assert await status(port, token, target) == expected, (target, expected)
        for wishes, expected in (
            ({"host": "evil.example"}, 403),
            ({"extra": [EVIL]}, 403),
            ({"extra": [f"Origin: http://127.0.0.1:{port}"]}, 101),
            ({"host": f"localhost:{port}"}, 101),
            ({"method": "POST"}, 405),
        ):
            assert await status(port, secret, **wishes) == expected, wishes

    with running(workbench):
        within(main)


def test_the_secret_is_in_one_file_that_is_its_users_and_in_nothing_that_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    workbench = Workbench("found")
    with running(workbench):
        [view], [kernel] = discovery.find_views(), discovery.find()
        assert (view.kernel_id, view.name, view.pid) == (kernel.kernel_id, "found", kernel.pid)
        assert (view.url, kernel.url) == (f"ws://127.0.0.1:{port_of(workbench)}/view", workbench.url)
        path = discovery.folder() / f"view-{view.kernel_id}.json"
        assert sys.platform == "win32" or stat.S_IMODE(path.stat().st_mode) == 0o600
        secret = view.token.reveal()
        assert secret in path.read_text()
        door = workbench._view_door
        shown = [repr(workbench), str(workbench.status()), repr(view), repr(door), str(vars(door)), caplog.text, str(workbench.config())]
        assert not [text for text in shown if secret in text]
        workbench.tokens.revoke("default")
    assert (discovery.find_views(), path.exists()) == ([], False)
    with running(workbench):
        [again] = discovery.find_views()
        assert again.token.reveal() != secret, "another secret for each start"
        assert discovery.find() == [], "where agents find none, since their token was revoked, views do"


def test_a_view_is_told_what_agents_do_while_they_do_it() -> None:
    workbench = Workbench("seen")

    @workbench.tool
    def add(a: int, b: int) -> int:
        return a + b

    async def main() -> None:
        async with visiting(workbench, "connect", "sessions", "calls", "running") as visitor:
            told = [await visitor.hear() for _ in range(4)]
            assert [message["type"] for message in told] == ["state", "sessions", "openCalls", "calls"]
            assert told[0]["tools"] == ["add"]
            async with talking(workbench) as talk:
                await talk.called("add", a=1, b=2)
                while not (rows := (await visitor.hear_of("calls"))["rows"]):
                    pass
                assert (rows[-1]["target"], rows[-1]["outcome"], rows[-1]["session"]) == ("add", "ok", "s1")
            while not any(row.get("until") for row in (await visitor.hear_of("sessions"))["rows"]):
                pass

    with running(workbench):
        within(main)


def test_a_view_of_another_version_is_refused_and_hung_up_on() -> None:
    workbench = Workbench("versions")

    async def main() -> None:
        secret = (await asyncio.to_thread(view_secret, workbench)).reveal()
        connection = await RawConnection.open(port_of(workbench), secret, target="/view", offer=SUBPROTOCOL)
        visitor = Visitor(connection)
        await visitor.hear_of("hello")
        visitor.say(Open(view_protocol=VIEW_PROTOCOL + 1, version="99"))
        visitor.say(Watch(panels=("calls",)))
        assert (await visitor.hear())["type"] == "refused"
        assert (await connection.closing()).payload[:2] == (1008).to_bytes(2, "big")
        await connection.leave()

    with running(workbench):
        within(main)


def test_the_last_that_a_view_is_told_is_how_it_all_stood_at_the_end() -> None:
    workbench = Workbench("end")
    workbench.tool(name="add")(lambda: 1)

    async def main() -> None:
        async with visiting(workbench, "connect", "sessions", "calls") as visitor:
            await visitor.hear_of("calls")
            async with talking(workbench) as talk:
                for _ in range(3):
                    await talk.called("add")
                await asyncio.to_thread(workbench.stop)
            told: dict[str, dict[str, Any]] = {}
            while (got := await visitor.connection.frame()).opcode != CLOSE:
                message = json.loads(got.payload)
                told[message["type"]] = message
            sums = workbench.telemetry.statistics()
            assert (told["state"]["calls"], sums.calls, sums.formalities) == (3, 5, 2), "handshake and ping are no requests of it"
            assert [row["closeCode"] > 0 for row in told["sessions"]["rows"]] == [True], "the agent's session has ended"
            assert told["calls"]["rows"][-1]["target"] == "add"

    with running(workbench):
        within(main)


def test_when_the_server_stops_its_views_are_told() -> None:
    workbench = Workbench("end")

    async def main() -> None:
        async with visiting(workbench) as visitor:
            await asyncio.to_thread(workbench.stop)
            closing = await visitor.connection.closing()
            assert closing.payload == (1001).to_bytes(2, "big") + b"the server is stopping"

    with running(workbench):
        within(main)


def test_a_door_shows_nothing_of_its_secret() -> None:
    door = ViewDoor(Workbench("shown")._offer)
    assert door.secret.reveal() not in repr(vars(door))
