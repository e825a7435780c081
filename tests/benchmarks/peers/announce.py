"""For servers in environments of their own: listen, say so in one line, end with stdin.

The line is `mcp_workbench.cli.bench.announce.Ready`; this package is not installed where these scripts run.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import sys
import threading

import uvicorn


def serve(app: object, name: str, distributions: list[str], target: dict[str, object], **options: object) -> None:
    """Serve an ASGI app on a port the system chose, on uvloop and httptools, until stdin ends."""
    # With proto 0 asyncio does not set TCP_NODELAY, and every answer waits for the client's delayed ACK.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    versions = {each: importlib.metadata.version(each) for each in distributions}
    ready = {"targets": {name: target | {"port": listening.getsockname()[1]}}, "versions": versions}
    print(json.dumps(ready), flush=True)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="error", access_log=False, **options)
    uvicorn.Server(config).run(sockets=[listening])


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
