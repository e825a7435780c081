"""An IPython shell in the test's own process, with the magics and a default Workbench that nobody else has used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench import face
from mcp_workbench.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Shell:
    """The shell, and what its cells have put out."""

    ip: Any
    capture: pytest.CaptureFixture[str]
    workbench: Workbench

    def run(self, code: str, cell_id: str | None = None) -> str:
        """Run a cell that must end well; returns what it has printed."""
        result = self.ip.run_cell(code, store_history=True, cell_id=cell_id)
        out, err = self.capture.readouterr()
        assert result.success, (code, out, err)
        assert err == ""
        return out

    def refuses(self, code: str) -> str:
        """Run a cell that must end with one sentence; returns that."""
        result = self.ip.run_cell(code, store_history=True)
        out, err = self.capture.readouterr()
        assert not result.success, (code, out)
        assert type(result.error_in_exec).__name__ == "UsageError", (code, out, err)
        assert "\n" not in str(result.error_in_exec)
        return str(result.error_in_exec)

    def fails(self, code: str, cell_id: str | None = None) -> BaseException:
        """Run a cell that must end with an exception; returns that."""
        result = self.ip.run_cell(code, store_history=True, cell_id=cell_id)
        self.capture.readouterr()
        error: BaseException = result.error_in_exec
        assert error is not None
        return error


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setattr(face, "_default", None)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    ip: Any = InteractiveShell.instance(config=config)
    try:
        ip.extension_manager.load_extension("mcp_workbench")
        ip.run_cell("import mcp_workbench as wb")
        workbench = face.default()
        yield Shell(ip, capsys, workbench)
        workbench.stop()
    finally:
        InteractiveShell.clear_instance()
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            vars(sys).pop(name, None)  # what the debugger was shown, with everything that its frames hold
