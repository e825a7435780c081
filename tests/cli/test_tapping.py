"""`mcp-workbench tap`, as a host starts it and as a person does."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_workbench import Workbench
from mcp_workbench.client.connect import connect
from mcp_workbench.offer import TOKEN_VARIABLE

WITHIN_S = 30
TOKEN = "a-token-for-this-test-alone-0123456789"  # a server of a second, on loopback
TAP = [sys.executable, "-m", "mcp_workbench", "tap"]
SCRIPT = """
import mcp_workbench as wb
@wb.tool
def add(a: int, b: int) -> int:
    "Adds."
    return a + b
wb.run_stdio()
"""


def test_in_the_place_of_a_command_it_is_that_command(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(SCRIPT)

    async def main() -> None:
        async with asyncio.timeout(WITHIN_S), connect([*TAP, sys.executable, str(script)], env=os.environ) as session:
            assert (await session.call_tool("add", a=1, b=2)).text == "3"
            assert session.stderr == ""

    asyncio.run(main())


def test_what_was_asked_before_the_end_of_stdin_is_answered(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(SCRIPT)
    greeting = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a pipe", "version": "1"}}
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": greeting},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1, "b": 2}}},
    ]
    typed = "".join(f"{json.dumps(each)}\n" for each in asked)
    ended = subprocess.run(
        [*TAP, sys.executable, str(script)], input=typed, capture_output=True, text=True, timeout=WITHIN_S, check=True
    )  # its stdin ends right behind the request
    assert [json.loads(line)["id"] for line in ended.stdout.splitlines() if "result" in line] == [1, 2]
    assert '"text":"3"' in ended.stdout


def test_each_start_records_into_a_file_of_its_own_which_is_replayed(tmp_path: Path) -> None:
    script, file = tmp_path / "server.py", tmp_path / "host.mcptraffic.jsonl"
    script.write_text(SCRIPT)

    async def visit(a: int) -> str:
        command = [*TAP, "--record", str(file), sys.executable, str(script)]
        async with asyncio.timeout(WITHIN_S), connect(command, env=os.environ) as session:
            assert (await session.call_tool("add", a=a, b=2)).text == str(a + 2)
            return session.stderr

    async def again(recording: Path, a: int) -> str:
        with Workbench.replay(recording) as replay:
            async with asyncio.timeout(WITHIN_S), replay.connect() as session:
                return (await session.call_tool("add", a=a, b=2)).text

    said = [asyncio.run(visit(1)), asyncio.run(visit(5))]
    second = tmp_path / "host-2.mcptraffic.jsonl"
    assert [each.strip().rpartition(" ")[2] for each in said] == [str(file), str(second)]
    assert [asyncio.run(again(file, 1)), asyncio.run(again(second, 5))] == ["3", "7"]


def test_the_command_is_not_given_what_is_the_taps_own(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(
        SCRIPT.replace("wb.run_stdio()", "import os\n@wb.tool\ndef names() -> list[str]:\n    return sorted(os.environ)\nwb.run_stdio()")
    )
    environment = os.environ | {TOKEN_VARIABLE: TOKEN, "MCP_TAP_TOKEN": "t" * 40, "OTHERS": "stay"}

    async def main() -> None:
        async with asyncio.timeout(WITHIN_S), connect([*TAP, sys.executable, str(script)], env=environment) as session:
            names = json.loads((await session.call_tool("names")).text)
            assert "OTHERS" in names
            assert not {TOKEN_VARIABLE, "MCP_TAP_TOKEN"} & set(names)

    asyncio.run(main())


def test_with_an_address_it_says_where_clients_connect_and_shows_no_token() -> None:
    environment = os.environ | {TOKEN_VARIABLE: TOKEN, "MCP_TAP_TOKEN": "t" * 40}
    with subprocess.Popen(
        [*TAP, "ws://127.0.0.1:1/mcp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as tap:
        assert tap.stdout is not None
        said = tap.stdout.readline()
        tap.terminate()
        rest, errors = tap.communicate(timeout=WITHIN_S)
    assert said.startswith("tapping 127.0.0.1:1 at ws://127.0.0.1:")
    assert (rest, errors, tap.returncode) == ("", "", 0)
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        (["ws://127.0.0.1:1/mcp"], {}, f"set {TOKEN_VARIABLE}"),
        (["ws://127.0.0.1:1/mcp"], {TOKEN_VARIABLE: "short"}, "a chosen token has"),
        (["--listen", "http", "ws://127.0.0.1:1/mcp"], {TOKEN_VARIABLE: TOKEN}, "passes HTTP on to HTTP"),
        (["ftp://127.0.0.1:1/mcp"], {TOKEN_VARIABLE: TOKEN}, "ws://, wss://, http:// or https://"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments: list[str], variables: dict[str, str], expected: str) -> None:
    done = subprocess.run([*TAP, *arguments], capture_output=True, text=True, env=os.environ | variables, timeout=WITHIN_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_ends_by_itself_is_told_with_its_last_words() -> None:
    ends = [sys.executable, "-c", "import sys; print('out of tea', file=sys.stderr); sys.exit(3)"]
    for command, expected in ((ends, ("out of tea", "exit code 3")), (["no-such-program"], ("no program of that name",))):
        with subprocess.Popen([*TAP, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tap:
            assert tap.stderr is not None
            said = tap.stderr.read()
            assert tap.wait(WITHIN_S) == 1
        assert all(words in said for words in expected)
        assert "Traceback" not in said
