"""What Python and JavaScript say of the package has one source."""

from __future__ import annotations

import json
from pathlib import Path

from mcp_workbench.version import __version__

PACKAGE = Path(__file__).parents[2] / "labextension" / "package.json"


def test_both_sides_have_one_version() -> None:
    assert json.loads(PACKAGE.read_text(encoding="utf-8"))["version"] == __version__
