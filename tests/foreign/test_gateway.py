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
VARIABLE = "JUPYTER_TOKEN"


def run(command: list[str], home: Path, **variables: str) -> str:
    """Run a program to its end, with little of this process's environment; what it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"} | variables
    done = subprocess.run(
        command, env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_programs_connect_with_jupyters_token_as_header_or_query(mcp1_python: Path, claude_code: list[str], tmp_path: Path) -> None:
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
    assert here.token not in "".join(here.log)
