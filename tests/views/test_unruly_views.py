"""Views that ask for what there is not, or say what is no message, over real sockets: each is answered, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pandas as pd
import pytest

from mcp_workbench import Workbench
from mcp_workbench.views.messages import GetDetail, GetOlder, GetPreview, Stop, Touch
from mcp_workbench.views.page import VIEW_SUBPROTOCOL
from tests.support.raw_websocket import RawConnection, frame
from tests.support.stage import running, talking
from tests.views.visitor import port_of, view_secret, visiting

HUGE = 10**30
ODD = (
    *(GetOlder(id=0, before=before, limit=limit) for before in (-HUGE, -1, 0, 1, HUGE) for limit in (-HUGE, -1, 0, 1, HUGE)),
    *(GetDetail(id=0, seq=seq) for seq in (-HUGE, -1, 0, HUGE)),
    *(Stop(id=0, key=key) for key in ("", "s1.1", "s1." + "9" * 400, "s01.1", "j0", "j1", "j" * 100_000, "\0", "s1.1\n")),
    *(GetPreview(id=0, name=name) for name in ("", "nope", "x" * 100_000, "\0")),
    *(Touch(id=0, name=name) for name in ("", "nope", "x" * 100_000)),
)
NO_MESSAGES = {
    b"[]": 1007,
    b"1": 1007,
    b"": 1007,
    b"{}": 1007,
    b'{"type":' + b"[" * 100_000: 1007,
    b"\xff\xfe": 1007,
    b'{"type":"stop","id":"x"}': 1008,
    b'{"type":"stop","id":1e400}': 1008,
    b'{"type":"watch"}': 1008,
    b'{"type":"open","viewProtocol":1,"version":"' + b"x" * 10_000_000 + b'"}': 1009,
}
"""What is sent first -> how the connection is ended."""


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench(name="unruly")

    @workbench.tool
    def add(a: int, b: int) -> int:
        return a + b

    workbench.publish(flights=pd.DataFrame({"n": [1]}))
    with running(workbench):
        yield workbench


def test_what_cannot_be_is_answered_with_a_sentence_and_the_view_goes_on(workbench: Workbench) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), visiting(workbench, "calls") as view, talking(workbench) as talk:
            await talk.called("add", a=1, b=2)
            for request in ODD:
                answer = await view.ask(request)
                assert answer["type"] in ("done", "olderCalls"), request
                if answer["type"] == "done":
                    assert (answer["ok"], answer["sentence"] != "") == (False, True), request
                    assert len(answer["sentence"]) < 500
            assert (await view.ask(GetPreview(id=1, name="flights")))["type"] == "preview"

    asyncio.run(main())


@pytest.mark.parametrize("text", NO_MESSAGES, ids=range(len(NO_MESSAGES)))
def test_what_is_no_message_ends_that_view_alone(workbench: Workbench, text: bytes) -> None:
    async def main() -> None:
        secret = await asyncio.to_thread(view_secret, workbench)
        async with asyncio.timeout(30), visiting(workbench, "calls") as other:
            connection = await RawConnection.open(port_of(workbench), secret.reveal(), target="/view", offer=VIEW_SUBPROTOCOL)
            connection.send(frame(text))
            await connection.text()  # hello
            goodbye = await connection.closing()
            assert (goodbye.code, goodbye.reason != "") == (NO_MESSAGES[text], True)
            await connection.hang_up()
            assert (await other.ask(GetOlder(id=1, before=1, limit=1)))["type"] == "olderCalls"

    asyncio.run(main())
