"""docs/api.md names what there is, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import mcp_workbench as wb

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def _names_after(prefix: str, text: str) -> set[str]:
    return set(re.findall(rf"(?<![\w/-]){re.escape(prefix)}([A-Za-z_]+)", text))


def test_every_public_name_stands_on_the_page() -> None:
    assert set(dir(wb)) - {"__version__"} <= _names_after("wb.", PAGE)


def test_every_name_on_the_page_and_in_the_readme_exists() -> None:
    assert _names_after("wb.", PAGE) | _names_after("wb.", README) <= set(dir(wb))


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(wb, name) is not None for name in dir(wb))


def test_methods_of_the_default_workbench_are_methods_of_every_workbench() -> None:
    assert {name for name in dir(wb) if name[0].islower()} <= set(dir(wb.Workbench()))


def test_the_commands_on_the_page_are_those_of_the_command_line() -> None:
    help_text = subprocess.run([sys.executable, "-m", "mcp_workbench", "--help"], capture_output=True, text=True, check=True).stdout
    offered = set(re.findall(r"^│ ([a-z]+)\s{2,}", help_text, re.MULTILINE))
    assert _names_after("mcp-workbench ", PAGE.replace("mcp-workbench --help", "")) == offered
