"""Where hosts keep their servers, on each system, as their documents say."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.places import place_of
from mcp_workbench.pasting import CLIENTS, SERVER, config

HOME = Path("/home/me")
HOSTS = [client for client in CLIENTS if client != "json"]


def where(client: str, platform: str = "linux", **environment: str) -> str:
    return place_of(client, environment=environment, platform=platform, home=HOME).path.as_posix()


def test_programs_with_a_window_have_a_folder_of_each_system() -> None:
    assert where("vscode") == "/home/me/.config/Code/User/mcp.json"
    assert where("vscode", XDG_CONFIG_HOME="/cfg") == "/cfg/Code/User/mcp.json"
    assert where("vscode", "darwin") == "/home/me/Library/Application Support/Code/User/mcp.json"
    assert where("vscode", "win32", APPDATA="/roaming") == "/roaming/Code/User/mcp.json"
    assert where("claude-desktop", "darwin") == "/home/me/Library/Application Support/Claude/claude_desktop_config.json"


def test_others_have_a_folder_of_their_own_which_variables_may_move() -> None:
    assert where("claude-code") == "/home/me/.claude.json"
    assert where("claude-code", CLAUDE_CONFIG_DIR="/c") == "/c/.claude.json"
    assert where("codex") == "/home/me/.codex/config.toml"
    assert where("codex", CODEX_HOME="/x") == "/x/config.toml"
    assert where("cursor", "win32") == "/home/me/.cursor/mcp.json"
    assert where("gemini-cli") == "/home/me/.gemini/settings.json"
    assert where("windsurf") == "/home/me/.codeium/windsurf/mcp_config.json"


@pytest.mark.parametrize("client", HOSTS)
def test_what_is_installed_is_what_would_be_pasted(client: str) -> None:
    place = place_of(client, home=HOME)
    installed: Any = {place.section: {SERVER: place.entry}}
    pasted = [paste for paste in config(client).pastes if paste.language != "sh"]
    assert installed in [json.loads(paste.text) if paste.language == "json" else tomllib.loads(paste.text) for paste in pasted]


def test_of_any_other_host_nobody_knows() -> None:
    with pytest.raises(Refused, match="name a host"):
        place_of("json", home=HOME)
