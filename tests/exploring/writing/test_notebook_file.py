"""Notebooks that are written, run by nbmake without the server they were made of."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mcp_workbench import Context, Workbench
from mcp_workbench.errors import PeerError
from tests.exploring.comparing.rig import HOSTILE
from tests.exploring.rig import calling

SECRET = "correct horse battery staple"
EVIL = "'); open('hacked', 'w') #\n\"\"\"" + HOSTILE
ROOT = Path(__file__).parents[3]


def written(folder: Path) -> Path:
    workbench = Workbench("<b>written</b>")

    @workbench.tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def enter(password: str, text: str) -> str:
        """Repeat."""
        return f"{password} {text}"

    @workbench.tool
    def ask(ctx: Context) -> str:
        """Ask."""
        return ctx.elicit("Sure?", schema={"type": "object", "properties": {}}).action

    async def visit() -> None:
        async with workbench.connect(era="modern", on_elicit=lambda asked: "decline") as session:
            await session.call_tool("ask")
        async with workbench.connect(era="legacy", on_elicit=lambda asked: "accept") as session:
            await session.ping()
            await session.call_tool("ask")
            for a in (1, 1, 2):
                await session.call_tool("add", a=a)
            await session.call_tool("enter", password=SECRET, text=EVIL)
            with pytest.raises(PeerError):
                await session.call_tool("none")

    with calling(workbench):
        asyncio.run(visit())
        return workbench.traffic.to_notebook(folder / "x.ipynb")


def test_it_is_a_notebook_and_what_others_said_is_code_as_literals_only(tmp_path: Path) -> None:
    path = written(tmp_path)
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.ipynb", "x.mcptraffic.jsonl"]
    assert notebook.cells[0].source.startswith("# 7 calls, made again")
    words = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "<img" not in words
    assert "written</b>" not in words
    text = path.read_text(encoding="utf-8")
    assert SECRET not in text + (tmp_path / "x.mcptraffic.jsonl").read_text(encoding="utf-8")
    assert json.loads(text)["nbformat_minor"] == 5


def test_nothing_is_written_over_and_what_cannot_be_made_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.mcptraffic.jsonl").write_text("mine")
    with pytest.raises(FileExistsError, match=r"x\.mcptraffic\.jsonl exists"):
        written(tmp_path)
    with pytest.raises(ValueError, match="0 of these can be made"):
        Workbench("empty").traffic.to_notebook(tmp_path / "y.ipynb")
    assert [each.name for each in tmp_path.iterdir()] == ["x.mcptraffic.jsonl"]


@pytest.mark.kernel
@pytest.mark.slow
def test_it_runs_without_the_server_and_nothing_that_was_sent_is_code(tmp_path: Path) -> None:
    path = written(tmp_path)
    check: dict[str, Any] = {"cell_type": "code", "execution_count": None, "id": "check", "metadata": {}, "outputs": [], "source": ""}
    check["source"] = "assert (replay.unanswered, type(result).__name__, len(calls)) == ([], 'PeerError', 12)"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"].insert(-2, check)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    environment |= {"IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    command = [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=60", "-p", "no:cacheprovider", "-q", f"--rootdir={tmp_path}"]
    run = subprocess.run([*command, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert not (tmp_path / "hacked").exists()
