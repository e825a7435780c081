"""Recordings of programs of other people, made with a tap in place of a command: those in `notebooks/data` are made here.

    python -m tests.foreign.recordings      # makes them anew

Claude Code is what people run, with nobody's account: its model is a script. It asks a kernel that has run the quickstart.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp_workbench.cli.kernels import TemporaryKernel, one_jupyter_loop
from mcp_workbench.cli.quickstart import kernel_cells, quickstart_path
from mcp_workbench.client.connect import connect
from tests.foreign.node import claude_code_command, everything_command
from tests.foreign.scripted_model import says, scripted_model, uses

DATA = Path(__file__).parents[2] / "notebooks" / "data"
CHECKOUT = str(Path(__file__).parents[2])
TAP = [sys.executable, "-m", "mcp_workbench", "tap", "--record"]
WITHIN_S = 120

TOOL = "mcp__notebook__"
COLUMNS = "carrier,origin,dest,dep_delay"
SCRIPT = [
    [says("I look around first."), uses(f"{TOOL}notebook_status")],
    [uses("ReadMcpResourceTool", server="notebook", uri="df://flights")],
    [uses(f"{TOOL}df_describe", name="flights", column="carrier"), uses(f"{TOOL}top_routes", n=3)],
    [uses(f"{TOOL}mean_delay", carrier=carrier) for carrier in ("UA", "B6", "HA")],
    [uses(f"{TOOL}df_read", name="flights", columns=COLUMNS, where="depdelay > 1000")],
    [uses(f"{TOOL}df_read", name="flights", columns=COLUMNS, where="dep_delay > 1000", order="dep_delay desc")],
    [uses(f"{TOOL}top_routes", n=5)],
    [says("JFK to LAX, with 11,262 flights.")],
]
"""What the model says, answer by answer: three calls in one, and a name misspelt."""


def record_claude_code(claude_code: list[str], path: Path, folder: Path) -> str:
    """Claude Code, asked about the quickstart's flights.

    Args:
        claude_code: How it is started.
        path: The recording.
        folder: Empty; it works and lives in here.

    Returns:
        What it said at the end.
    """
    home = folder / "home"
    home.mkdir()
    with _quickstart(folder) as runtime, scripted_model(SCRIPT) as model:
        variables = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": CHECKOUT, "JUPYTER_RUNTIME_DIR": str(runtime)}
        command, *arguments = [*TAP, str(path), sys.executable, "-m", "mcp_workbench", "bridge"]
        settings = {"mcpServers": {"notebook": {"type": "stdio", "command": command, "args": arguments, "env": variables}}}
        (folder / "mcp.json").write_text(json.dumps(settings))
        options = ["--strict-mcp-config", "--mcp-config", str(folder / "mcp.json"), "--allowedTools", "mcp__notebook,ReadMcpResourceTool"]
        done = subprocess.run(
            [*claude_code, "-p", "Which routes are busiest?", *options],
            env=variables
            | {
                "ANTHROPIC_BASE_URL": model,
                "ANTHROPIC_API_KEY": "none",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "ENABLE_TOOL_SEARCH": "false",  # a model that is a list searches for nothing
            },
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@contextmanager
def _quickstart(folder: Path) -> Iterator[Path]:
    """A kernel that has run the quickstart and serves; its runtime folder."""
    work = folder / "quickstart"  # the name of the folder is the notebook's
    work.mkdir()
    with one_jupyter_loop(), TemporaryKernel(work) as kernel:
        for cell in kernel_cells(quickstart_path()):
            if not cell.changes:
                run = kernel.run(cell.source)
                assert run.error is None, run.error
        yield kernel.runtime


async def visit_everything(command: list[str], path: Path) -> None:
    """What the tutorial does with `@modelcontextprotocol/server-everything`, recorded.

    Args:
        command: How the server is started.
        path: The recording.
    """

    def hear(*_: Any) -> None:
        """Progress."""

    async with asyncio.timeout(WITHIN_S), connect([*TAP, str(path), *command], env=os.environ, era="legacy") as session:
        await session.list_tools()
        await session.call_tool("echo", message="Is anybody there?")
        await session.call_tool("get-sum", a=2, b=40)
        await session.call_tool("get-sum", a="two", b=40)
        await session.call_tool("trigger-long-running-operation", duration=0.8, steps=4, on_progress=hear)


def main() -> None:
    """Make both anew."""
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        claude, everything = (DATA / f"{name}.mcptraffic.jsonl" for name in ("claude-code", "server-everything"))
        for path in (claude, everything):
            path.unlink(missing_ok=True)
        print(record_claude_code(claude_code_command(), claude, Path(folder)))
        asyncio.run(visit_everything(everything_command(), everything))
    for path in (claude, everything):
        path.chmod(0o644)


if __name__ == "__main__":
    main()
