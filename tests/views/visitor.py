"""A view that looks at a running server, over a real socket with the server's own secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp_workbench import Workbench, discovery
from mcp_workbench.secret import Secret
from mcp_workbench.views.messages import VIEW_PROTOCOL, Message, Open, Watch, encode
from mcp_workbench.views.page import VIEW_SUBPROTOCOL as SUBPROTOCOL
from tests.support.raw_websocket import RawConnection, frame


def view_secret(workbench: Workbench) -> Secret:
    """As programs of this user find it."""
    return next(entry.token for entry in discovery.find_views() if f"{entry.url}".endswith(f":{port_of(workbench)}/view"))


def port_of(workbench: Workbench) -> int:
    return int(workbench.url.rpartition(":")[2].partition("/")[0])


class Visitor:
    """What a view says and hears."""

    def __init__(self, connection: RawConnection) -> None:
        self.connection = connection
        self._asked = 0

    def say(self, message: Message) -> None:
        self.connection.send(frame(encode(message)))

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(await self.connection.text())
        return message

    async def hear_of(self, kind: str) -> dict[str, Any]:
        """The next message of a type; what comes before it is let go."""
        while (message := await self.hear())["type"] != kind:
            pass
        return message

    async def ask(self, request: Any) -> dict[str, Any]:
        """Send a request and hear its answer."""
        self.say(request)
        while (message := await self.hear()).get("re") != request.id:
            pass
        return message


@asynccontextmanager
async def visiting(workbench: Workbench, *panels: str) -> AsyncIterator[Visitor]:
    """A view that has opened and watches some panels."""
    secret = await asyncio.to_thread(view_secret, workbench)
    connection = await RawConnection.open(port_of(workbench), secret.reveal(), target="/view", offer=SUBPROTOCOL)
    visitor = Visitor(connection)
    assert (await visitor.hear())["type"] == "hello"
    visitor.say(Open(view_protocol=VIEW_PROTOCOL, version="test"))
    visitor.say(Watch(panels=panels))
    yield visitor
    await connection.leave()
