"""`mcp-workbench config` in a terminal."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mcp_workbench.cli.app import app


def test_it_prints_what_to_paste() -> None:
    ran = CliRunner().invoke(app, ["config", "claude-code"])
    assert ran.exit_code == 0
    assert "claude mcp add --scope user notebook -- " in ran.stdout


def test_as_json_it_is_one_document() -> None:
    ran = CliRunner().invoke(app, ["config", "codex", "--json"])
    assert json.loads(ran.stdout)["client"] == "codex"


def test_an_unknown_client_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    ran = CliRunner().invoke(app, ["config", "emacs"])
    assert ran.exit_code == 2
