"""A Jupyter Server as people run it: a process of its own, with the gateway, and kernels started through its API.

The token is in its configuration file, never in argv. Everything it writes goes into one folder.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gateway.jupyter import BASE, listen

OPENING_CELL = """
import mcp_workbench as wb

@wb.tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

wb.start()
"""


@dataclass(slots=True)
class JupyterProcess:
    """A running Jupyter Server."""

    port: int
    token: str
    log: list[str] = field(default_factory=list)
    """What it has logged, at DEBUG."""
    base: str = BASE
    """Its base URL."""

    def ask(self, path: str, body: object = None) -> Any:
        """A request to its REST API, a POST if there is a body; blocks."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{self.base}{path}", data, self.headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def open_notebook(self, path: str) -> str:
        """Start a kernel for a notebook; returns its id."""
        session = self.ask("api/sessions", {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}})
        return str(session["kernel"]["id"])

    def url(self, kernel_id: str, door: str = "mcp", query: str = "", *, scheme: str = "ws") -> str:
        """An address of the gateway's."""
        return f"{scheme}://127.0.0.1:{self.port}{self.base}mcp-workbench/kernels/{kernel_id}/{door}{query}"

    @property
    def headers(self) -> dict[str, str]:
        """What a program authenticates to Jupyter with."""
        return {"Authorization": f"token {self.token}"}

    async def run_cell(self, kernel_id: str, code: str) -> None:
        """Run a cell that must end well, through Jupyter's own WebSocket."""
        url = f"ws://127.0.0.1:{self.port}{self.base}api/kernels/{kernel_id}/channels?session_id={uuid.uuid4().hex}"
        channel, listener = await listen(url, None, self.headers)
        message_id = uuid.uuid4().hex
        header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "s", "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
        channel.send(json.dumps(message).encode())
        seen = 0
        while True:
            await listener.until_texts(seen + 1)
            told = json.loads(listener.texts[seen])
            seen += 1
            if told["msg_type"] == "execute_reply" and told["parent_header"]["msg_id"] == message_id:
                assert told["content"]["status"] == "ok", told["content"]
                break
        channel.close()
        await listener.until_closed()


@contextmanager
def jupyter_process(folder: Path, **server_app: object) -> Iterator[JupyterProcess]:
    """A Jupyter Server for as long as the `with` lasts; further settings are those of `ServerApp`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    token = secrets.token_urlsafe(32)
    settings = {
        "ServerApp": {"ip": "127.0.0.1", "port": port, "port_retries": 0, "base_url": BASE, "root_dir": str(folder / "root")}
        | {"open_browser": False, "allow_root": True, "log_level": "DEBUG", "jpserver_extensions": {"mcp_workbench.gateway": True}}
        | server_app,
        "IdentityProvider": {"token": token},
    }
    (folder / "root").mkdir()
    (folder / "jupyter_server_config.json").write_text(json.dumps(settings))
    environment = {**os.environ, "IPYTHONDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    environment |= {f"JUPYTER_{name}": str(folder) for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    with subprocess.Popen(
        [sys.executable, "-m", "jupyter_server"], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        here, ready = JupyterProcess(port, token), threading.Event()
        reader = threading.Thread(target=_read_log, args=(process, here.log, ready))
        reader.start()
        try:
            assert ready.wait(60), "".join(here.log)
            assert process.poll() is None, "".join(here.log)
            yield here
            here.ask("api/shutdown", {})
            process.wait(30)
        finally:
            process.kill()
            reader.join()


def _read_log(process: subprocess.Popen[str], log: list[str], ready: threading.Event) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "extension was successfully started" in line:  # the first thing that is done after it listens
            ready.set()
    ready.set()
