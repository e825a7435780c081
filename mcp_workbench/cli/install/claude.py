"""Claude Code's own program, which edits its settings better than anybody else: it may be running, and writes to them itself."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.edits import Edit
from mcp_workbench.pasting import SERVER

ENDS_WITHIN_S = 60.0


def claude_program() -> str | None:
    """Where it is; None: not on the PATH, or a batch file of Windows, to which JSON cannot be given safely."""
    found = shutil.which("claude")
    return None if found is None or Path(found).suffix.lower() in (".cmd", ".bat", ".ps1") else found


def commands(edit: Edit, program: str) -> list[list[str]]:
    """What it is told, for an edit that changes something."""
    told = []
    if edit.had_entry:
        told.append([program, "mcp", "remove", "--scope", "user", SERVER])
    if edit.wish == "install":
        told.append([program, "mcp", "add-json", "--scope", "user", SERVER, json.dumps(edit.place.entry)])
    return told


def shown(command: list[str]) -> str:
    """A command as people type it."""
    return shlex.join(["claude", *command[1:]])


def run(command: list[str]) -> None:
    """Run it.

    Raises:
        Refused: It failed; with its last words.
    """
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": ENDS_WITHIN_S}
    try:
        done = subprocess.run(command, check=False, **options)  # noqa: S603  # the user's own program
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"`{shown(command)}` could not be run: {error}") from None
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise Refused(f"`{shown(command)}` failed: {words[:300]}")
