"""Test files that are written, run as their readers run them: by pytest, in a process of their own."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from mcp_workbench import Workbench
from mcp_workbench.client.handlers import ElicitRequest
from mcp_workbench.exploring.comparing.answers import Volatile
from mcp_workbench.exploring.comparing.playing import Asked
from mcp_workbench.exploring.writing.pytest_file import MOST, pytest_file
from tests.exploring.comparing.rig import HOSTILE, made, tool
from tests.exploring.rig import calling

WITHIN_S = 60
SECRET = "correct horse battery staple"
EVIL = "'''\"\"\"\\'); open('hacked', 'w').write('x') #\n\x1b\u202e{0}{evil}" + HOSTILE
SCRIPT = """
import mcp_workbench as wb

@wb.tool
def add(a: int, b: int = 2) -> {returns}:
    "Add."
    return {value}

wb.run_stdio()
"""


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    workbench = Workbench("tested")

    @workbench.tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def echo(text: str) -> dict[str, Any]:
        """Repeat."""
        return {"text": text, "n": [1, {"deep": text}]}

    @workbench.tool
    def enter(password: str) -> str:
        """Take a secret."""
        return "in"

    @workbench.resource("note://today")
    def note() -> str:
        """A note."""
        return "a note"

    @workbench.tool(name="odd-name")
    def odd(text: str) -> str:
        """Fail."""
        raise ValueError(text)

    async def visit() -> None:
        async with workbench.connect() as session:
            await session.call_tool("add", a=1)
            await session.call_tool("add", a=EVIL)
            await session.call_tool("echo", text=EVIL)
            await session.call_tool("enter", password=SECRET)
            await session.call_tool("odd-name", text=EVIL)
            await session.read_resource("note://today")
            await session.call_tool("add", {EVIL: 1})

    with calling(workbench):
        asyncio.run(visit())
        yield workbench


ASKING = """
import mcp_workbench as wb

@wb.tool
def book(times: int, ctx: wb.Context) -> list:
    "Ask, several times."
    form = {"type": "object", "properties": {"city": {"type": "string"}}}
    return [(ctx.elicit("QUESTION", schema=form).data or {}).get("city") for _ in range(times)]

@wb.tool
def pin(ctx: wb.Context) -> str:
    "Ask for what is withheld."
    ctx.elicit("Your secret?", schema={"type": "object", "properties": {"password": {"type": "string"}}})
    return "thanks"

wb.run_stdio()
"""


def run(path: Path, **variables: str) -> tuple[int, str]:
    """By pytest, without this project's own settings."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])} | variables
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={path.parent}", str(path)]
    done = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_passes_at_the_same_server_and_nothing_that_was_sent_is_code(workbench: Workbench, tmp_path: Path) -> None:
    path = workbench.traffic.to_test(tmp_path / "test_same.py")
    code, said = run(path, MCP_SERVER=workbench.url, MCP_SERVER_TOKEN=workbench.token)
    assert code == 0, said
    assert "10 passed, 1 skipped" in said
    assert not (tmp_path / "hacked").exists()
    text = path.read_text(encoding="utf-8")
    assert SECRET not in text
    assert workbench.token not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "@pytest.mark.skip('a secret was withheld of what it asked')" in text
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("__")] == ["test_same.py"]


