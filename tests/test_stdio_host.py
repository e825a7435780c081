"""A script as a stdio server: `wb.run_stdio()`, as hosts start it and as people try it in a shell."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.client import ClientSession, connect
from mcp_workbench.client.opening import EraChoice
from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.stdio_host import StdioHost
from mcp_workbench.transports.stdio import TakenStdio
from tests.interaction.requirements import requirement
from tests.support.protocol import META

SCRIPT = """
import os, threading
import mcp_workbench as wb

print("loading")

@wb.tool
def shout(text: str, ctx: wb.Context) -> str:
    print("thinking of", text)
    os.write(1, b"C code prints\\n")
    return f"{text.upper()} {ctx.principal.name}"

@wb.tool(run_on="main")
def on_main() -> bool:
    return threading.current_thread() is threading.main_thread()

@wb.tool
def wait_for_ever() -> None:
    threading.Event().wait()

@wb.tool
def end() -> None:
    threading.Thread(target=wb.stop).start()

wb.run_stdio("my script", builtin_tools=False)
os.write(2, b"served\\n")
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "server.py"
    script.write_text(SCRIPT)
    return [sys.executable, str(script)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(Path(__file__).parents[1]), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}


def visit(command: list[str], environment: dict[str, str], era: EraChoice, steps: Callable[[ClientSession], Awaitable[None]]) -> str:
    """What it said on stderr."""

    async def main() -> str:
        async with asyncio.timeout(60):
            async with connect(command, env=environment, era=era, probe_timeout_s=30) as session:
                await steps(session)
            return session.stderr

    return asyncio.run(main())


@requirement("stdio-stdout")
@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_it_serves_what_started_it_and_prints_go_elsewhere(
    command: list[str], environment: dict[str, str], era: EraChoice, tmp_path: Path
) -> None:
    async def steps(session: ClientSession) -> None:
        assert session.server_info is not None
        assert session.server_info.title == "Program my script"
        assert {tool.name for tool in await session.list_tools()} == {"shout", "on_main", "wait_for_ever", "end"}
        assert (await session.call_tool("shout", text="hé")).text == "HÉ stdio"
        assert (await session.call_tool("on_main")).text == "true"
        names = [path.name for path in (tmp_path / "runtime").rglob("*.json")]
        assert [name.startswith("view-") for name in names] == [True], "its page can be opened, and no bridge takes it for a notebook"

    said = visit(command, environment, era, steps)
    assert said.splitlines() == ["loading", "C code prints", "served"]


EARLY = """
import os, subprocess, sys
print("before everything")
import mcp_workbench as wb

wb.reserve_stdio()
print("early and flushed", flush=True)
os.write(1, b"C code prints early\\n")
subprocess.run([sys.executable, "-c", "print('a child prints')"])
wb.run_stdio("early", builtin_tools=False, channels=True)
"""


def test_reserved_stdout_is_clean_from_that_line_on_whatever_is_flushed(environment: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "early.py"
    script.write_text(EARLY)
    done = subprocess.run(
        [sys.executable, "-u", str(script)],
        input=told([DISCOVER, *OPENING]),
        capture_output=True,
        timeout=60,
        check=True,
        env=os.environ | environment | {"PYTHONUNBUFFERED": "1"},
    )
    greeting, refused, opened = done.stdout.splitlines()
    assert greeting == b"before everything", "nobody can take this back"
    assert json.loads(refused)["error"]["code"] == -32601, "a channel is of up to 2025-11-25"
    assert json.loads(opened)["result"]["capabilities"]["experimental"] == {"claude/channel": {}}
    assert done.stderr.splitlines() == [b"early and flushed", b"C code prints early", b"a child prints"]


def told(messages: list[Any]) -> bytes:
    return b"".join(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n" for message in messages)


OPENING = [
    {
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "me", "version": "1"}},
    },
    {"method": "notifications/initialized"},
]


DISCOVER = {"id": 0, "method": "server/discover", "params": {"_meta": META}}


def call(request_id: int, tool: str, **arguments: Any) -> dict[str, Any]:
    return {"id": request_id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def run(command: list[str], environment: dict[str, str], stdin: bytes) -> list[Any]:
    """What it answers to a file, in any order, before it ends with exit code 0."""
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=True, env=os.environ | environment)
    return [json.loads(line) for line in done.stdout.splitlines()]


@requirement("stdio-end")
def test_what_was_asked_before_the_end_of_stdin_is_still_answered(command: list[str], environment: dict[str, str]) -> None:
    environment["PYTHONUNBUFFERED"] = ""
    too_long = b'{"x":"' + b"x" * 1_100_000 + b'"}\n'
    answers = run(command, environment, told([*OPENING, call(2, "on_main")]) + too_long + told([call(3, "shout", text="a")]))
    by_id = {answer["id"]: answer for answer in answers}
    assert by_id[2]["result"]["content"][0]["text"] == "true"
    assert by_id[3]["result"]["content"][0]["text"].startswith("A ")
    assert by_id[None]["error"]["code"] == -32600
    assert "at most 1,048,576 bytes" in by_id[None]["error"]["message"]


@requirement("stdio-end")
def test_a_call_that_does_not_end_does_not_keep_it(command: list[str], environment: dict[str, str]) -> None:
    environment["PYTHONUNBUFFERED"] = ""
    opened, stopped = run(command, environment, told([*OPENING, call(2, "wait_for_ever")]))
    assert opened["id"] == 1
    assert (stopped["id"], stopped["result"]["isError"]) == (2, True)


async def call_until_it_is_gone(session: ClientSession) -> None:
    while True:
        await session.call_tool("on_main")


@posix
def test_ctrl_c_in_the_hosts_terminal_is_not_for_it_and_stopping_the_server_ends_it(
    command: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    async def steps(session: ClientSession) -> None:
        pid = session._conversation.channel.pid  # type: ignore[attr-defined]  # of a command
        os.kill(pid, signal.SIGINT)  # noqa: TID251  # our own child
        assert (await session.call_tool("on_main")).text == "true"
        await session.call_tool("end")
        with pytest.raises(ConnectionClosed, match="ended with exit code 0"):
            await call_until_it_is_gone(session)

    assert visit(command, environment, "legacy", steps).endswith("served\n")


def test_in_a_notebook_it_is_refused_before_anything_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.workbench.serving.current_host", lambda: None)
    with pytest.raises(wb.WorkbenchError, match="last line of a script that an agent's host starts; here it is start"):
        wb.Workbench().run_stdio()
    with pytest.raises(wb.WorkbenchError, match="last line of a script"):
        wb.Workbench().reserve_stdio()


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_person_in_a_terminal_is_told_and_has_ctrl_c(
    by_hand: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = os.pipe()
    monkeypatch.setattr(os, "isatty", lambda descriptor: by_hand)
    monkeypatch.setattr(TakenStdio, "take", lambda: TakenStdio(*ends))
    before = signal.getsignal(signal.SIGINT)
    host = StdioHost()
    assert ("an agent's host starts it" in capsys.readouterr().err) == by_hand
    with pytest.raises(KeyboardInterrupt) if by_hand else nullcontext(), host.ignoring_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    host.close()
    for end in ends:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)
