"""Claude Code's own program: looked for, told what to do, and heard when it fails. The real one: tests/foreign/test_programs.py."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from mcp_workbench.cli.install import Refused, claude


@pytest.mark.parametrize("found", [None, "C:\\npm\\claude.CMD", "claude.ps1"])
def test_a_batch_file_is_given_no_json(monkeypatch: pytest.MonkeyPatch, found: str | None) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: found)
    assert claude.claude_program() is None


def test_it_is_found_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    assert claude.claude_program() == "/opt/claude"


def test_its_last_words_are_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"`claude -c .*` failed: and this$"):
        claude.run([sys.executable, "-c", "import sys; sys.exit('first\\nand this')"])
    with pytest.raises(Refused, match=r"could not be run"):
        claude.run([str(tmp_path / "absent"), "mcp"])