def test_it_fails_when_a_tool_answers_or_promises_something_else(workbench: Workbench, tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    calls = workbench.traffic.calls("tool:add")[:1]
    path = calls.to_test(tmp_path / "test_changes.py", command=[sys.executable, str(script)])
    script.write_text(SCRIPT.format(returns="int", value="a + b"))
    assert "2 passed" in run(path, PYTHONDONTWRITEBYTECODE="1")[1]
    script.write_text(SCRIPT.format(returns="str", value="str(a + b + 1)").replace("b: int", "c: int").replace("+ b", "+ c"))
    code, said = run(path)
    assert (code, "2 failed" in said) == (1, True), said
    assert re.search(r"FAILED .*test_promise_of_add", said)
    assert re.search(r"FAILED .*test_1_add", said)


def test_without_a_server_it_says_what_to_set(workbench: Workbench, tmp_path: Path) -> None:
    path = workbench.traffic.calls("tool:add")[:1].to_test(tmp_path / "test_nowhere.py")
    variables = dict.fromkeys(("MCP_SERVER", "MCP_SERVER_TOKEN"), "")
    code, said = run(path, **variables)
    assert code == 1
    assert "set MCP_SERVER to its address" in said
    assert "environment variable" in " ".join(path.read_text().split())


def test_an_address_stands_in_it_and_a_secret_in_one_does_not(workbench: Workbench, tmp_path: Path) -> None:
    calls = workbench.traffic.calls("tool:add")[:1]
    text = calls.to_test(tmp_path / "test_url.py", url=workbench.url).read_text()
    assert f"URL = '{workbench.url}'" in text
    assert stat.S_IMODE((tmp_path / "test_url.py").stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="url has a secret in it"):
        calls.to_test(tmp_path / "test_2.py", url="ws://me:hunter2secret@host/mcp")
    with pytest.raises(ValueError, match="command has a secret in it"):
        calls.to_test(tmp_path / "test_2.py", command=["server", f"--token={workbench.token}"])
    with pytest.raises(ValueError, match="command has a secret in it"):
        calls.to_test(tmp_path / "test_2.py", command=["server", "--api-key", "an ordinary word"])
    with pytest.raises(ValueError, match="got both"):
        calls.to_test(tmp_path / "test_2.py", command=["x"], url="ws://x/mcp")
    with pytest.raises(ValueError, match="got one text"):
        calls.to_test(tmp_path / "test_2.py", command="python server.py")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        calls.to_test(tmp_path / "test_url.py")
    assert not (tmp_path / "test_2.py").exists()


def written(*calls: Any, volatile: tuple[str, ...] = (), offered: Any = ()) -> str:
    text = pytest_file(calls, {each["name"]: each for each in offered}, Asked(calls, Volatile(volatile)), command=["server"])
    compile(text, "test_x.py", "exec")
    return text


def test_what_is_volatile_is_named_and_does_not_stand_in_it() -> None:
    text = written(tool("now", {"t": 17_555, "n": 1}), volatile=("structuredContent.t",))
    assert "VOLATILE = ['structuredContent.t']" in text
    assert "17555" not in text
    assert "17_555" not in text


def test_an_answer_that_is_too_long_or_too_deep_or_was_withheld_is_skipped_with_a_reason() -> None:
    deep: Any = 1
    for _ in range(80):
        deep = [deep]
    secret = "‹redacted:0123456789ab›"
    calls = [tool("long", "x" * 60_000), tool("deep", deep), tool("asks_deep", 1, x=deep), tool("secret", secret)]
    text = written(*calls, offered=[{"name": "secret", "inputSchema": {"default": secret}}])
    assert text.count("@pytest.mark.skip(") == 5
    for reason in ("60,0", "nested deeper than 50 levels", "what it asked is nested", "a secret was withheld of what it promises"):
        assert reason in text


def test_names_of_tests_are_names_whatever_the_tools_are_called() -> None:
    text = written(
        tool(EVIL, 1), tool("", 1), tool("a b", 1), tool("a-b", 1), offered=[{"name": n, "inputSchema": {}} for n in ("a b", "a-b")]
    )
    assert re.findall(r"def (test\w+)\(", text)[:2] == ["test_promise_of_a_b", "test_promise_of_a_b_"]
    assert len(set(re.findall(r"def (test\w+)\(", text))) == 6


def test_there_is_something_to_test_and_not_too_much() -> None:
    with pytest.raises(ValueError, match="0 of these can be made"):
        written(made("ping", {}, {}))
    with pytest.raises(ValueError, match="narrow them"):
        written(*[tool("x", 1)] * (MOST + 1))


def test_a_tool_that_asks_is_answered_as_it_was_in_either_era_and_a_question_that_is_new_fails(tmp_path: Path) -> None:
    script, folder = tmp_path / "server.py", tmp_path / "tests"
    script.write_text(ASKING)
    folder.mkdir()

    async def visit(workbench: Workbench, era: Literal["legacy", "modern"]) -> None:
        places = iter(["Rome", "Oslo", EVIL])

        def fill(asked: ElicitRequest) -> Any:
            return {"password": SECRET} if "secret" in asked.message else {"city": next(places)}

        async with workbench.connect([sys.executable, str(script)], era=era, on_elicit=fill) as session:
            for times in (1, 2):
                await session.call_tool("book", times=times)
            await session.call_tool("pin")

    for era in ("legacy", "modern"):
        workbench = Workbench("asked")
        asyncio.run(visit(workbench, era))
        calls = workbench.traffic.calls("outcome:ok method:tools/call")
        text = calls.to_test(folder / f"test_{era}.py", command=[sys.executable, str(script)]).read_text(encoding="utf-8")
        assert SECRET not in text
        assert "asks={'elicitation': {" in text
        assert "needs an answer that the recording does not hold, to elicitation/create Your secret?" in text
    code, said = run(folder, PYTHONDONTWRITEBYTECODE="1")
    assert (code, "4 passed, 2 skipped" in said) == (0, True), said
    assert not (tmp_path / "hacked").exists()
    script.write_text(ASKING.replace("QUESTION", "Which town?"))
    code, said = run(folder)
    assert (code, "4 failed" in said) == (1, True), said
    assert "what this test has no answer to: elicitation/create Which town?" in said
