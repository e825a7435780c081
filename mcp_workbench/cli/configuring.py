"""`mcp-workbench config`: what to paste into a host, in a terminal."""

from __future__ import annotations

import json
import sys

from mcp_workbench.pasting import config


def print_config(client: str, *, as_json: bool, transport: str | None = None, port: int | None = None) -> int:
    """Print it; returns the exit code."""
    try:
        found = config(client, port=port, http_port=port)
        found = found if transport is None else found.by(transport)
    except ValueError as error:
        print(f"mcp-workbench config: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found.as_dict(), indent=2) if as_json else repr(found))
    return 0
