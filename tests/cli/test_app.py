"""The commands as a shell sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from mcp_workbench.cli.app import app
from mcp_workbench.version import __version__


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mcp_workbench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_version_is_one_line() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mcp-workbench {__version__}\n", "")


def test_help_names_every_command_and_loads_none_of_them() -> None:
    code = """
import json, sys
sys.argv = ["mcp-workbench", "--help"]
from mcp_workbench.cli import main
try:
    main()
except SystemExit as end:
    code = end.code
heavy = sorted({"pandas", "pydantic", "jupyter_client", "websockets", "msgspec", "asyncio"} & set(sys.modules))
print("\\n" + json.dumps([code, heavy]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    *shown, last = done.stdout.splitlines()
    assert json.loads(last) == [0, []]
    assert all(any(f" {command} " in line for line in shown) for command in ("demo", "list", "bench"))


def test_without_a_command_it_shows_help() -> None:
    done = CliRunner().invoke(app, [])
    assert "demo" in done.output
    assert "Usage" in done.output


def test_a_wrong_option_is_refused_with_exit_code_2() -> None:
    assert CliRunner().invoke(app, ["demo", "--nonsense"]).exit_code == 2


def test_bench_hands_its_options_on_and_answers_its_own_help(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcp_workbench.cli import bench

    asked: list[dict[str, Any]] = []

    def measure(*, quick: bool = False) -> None:
        """Measure something."""
        asked.append({"quick": quick})

    monkeypatch.setattr(bench, "bench", measure)
    assert CliRunner().invoke(app, ["bench", "--quick"]).exit_code == 0
    assert asked == [{"quick": True}]
    shown = CliRunner().invoke(app, ["bench", "--help"])
    assert shown.exit_code == 0
    assert "Measure something." in shown.output
    assert CliRunner().invoke(app, ["bench", "--nonsense"]).exit_code == 2
    assert len(asked) == 1


def test_the_demos_exit_code_is_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcp_workbench.cli import demo

    def run_demo(*, as_json: bool, notebook: object) -> int:
        assert (as_json, notebook) == (True, None)
        return 1

    monkeypatch.setattr(demo, "run_demo", run_demo)
    assert CliRunner().invoke(app, ["demo", "--json"]).exit_code == 1
