"""`mcp-workbench replay`, as a person or a host starts it."""

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
from mcp_workbench.errors import HandshakeRefused, PeerError
from mcp_workbench.offer import TOKEN_VARIABLE
from tests.exploring.rig import calling

WITHIN_S = 30
TOKEN = "a-token-for-this-test-alone-0123456789"  # a server of a second, on loopback
REPLAY = [sys.executable, "-m", "mcp_workbench", "replay"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workbench, path = Workbench("recorded"), tmp_path_factory.mktemp("replay") / "r.mcptraffic.jsonl"

    @workbench.tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    async def visit() -> None:
        async with workbench.connect() as session:
            await session.call_tool("add", a=1)

    with calling(workbench), workbench.record(path):
        asyncio.run(visit())
    return path


def test_it_serves_what_was_recorded_and_tells_at_the_end_what_was_asked_in_vain(recorded: Path) -> None:
    async def visit(url: str) -> None:
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(HandshakeRefused):
                await connect(url)
            async with connect(url, token=TOKEN) as session:
                assert (await session.call_tool("add", a=1)).text == "3"
                assert (await session.call_tool("add", a=1)).text == "3", "--repeat"
                with pytest.raises(PeerError):
                    await session.call_tool("add", a=2)

    command = [*REPLAY, str(recorded), "--json", "--repeat"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {TOKEN_VARIABLE: TOKEN}, text=True
    ) as replay:
        assert replay.stdout is not None
        told = json.loads(replay.stdout.readline())
        asyncio.run(visit(told["url"]))
        replay.terminate()
        rest, errors = replay.communicate(timeout=WITHIN_S)
    assert (told["server"], told["answers"] >= 1, told["not_answered_when_recorded"]) == ("recorded", True, 0)
    assert (rest, replay.returncode) == ("", 0)
    assert errors.startswith("not answered: The recording has 1 answer to tools/call add")
    assert TOKEN not in json.dumps(told) + errors


def test_to_a_person_it_says_where(recorded: Path) -> None:
    with subprocess.Popen([*REPLAY, str(recorded)], stdout=subprocess.PIPE, env=os.environ | {TOKEN_VARIABLE: TOKEN}, text=True) as replay:
        assert replay.stdout is not None
        said = replay.stdout.readline()
        replay.terminate()
        replay.communicate(timeout=WITHIN_S)
    assert said.startswith("replaying ")
    assert " at ws://127.0.0.1:" in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        (["RECORDED"], {}, f"set {TOKEN_VARIABLE}"),
        (["RECORDED"], {TOKEN_VARIABLE: "short"}, "a chosen token has"),
        (["nowhere.mcptraffic.jsonl"], {TOKEN_VARIABLE: TOKEN}, "there is no recording"),
        (["RECORDED", "--speed", "0"], {TOKEN_VARIABLE: TOKEN}, "speed is how many times faster"),
        (["RECORDED", "--volatile", "a..b"], {TOKEN_VARIABLE: TOKEN}, "expected a name or a path"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(recorded: Path, arguments: list[str], variables: dict[str, str], expected: str) -> None:
    command = [*REPLAY, *(argument.replace("RECORDED", str(recorded)) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables, timeout=WITHIN_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
