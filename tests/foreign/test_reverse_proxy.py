"""A Jupyter Server behind a reverse proxy with TLS, as docs/deployment.md says to set it up."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from mcp_workbench.client import connect
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from tests.foreign.streaming import STREAMING_CELL, see_it_stream
from tests.gateway.jupyter import BASE
from tests.gateway.process import OPENING_CELL, JupyterProcess, jupyter_process

pytest_plugins = ["tests.foreign.fixtures"]
pytestmark = [pytest.mark.foreign, pytest.mark.kernel, pytest.mark.timeout(900)]

PAGE = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text(encoding="utf-8")
NAME = "lab.example"
READY_WITHIN_S = 60
OPTIONS = """
{{
    admin off
    auto_https disable_redirects
    skip_install_trust
    storage file_system "{folder}"
}}
"""
"""So that it leaves nothing on this machine, and certifies itself."""


def of_the_page(first_line: str) -> str:
    """What the page tells people to write into a file."""
    [lines] = re.findall(rf"```\w*\n# {re.escape(first_line)}\n(.*?)```", PAGE, re.DOTALL)
    return str(lines)


def server_settings() -> dict[str, Any]:
    """Those of the page, for Jupyter Server."""
    named = re.findall(r"^c\.ServerApp\.(\w+) = (.*)$", of_the_page("jupyter_server_config.py"), re.MULTILINE)
    return {name: json.loads(value.replace("True", "true")) for name, value in named}


@contextmanager
def caddy(program: Path, jupyter: JupyterProcess, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Caddy in front of it: its port, and who trusts its certificate."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    site = of_the_page("Caddyfile").replace(
        f"{NAME} {{", f"https://{NAME}:{port}, https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls internal"
    )
    settings = OPTIONS.format(folder=folder) + site.replace("127.0.0.1:8888", f"127.0.0.1:{jupyter.port}")
    (folder / "Caddyfile").write_text(settings)
    command = [str(program), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log) as process:
        try:
            root = folder / "pki" / "authorities" / "local" / "root.crt"
            until = time.monotonic() + READY_WITHIN_S
            while not (root.exists() and is_listening(port)):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.05)  # it is another process, which announces nothing
            yield port, ssl.create_default_context(cafile=str(root))
        finally:
            process.terminate()
            process.wait(30)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def status_for(host: str, port: int, trusted: ssl.SSLContext | None, jupyter: JupyterProcess) -> int:
    """What is answered to who asks for a host by this name."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted, server_hostname=trusted and NAME)
    lines = [f"GET {BASE}mcp-workbench/api/kernels HTTP/1.1", f"Host: {host}", f"Authorization: token {jupyter.token}", "Connection: close"]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status = int((await reader.read()).split(b" ", 2)[1])
    writer.close()
    await writer.wait_closed()
    return status


async def ask_through(port: int, trusted: ssl.SSLContext, jupyter: JupyterProcess, kernel_id: str) -> None:
    """All that the page promises of a proxy."""
    path = f"{BASE}mcp-workbench/kernels/{kernel_id}/mcp"
    eras: tuple[Literal["legacy", "modern"], ...] = ("legacy", "modern")
    for scheme in ("wss", "https"):
        for era in eras:
            connecting = connect(f"{scheme}://localhost:{port}{path}", token=jupyter.token, era=era, ssl=trusted)
            async with connecting as session:
                assert (await session.call_tool("add", {"a": 2, "b": 3})).text == "5"
    for era in eras:
        await see_it_stream(connect(f"https://localhost:{port}{path}", token=jupyter.token, era=era, ssl=trusted))
    with pytest.raises(HandshakeRefused):
        await connect(f"wss://localhost:{port}{path}", token="another", ssl=trusted)
    with pytest.raises(ConnectionClosed):
        await connect(f"https://localhost:{port}{path}", token="another", ssl=trusted)
    assert await status_for(f"{NAME}:{port}", port, trusted, jupyter) == 200
    assert await status_for(f"other.example:{jupyter.port}", jupyter.port, None, jupyter) == 403


def test_caddy_leads_to_a_kernel_over_websocket_and_http_and_streams(caddy_program: Path, tmp_path: Path) -> None:
    for name in ("jupyter", "caddy"):
        (tmp_path / name).mkdir()
    with (
        jupyter_process(tmp_path / "jupyter", **server_settings()) as here,
        caddy(caddy_program, here, tmp_path / "caddy") as (port, trusted),
    ):
        kernel_id = here.open_notebook("flights.ipynb")

        async def main() -> None:
            async with asyncio.timeout(100):
                await here.run_cell(kernel_id, OPENING_CELL)
                await here.run_cell(kernel_id, STREAMING_CELL)
                await ask_through(port, trusted, here, kernel_id)

        asyncio.run(main())
