"""Where each host keeps the servers that it starts, on each system. The sources are named beside `pasting`'s texts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mcp_workbench.cli.install import Refused, jsonc, tables
from mcp_workbench.pasting import stdio_server


@dataclass(frozen=True, slots=True)
class Place:
    """One host's own settings."""

    host: str
    """What people call it."""
    path: Path
    section: str
    """What its servers stand in."""
    names_type: bool = False
    """Whether it wants to be told that a server speaks over stdio."""
    address: dict[str, Any] | None = None
    """What leads straight to a server, instead of the bridge."""

    @property
    def form(self) -> ModuleType:
        """What edits it: `jsonc` or `tables`."""
        return tables if self.path.suffix == ".toml" else jsonc

    @property
    def entry(self) -> dict[str, Any]:
        """What starts the bridge, or leads straight to a server, as this host writes it."""
        if self.address is not None:
            return self.address
        return {"type": "stdio", **stdio_server()} if self.names_type else stdio_server()


def place_of(client: str, *, environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None) -> Place:
    """Where a host keeps its servers.

    Args:
        client: As `pasting.config` names it.
        environment: Variables by which hosts are told of other folders.
        platform: As `sys.platform`.
        home: The user's folder; None: theirs.

    Raises:
        Refused: Nobody knows, for `json`.
    """
    home = Path.home() if home is None else home
    data = _data_folder(environment, platform, home)
    if client == "claude-code":
        return Place("Claude Code", Path(environment.get("CLAUDE_CONFIG_DIR") or home) / ".claude.json", "mcpServers", names_type=True)
    if client == "claude-desktop":
        return Place("Claude Desktop", data / "Claude" / "claude_desktop_config.json", "mcpServers")
    if client == "vscode":
        return Place("VS Code", data / "Code" / "User" / "mcp.json", "servers", names_type=True)
    if client == "cursor":
        return Place("Cursor", home / ".cursor" / "mcp.json", "mcpServers")
    if client == "codex":
        return Place("Codex", Path(environment.get("CODEX_HOME") or home / ".codex") / "config.toml", "mcp_servers")
    if client == "gemini-cli":
        return Place("Gemini CLI", home / ".gemini" / "settings.json", "mcpServers")
    if client == "windsurf":
        return Place("Windsurf", home / ".codeium" / "windsurf" / "mcp_config.json", "mcpServers")
    raise Refused(f"where {client} keeps its settings is not known: name a host, or paste what `mcp-workbench config` shows")


def _data_folder(environment: Mapping[str, str], platform: str, home: Path) -> Path:
    """Where programs with a window keep their settings."""
    if platform == "darwin":
        return home / "Library" / "Application Support"
    if platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
