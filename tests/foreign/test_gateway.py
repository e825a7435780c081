"""Programs of other people that reach a notebook through a Jupyter Server, with nothing but Jupyter's token."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.gateway.process import OPENING_CELL, jupyter_process

pytest_plugins = ["tests.foreign.fixtures"]
pytestmark = [pytest.mark.foreign, pytest.mark.kernel, pytest.mark.timeout(900)]

SDK_CLIENT = """
import asyncio, os
from mcp import ClientSession
from mcp.client.websocket import websocket_client

async def main():
    async with websocket_client(os.environ["URL"]) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        print(*[tool.name for tool in (await session.list_tools()).tools])
        print((await session.call_tool("add", {"a": 2, "b": 3})).content[0].text)

asyncio.run(main())
"""
HTTP_1 = """
import asyncio, os
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

async def main():
    progress = []

    async def hear(done, total, message):
        progress.append(done)

    async with (
        create_mcp_http_client(headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}) as client,
        streamable_http_client(os.environ["URL"], http_client=client) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        print((await session.call_tool("add", {"a": 2, "b": 3})).content[0].text)
        print((await session.call_tool("count", {}, progress_callback=hear)).content[0].text, progress[-1])

asyncio.run(main())
"""
HTTP_2 = """
import asyncio, os
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

async def main():
    progress = []

    async def hear(done, total, message):
        progress.append(done)

    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=30) as http:
        async with Client(streamable_http_client(os.environ["URL"], http_client=http), mode=os.environ["MODE"]) as client:
            print(client.protocol_version)
            print((await client.call_tool("add", {"a": 2, "b": 3})).content[0].text)
            print((await client.call_tool("count", {}, progress_callback=hear)).content[0].text, progress[-1])

asyncio.run(main())
"""
COUNTING_CELL = """
import mcp_workbench as wb

@wb.tool
def count(ctx: wb.Context) -> str:
    "Count."
    for number in (1, 2):
        ctx.report_progress(number, 2)
    return "counted"
"""
VARIABLE = "JUPYTER_TOKEN"


def run(command: list[str], home: Path, **variables: str) -> str:
    """Run a program to its end, with little of this process's environment; what it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"} | variables
    done = subprocess.run(
        command, env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_programs_connect_with_jupyters_token_as_header_or_query(
    mcp1_python: Path, mcp2_python: Path, claude_code: list[str], tmp_path: Path
) -> None:
    home, folder = tmp_path / "home", tmp_path / "jupyter"
    home.mkdir()
    folder.mkdir()
    with jupyter_process(folder) as here:
        kernel_id = here.open_notebook("flights.ipynb")
        asyncio.run(here.run_cell(kernel_id, OPENING_CELL))
        tools, answer = run([str(mcp1_python), "-c", SDK_CLIENT], home, URL=here.url(kernel_id, query=f"?token={here.token}")).splitlines()
        assert "add" in tools.split()
        assert answer == "5"
        server = {"type": "ws", "url": here.url(kernel_id), "headers": {"Authorization": f"token ${{{VARIABLE}}}"}}
        run([*claude_code, "mcp", "add-json", "--scope", "user", "notebook", json.dumps(server)], home)
        assert "✔ Connected" in run([*claude_code, "mcp", "list"], home, **{VARIABLE: here.token})
        assert "✔ Connected" not in run([*claude_code, "mcp", "list"], home, **{VARIABLE: "another"})
        asyncio.run(here.run_cell(kernel_id, COUNTING_CELL))
        over_http = {"URL": here.url(kernel_id, scheme="http"), "TOKEN": here.token}
        assert run([str(mcp1_python), "-c", HTTP_1], home, **over_http).splitlines() == ["5", "counted 2.0"]
        for mode, version in (("auto", "2026-07-28"), ("legacy", "2025-11-25")):
            said = run([str(mcp2_python), "-c", HTTP_2], home, **over_http, MODE=mode).splitlines()
            assert said == [version, "5", "counted 2.0"]
        server = {"type": "http", "url": over_http["URL"], "headers": {"Authorization": f"Bearer ${{{VARIABLE}}}"}}
        run([*claude_code, "mcp", "add-json", "--scope", "user", "by-http", json.dumps(server)], home)
        assert run([*claude_code, "mcp", "list"], home, **{VARIABLE: here.token}).count("✔ Connected") == 2
        assert "✔ Connected" not in run([*claude_code, "mcp", "list"], home, **{VARIABLE: "another"})
    assert here.token not in "".join(here.log)
