"""Servers for `fanout.py`: `updates.py floor` is `websockets.broadcast`, `updates.py workbench` is a published DataFrame."""

from __future__ import annotations

import asyncio
import sys

import msgspec
from websockets.asyncio.server import ServerConnection, broadcast, serve

from mcp_workbench.cli.bench.announce import Ready, announce, end_with_stdin, wait_for_end
from mcp_workbench.cli.bench.floor import CALL
from mcp_workbench.cli.bench.wires import Target

NOTIFICATION = b'{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"df://table"}}'
DONE = '"text":"done"'


async def floor() -> None:
    subscribers: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        while True:
            request = msgspec.json.decode(await connection.recv(decode=False))
            if request["method"] == "resources/subscribe":
                subscribers.add(connection)
            else:
                broadcast(subscribers, NOTIFICATION, text=True)
            answer = {"jsonrpc": "2.0", "id": request["id"], "result": {"content": [{"type": "text", "text": "done"}]}}
            await connection.send(msgspec.json.encode(answer), text=True)

    async with serve(handle, "127.0.0.1", 0, compression=None, subprotocols=["mcp"]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        target = Target(kind="websocket", port=port, path="/", body=CALL % "update", expect=DONE)
        announce(Ready(targets={"floor": target}, versions={}))
        end_with_stdin()
        await server.serve_forever()


def workbench() -> None:
    import pandas as pd

    import mcp_workbench as wb
    from mcp_workbench.cli.bench.ours import target_of

    bench = wb.Workbench(name="bench")
    bench.publish("table", pd.DataFrame({"value": range(1000)}))

    @bench.tool(run_on="inline")
    def update(a: int, b: int) -> str:
        """Make a new version of the table."""
        bench.touch("table")
        return "done"

    bench.start()
    announce(Ready(targets={"workbench": msgspec.structs.replace(target_of(bench, "update"), expect=DONE)}, versions={}))
    wait_for_end()
    bench.stop()


if __name__ == "__main__":
    if sys.argv[1] == "floor":
        asyncio.run(floor())
    else:
        workbench()
