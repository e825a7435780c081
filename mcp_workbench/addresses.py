"""How each agent's host writes a server that it reaches by an address, instead of starting one; never with a token in it.

The address has a fixed port, and the token stands in `MCP_WORKBENCH_TOKEN`, which the notebook and the host both have. What a
host starts itself, and where it keeps its settings, is `pasting`'s and the command line's. Knows nothing else of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Reached = Literal["http", "ws"]
"""Streamable HTTP, or a WebSocket."""
Transport = Literal["stdio", "http", "ws"]
"""The same, or by the bridge, which the host starts."""
WS_PORT = 8801
"""Port of the WebSocket where no fixed one is in use."""
HTTP_PORT = 8802
"""... and over HTTP."""
TOKEN = "MCP_WORKBENCH_TOKEN"  # noqa: S105  # the name of the variable
VSCODE_INPUT = "mcp-workbench-token"
"""Under which VS Code asks for the token."""

_BRACES, _ENV = f"${{{TOKEN}}}", f"${{env:{TOKEN}}}"
_FORMS: Mapping[tuple[str, Reached], tuple[dict[str, Any], str]] = {
    ("claude-code", "ws"): ({"type": "ws"}, _BRACES),
    ("claude-code", "http"): ({"type": "http"}, _BRACES),
    ("vscode", "http"): ({"type": "http"}, f"${{input:{VSCODE_INPUT}}}"),
    ("cursor", "http"): ({}, _ENV),
    ("codex", "http"): ({}, ""),
    ("gemini-cli", "http"): ({}, _BRACES),
    ("windsurf", "http"): ({}, _ENV),
    ("json", "http"): ({"type": "http"}, _BRACES),
}
"""What stands in front of the address, and how the variable is written in a header."""
_NAME_OF_URL = {"gemini-cli": "httpUrl", "windsurf": "serverUrl"}


def address_entry(client: str, reached: Reached, port: int | None = None) -> dict[str, Any] | None:
    """The server as a host writes it.

    Args:
        client: As `pasting.config` names it.
        reached: How.
        port: Of the server; None: the usual one.

    Returns:
        The entry; None: that host reaches no server in this way.
    """
    if (client, reached) not in _FORMS:
        return None
    first, variable = _FORMS[client, reached]
    scheme, usual = ("http", HTTP_PORT) if reached == "http" else ("ws", WS_PORT)
    entry = first | {_NAME_OF_URL.get(client, "url"): f"{scheme}://127.0.0.1:{usual if port is None else port}/mcp"}
    # Codex has a member of its own for it, and refuses a token that stands in the file.
    return entry | ({"headers": {"Authorization": f"Bearer {variable}"}} if variable else {"bearer_token_env_var": TOKEN})


def start_line(reached: Reached, port: int | None = None) -> str:
    """What the notebook runs to be reached there."""
    if reached == "http":
        return f"wb.start(http=True, http_port={HTTP_PORT if port is None else port})"
    return f"wb.start(port={WS_PORT if port is None else port})"
