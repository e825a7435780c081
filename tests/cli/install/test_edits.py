"""What is to be done, whatever stands there, and what is never done unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.edits import Wish, plan
from mcp_workbench.cli.install.files import SettingsFile
from mcp_workbench.cli.install.places import Place
from mcp_workbench.pasting import stdio_server

PLACE = Place("Host", Path("/home/me/mcp.json"), "mcpServers", names_type=True)


def planned(wish: Wish, notebook: Any, *, replace: bool = False) -> Any:
    """What the settings say afterwards."""
    text = json.dumps({"mcpServers": {"other": {"env": {"KEY": "secret"}}} | ({} if notebook is None else {"notebook": notebook})})
    edit = plan(wish, PLACE, SettingsFile(PLACE.path, text.encode(), text, 0o600), replace=replace)
    assert edit.changes == (edit.after != text)
    return json.loads(edit.after)["mcpServers"].get("notebook") if edit.changes else "as it was"


def test_what_is_there_already_is_left_with_all_that_people_have_added() -> None:
    ours = stdio_server()
    assert planned("install", None) == {"type": "stdio", **ours}
    assert planned("install", ours) == planned("install", {"type": "stdio", **ours, "alwaysAllow": ["df_read"]}) == "as it was"
    assert planned("uninstall", None) == "as it was"


@pytest.mark.parametrize("other", [{"command": "python", "args": ["server.py"]}, {"url": "https://example.org"}, 3])
def test_a_server_of_our_name_that_is_not_ours_is_lost_only_when_told(other: Any) -> None:
    with pytest.raises(Refused, match=r"mcp.json: it has a server 'notebook' that is something else: --replace"):
        planned("install", other)
    with pytest.raises(Refused, match="is not one of ours: --replace removes it"):
        planned("uninstall", other)
    assert planned("install", other, replace=True) == {"type": "stdio", **stdio_server()}
    assert planned("uninstall", other, replace=True) is None


def test_a_bridge_of_another_python_is_replaced_when_told_and_removed_without() -> None:
    older = {"command": "/old/python", "args": [*stdio_server()["args"], "--verbose"]}
    with pytest.raises(Refused, match="is something else"):
        planned("install", older)
    assert planned("uninstall", older) is None


def test_the_diff_shows_what_changes_and_not_what_stands_beside_it() -> None:
    text = '{\n  "mcpServers": {\n    "other": {"env": {"KEY": "secret"}}\n  }\n}\n'
    diff = plan("install", PLACE, SettingsFile(PLACE.path, text.encode(), text, 0o600), replace=False).diff()
    assert diff.startswith(f"--- {PLACE.path}\n+++ {PLACE.path}\n@@ -2,0 +3,")
    assert '+      "command": ' in diff
    assert "secret" not in diff


def test_an_address_with_our_variable_is_ours_to_remove_whatever_its_port() -> None:
    for straight in (
        {"type": "http", "url": "http://127.0.0.1:9/mcp", "headers": {"Authorization": "Bearer ${MCP_WORKBENCH_TOKEN}"}},
        {"url": "http://127.0.0.1:9/mcp", "bearer_token_env_var": "MCP_WORKBENCH_TOKEN"},
    ):
        assert planned("uninstall", straight) is None
    for other in ({"url": "x", "headers": {"Authorization": "Bearer secret"}}, {"url": "x", "headers": "no"}):
        with pytest.raises(Refused, match="is not one of ours"):
            planned("uninstall", other)
