"""An agent from elsewhere: a process that knows `websockets`, JSON and MCP, and nothing of mcp_workbench.

Run as a script it connects, shakes hands as clients of 2025-11-25 do, and then sends what it reads from stdin, one request
a line, and writes every response to stdout. Its address and token come by the environment. `Agent` is its handle in a test.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect


class Agent:
    """Used as `with Agent(url, token, "claude-code") as agent`; it has shaken hands when the `with` is entered."""

    def __init__(self, url: str, token: str, name: str) -> None:
        self._ids = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        environment = {**os.environ, "AGENT_URL": url, "AGENT_TOKEN": token, "AGENT_NAME": name}
        self._process = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __enter__(self) -> Self:
        self.answer(0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()

    def begin(self, tool: str, **arguments: Any) -> int:
        """Call a tool without waiting; returns the request's id, for `answer`."""
        return self._ask("tools/call", {"name": tool, "arguments": arguments, "_meta": {"progressToken": next(self._ids)}})

    def call(self, tool: str, **arguments: Any) -> str:
        """Call a tool; returns the text of its result."""
        return self.text(self.begin(tool, **arguments))

    def subscribe(self, uri: str) -> None:
        """Be told when a resource changes."""
        self.answer(self._ask("resources/subscribe", {"uri": uri}))

    def text(self, request: int) -> str:
        """The text of the result of a call, which may be an error."""
        answer = self.answer(request)
        return "\n".join(part["text"] for part in answer["result"]["content"] if part["type"] == "text")

    def answer(self, request: int) -> dict[str, Any]:
        """The response to a request; blocks."""
        assert self._process.stdout is not None
        while request not in self._answers:
            line = self._process.stdout.readline()
            assert line, "the agent has ended; stderr says why"
            message = json.loads(line)
            self._answers[message["id"]] = message
        return self._answers.pop(request)

    def _ask(self, method: str, params: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        request = next(self._ids)
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": request, "method": method, "params": params}) + "\n")
        return request


def main() -> None:
    """What the process does."""
    header = {"Authorization": os.environ["AGENT_TOKEN"]}
    with connect(os.environ["AGENT_URL"], additional_headers=header, subprotocols=["mcp"], proxy=None) as socket:  # type: ignore[list-item]  # a NewType of websockets'
        client = {"name": os.environ["AGENT_NAME"], "version": "1.0"}
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
        socket.send(json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
        print(socket.recv(), flush=True)
        socket.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        threading.Thread(target=_send_lines, args=(socket,), daemon=True).start()
        for text in socket:
            message = json.loads(text)
            if "id" in message and "method" not in message:
                print(json.dumps(message), flush=True)


def _send_lines(socket: ClientConnection) -> None:
    for line in sys.stdin:
        socket.send(line)


if __name__ == "__main__":
    main()
