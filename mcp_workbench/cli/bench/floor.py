"""The floor: what `websockets` and msgspec cost by themselves.

Decodes the JSON-RPC envelope, adds two numbers, encodes an answer of the shape and size of ours. No schema, no
session, no record, no tool. Everything measured is given as a ratio to this.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from mcp_workbench.cli.bench.announce import Ready, announce, end_with_stdin, versions_of
from mcp_workbench.cli.bench.wires import Target

CALL = '{"jsonrpc":"2.0","id":%%d,"method":"tools/call","params":{"name":"%s","arguments":{"a":17,"b":25}}}'
"""The request every MCP subject gets, with the tool's name to be filled in."""

EXPECT = '"text":"42"'


class Envelope(msgspec.Struct):
    """What the floor reads of a request."""

    id: int | str
    method: str
    params: dict[str, Any]


_decode = msgspec.json.Decoder(Envelope).decode
_encode = msgspec.json.Encoder().encode


async def handle(connection: ServerConnection) -> None:
    """Answer one request after the other."""
    while True:
        request = _decode(await connection.recv(decode=False))
        arguments = request.params["arguments"]
        total = arguments["a"] + arguments["b"]
        result = {"content": [{"type": "text", "text": str(total)}], "structuredContent": {"result": total}}
        await connection.send(_encode({"jsonrpc": "2.0", "id": request.id, "result": result}), text=True)


async def main() -> None:
    """Serve until stdin ends."""
    async with serve(handle, "127.0.0.1", 0, compression=None, subprotocols=[Subprotocol("mcp")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        target = Target(kind="websocket", port=port, path="/", body=CALL % "add", expect=EXPECT)
        announce(Ready(targets={"floor": target}, versions=versions_of("websockets", "msgspec")))
        end_with_stdin()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
