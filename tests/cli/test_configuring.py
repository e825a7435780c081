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


def test_a_way_and_a_port_may_be_chosen() -> None:
    ran = CliRunner().invoke(app, ["config", "codex", "--transport", "http", "--port", "8123", "--json"])
    pastes = json.loads(ran.stdout)["pastes"]
    assert [paste["transport"] for paste in pastes] == ["", "http"], "what may run without a question is the same for both"
    assert 'url = "http://127.0.0.1:8123/mcp"' in pastes[1]["text"]
    ran = CliRunner().invoke(app, ["config", "claude-desktop", "--transport", "ws"])
    assert (ran.exit_code, "claude-desktop is not led to a notebook by ws; it is by stdio" in ran.output) == (2, True)
