"""What to paste into an agent's host so that it finds the notebook: once per machine, never with a token in it.

Every host starts the bridge, a small stdio server that looks for running notebooks by itself; so what is
pasted names only this interpreter, and stays right when kernels, ports and tokens change. The server is
always called `notebook`, so that allow-lists and habits fit every notebook.

Where each host keeps its settings is the only thing this module knows; the sources are named beside it.
"""

from __future__ import annotations

import html
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from mcp_workbench.addresses import HTTP_PORT, TOKEN, VSCODE_INPUT, WS_PORT, Reached, address_entry, start_line
from mcp_workbench.primitives.wording import nearest

SERVER = "notebook"
READ_ONLY = ("notebook_status", "df_describe", "df_read", "df_changes", "job_wait")
"""Built-in tools that only look: a host may run them without asking each time."""

_WAYS: tuple[Reached, ...] = ("ws", "http")
_HEADING = "margin:14px 0 4px"
_CODE = "margin:0;padding:8px 10px;border-radius:4px;background:rgba(128,128,128,.14);overflow-x:auto"
_QUOTED = re.compile("`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Paste:
    """One thing to run or to paste."""

    what: str
    """Where it goes: `Run once in a shell`, or the path of a file."""
    text: str
    language: str
    """`sh`, `json` or `toml`."""
    transport: str = "stdio"
    """How the host reaches the notebook by it: `stdio` (the bridge), `http` or `ws`; empty where it does not matter."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """How one host finds the notebook. Shows as text; holds no secret."""

    client: str
    pastes: tuple[Paste, ...]
    then: str
    """How to see that it worked."""

    def __repr__(self) -> str:
        parts = [f"# {paste.what}\n{paste.text}" for paste in self.pastes]
        return "\n\n".join([*self._instead(), *parts, f"# {self.then}"])

    def _instead(self) -> list[str]:
        """The quick way, for hosts whose own settings we can write into."""
        return [] if self.client == "json" else [f"# In a shell, this puts it there for you: mcp-workbench config {self.client} --install"]

    def _repr_html_(self) -> str:
        parts = [
            f'<div style="{_HEADING}">{_marked(paste.what)}</div><pre style="{_CODE}">{html.escape(paste.text)}</pre>'
            for paste in self.pastes
        ]
        quick = "".join(f'<div style="{_HEADING}">{html.escape(line.removeprefix("# "))}</div>' for line in self._instead())
        return f'<div>{quick}{"".join(parts)}<div style="{_HEADING}">{_marked(self.then)}</div></div>'

    def by(self, transport: str) -> HostConfig:
        """Only what is for one way of reaching the notebook.

        Raises:
            ValueError: This host does not go that way; names those it does.
        """
        ways = list(dict.fromkeys(paste.transport for paste in self.pastes if paste.transport))
        if transport not in ways:
            raise ValueError(f"{self.client} is not led to a notebook by {transport}; it is by {', '.join(ways)}")
        return replace(self, pastes=tuple(paste for paste in self.pastes if paste.transport in (transport, "")))

    def as_dict(self) -> dict[str, Any]:
        """The same for programs: client, pastes (what, language, text, transport) and `then`."""
        pastes = [asdict(paste) for paste in self.pastes]
        return {"client": self.client, "server": SERVER, "pastes": pastes, "then": self.then}


def config(client: str = "json", *, executable: str | None = None, port: int | None = None, http_port: int | None = None) -> HostConfig:
    """What to paste into a host, once per machine.

    Args:
        client: claude-code, claude-desktop, vscode, cursor, codex, gemini-cli, windsurf, or json for any other.
        executable: Absolute path of a Python that has mcp_workbench; default: this one. Hosts with a window have no PATH.
        port: Port for Claude Code's WebSocket variant; default 8801.
        http_port: Port for the variants over HTTP; default 8802.

    Returns:
        Shell lines, file contents and the allow-list of the read-only built-in tools; prints as text.

    Raises:
        ValueError: There is no such client; names the nearest.
    """
    make = _HOSTS[client_named(client)]
    return make(
        _Bridge(
            executable or sys.executable or "python",
            WS_PORT if port is None else port,
            HTTP_PORT if http_port is None else http_port,
        )
    )


def client_named(written: str) -> str:
    """A client's name, however people write it.

    Raises:
        ValueError: There is no such client; names the nearest.
    """
    client = str(written).strip().lower().replace("_", "-").replace(" ", "-")
    if client not in _HOSTS:
        close = nearest(str(written), CLIENTS, 1)
        hint = f", nearest is {close[0]}" if close else ""
        raise ValueError(f"no client {str(written)[:40]!r}{hint}; there are {', '.join(CLIENTS)}")
    return client


def stdio_server(executable: str | None = None) -> dict[str, Any]:
    """What a host starts, as nearly every host writes it: `command` and `args`."""
    return _Bridge(executable or sys.executable or "python").server


@dataclass(frozen=True, slots=True)
class _Bridge:
    """The program a host starts, and where a server is that is reached without it."""

    executable: str
    port: int = WS_PORT
    http_port: int = HTTP_PORT

    @property
    def arguments(self) -> list[str]:
        return ["-m", "mcp_workbench", "bridge"]

    @property
    def server(self) -> dict[str, Any]:
        """As nearly every host writes a stdio server."""
        return {"command": self.executable, "args": self.arguments}

    @property
    def shell(self) -> str:
        """The command for a shell of this system."""
        return _words([self.executable, *self.arguments])

    def address(self, client: str, reached: Reached = "http") -> dict[str, Any]:
        """What leads straight to a server, for a host that can be led there."""
        return address_entry(client, reached, self.http_port if reached == "http" else self.port) or {}

    def straight(self, client: str, place: str, text: str, language: str = "json", reached: Reached = "http") -> Paste:
        """The same to be pasted; the token stands in a variable.

        Args:
            client: Which host.
            place: Where it goes.
            text: What goes there.
            language: As of a `Paste`.
            reached: How the server is reached.
        """
        host = "the host" if client == "json" else TITLES[client]
        by, port = ("over HTTP", self.http_port) if reached == "http" else ("by WebSocket", self.port)
        what = f"{place}: instead of the bridge, {by} to `{start_line(reached, port)}`, {TOKEN} set for Jupyter and {host}"
        return Paste(what, text, language, reached)


def _claude_code(bridge: _Bridge) -> HostConfig:
    # code.claude.com/docs: mcp, settings (permissions), mcp "ws" servers take headers with ${VARIABLE}.
    allowed = {"permissions": {"allow": [f"mcp__{SERVER}__{tool}" for tool in READ_ONLY]}}
    return HostConfig(
        "claude-code",
        (
            Paste("Run once in a shell", f"claude mcp add --scope user {SERVER} -- {bridge.shell}", "sh"),
            Paste(
                "The same as JSON, for .mcp.json of a project", _json({"mcpServers": {SERVER: {"type": "stdio", **bridge.server}}}), "json"
            ),
            Paste("~/.claude/settings.json: let it look without asking", _json(allowed), "json", ""),
            *(
                bridge.straight(
                    "claude-code",
                    "Run once in a shell",
                    f"claude mcp add-json --scope user {SERVER} {_quoted(json.dumps(bridge.address('claude-code', reached)))}",
                    "sh",
                    reached,
                )
                for reached in _WAYS
            ),
        ),
        f"`claude mcp get {SERVER}` says Connected; through the bridge it does so with or without a running notebook.",
    )


def _claude_desktop(bridge: _Bridge) -> HostConfig:
    # modelcontextprotocol.io/quickstart/user: Settings > Developer > Edit Config.
    return HostConfig(
        "claude-desktop",
        (
            Paste(
                "claude_desktop_config.json (Settings, Developer, Edit Config)",
                _json({"mcpServers": {SERVER: bridge.server}}),
                "json",
            ),
        ),
        f"Restart Claude Desktop; {SERVER} stands under Search and tools. Allow {', '.join(READ_ONLY)} always when first asked.",
    )


def _vscode(bridge: _Bridge) -> HostConfig:
    # code.visualstudio.com/docs: `code --add-mcp`, mcp.json with `servers` and `inputs`; tools with readOnlyHint run without a question.
    asked = {"type": "promptString", "id": VSCODE_INPUT, "description": f"{TOKEN} of Jupyter", "password": True}
    return HostConfig(
        "vscode",
        (
            Paste("Run once in a shell", f"code --add-mcp {_quoted(json.dumps({'name': SERVER, **bridge.server}))}", "sh"),
            Paste(
                "The same as .vscode/mcp.json of a workspace",
                _json({"servers": {SERVER: {"type": "stdio", **bridge.server}}}),
                "json",
            ),
            bridge.straight("vscode", "mcp.json", _json({"inputs": [asked], "servers": {SERVER: bridge.address("vscode")}})),
        ),
        f"MCP: List Servers shows {SERVER}. VS Code runs tools that only look without asking: {', '.join(READ_ONLY)}.",
    )


def _cursor(bridge: _Bridge) -> HostConfig:
    # cursor.com/docs: mcp.json, `${env:NAME}` in headers; reference/permissions: mcpAllowlist of "server:tool".
    return HostConfig(
        "cursor",
        (
            Paste("~/.cursor/mcp.json", _json({"mcpServers": {SERVER: bridge.server}}), "json"),
            Paste(
                "~/.cursor/permissions.json: let it look without asking",
                _json({"mcpAllowlist": [f"{SERVER}:{tool}" for tool in READ_ONLY]}),
                "json",
                "",
            ),
            bridge.straight("cursor", "~/.cursor/mcp.json", _json({"mcpServers": {SERVER: bridge.address("cursor")}})),
        ),
        f"Cursor Settings, MCP shows {SERVER} with a green dot.",
    )


def _codex(bridge: _Bridge) -> HostConfig:
    # developers.openai.com/codex: mcp, config reference (tools.<name>.approval_mode, bearer_token_env_var).
    straight = [f"[mcp_servers.{SERVER}]", *(f"{name} = {json.dumps(value)}" for name, value in bridge.address("codex").items())]
    lines = [f"[mcp_servers.{SERVER}]", f"command = {json.dumps(bridge.executable)}", f"args = {json.dumps(bridge.arguments)}"]
    allowed = [f'[mcp_servers.{SERVER}.tools.{tool}]\napproval_mode = "approve"' for tool in READ_ONLY]
    return HostConfig(
        "codex",
        (
            Paste("Run once in a shell", f"codex mcp add {SERVER} -- {bridge.shell}", "sh"),
            Paste("The same in ~/.codex/config.toml", "\n".join(lines), "toml"),
            Paste("~/.codex/config.toml: let it look without asking", "\n\n".join(allowed), "toml", ""),
            bridge.straight("codex", "~/.codex/config.toml", "\n".join(straight), "toml"),
        ),
        f"`codex mcp list` shows {SERVER}.",
    )


def _gemini_cli(bridge: _Bridge) -> HostConfig:
    # geminicli.com/docs: tools/mcp-server (httpUrl; variables in settings); reference/policy-engine.
    policy = f'[[rule]]\nmcpName = "{SERVER}"\ntoolName = {json.dumps(list(READ_ONLY))}\ndecision = "allow"\npriority = 100'
    shell = f"gemini mcp add --scope user {SERVER} {_words([bridge.executable])} -- {_words(bridge.arguments)}"
    return HostConfig(
        "gemini-cli",
        (
            Paste("Run once in a shell", shell, "sh"),
            Paste("The same in ~/.gemini/settings.json", _json({"mcpServers": {SERVER: bridge.server}}), "json"),
            Paste("~/.gemini/policies/notebook.toml: let it look without asking", policy, "toml", ""),
            bridge.straight("gemini-cli", "~/.gemini/settings.json", _json({"mcpServers": {SERVER: bridge.address("gemini-cli")}})),
        ),
        f"/mcp inside Gemini CLI shows {SERVER}.",
    )


def _windsurf(bridge: _Bridge) -> HostConfig:
    # docs.windsurf.com: cascade/mcp (`serverUrl`, `${env:NAME}`).
    place = "~/.codeium/windsurf/mcp_config.json"
    return HostConfig(
        "windsurf",
        (
            Paste(place, _json({"mcpServers": {SERVER: bridge.server}}), "json"),
            bridge.straight("windsurf", place, _json({"mcpServers": {SERVER: bridge.address("windsurf")}})),
        ),
        f"Refresh the MCP panel; {SERVER} is listed. Allow {', '.join(READ_ONLY)} when first asked.",
    )


def _any(bridge: _Bridge) -> HostConfig:
    return HostConfig(
        "json",
        (
            Paste("The server as most hosts write it, in their MCP configuration", _json({"mcpServers": {SERVER: bridge.server}}), "json"),
            bridge.straight("json", "As many hosts write it", _json({"mcpServers": {SERVER: bridge.address("json")}})),
        ),
        f"These tools only look and need no question each time: {', '.join(READ_ONLY)}.",
    )


_HOSTS: dict[str, Callable[[_Bridge], HostConfig]] = {
    "claude-code": _claude_code,
    "claude-desktop": _claude_desktop,
    "vscode": _vscode,
    "cursor": _cursor,
    "codex": _codex,
    "gemini-cli": _gemini_cli,
    "windsurf": _windsurf,
    "json": _any,
}
CLIENTS = tuple(_HOSTS)
"""What `config` takes."""

TITLES = {
    "claude-code": "Claude Code",
    "claude-desktop": "Claude Desktop",
    "vscode": "VS Code",
    "cursor": "Cursor",
    "codex": "Codex",
    "gemini-cli": "Gemini CLI",
    "windsurf": "Windsurf",
    "json": "Any other",
}
"""What people call them."""


def _marked(sentence: str) -> str:
    """A sentence of ours as HTML, what stands in backticks as code."""
    return _QUOTED.sub(r"<code>\1</code>", html.escape(sentence))


def _words(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


def _quoted(text: str) -> str:
    """One word of a shell line. PowerShell and POSIX shells both take single quotes; only the inner ones differ."""
    if sys.platform == "win32":
        doubled = text.replace("'", "''").replace('"', '\\"')
        return f"'{doubled}'"
    return shlex.quote(text)
