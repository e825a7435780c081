"""`mcp-workbench list`: the running servers of this user, from their discovery files. Never a token."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcp_workbench.discovery import Entry, Survey, survey
from mcp_workbench.wording import plain

SHOWN = ("name", "url", "kernel_id", "pid", "started", "notebook", "cwd", "executable")
"""Fields of an entry that are printed; the token is not among them."""


def print_servers(*, as_json: bool) -> None:
    """Print what runs, latest started first, and which files were ignored.

    Args:
        as_json: One document, `{"servers": […], "ignored": […]}`, instead of a table.
    """
    found = survey()
    if as_json:
        sys.stdout.write(json.dumps(_document(found), indent=2) + "\n")
        return
    console = Console()
    if found.entries:
        console.print(_table(found.entries))
    else:
        console.print("No kernel serves. In a notebook: import mcp_workbench as wb; wb.start()", highlight=False)
    for each in found.ignored:
        console.print(Text(plain(f"Ignored: {each.path} {each.reason}"), style="yellow"), soft_wrap=True)


def _document(found: Survey) -> dict[str, Any]:
    return {
        "servers": [{name: getattr(entry, name) for name in SHOWN} for entry in found.entries],
        "ignored": [{"path": str(each.path), "reason": each.reason} for each in found.ignored],
    }


def _table(entries: tuple[Entry, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "address", "pid", "started", "notebook"):
        # An address is there to be copied, so it is not broken into lines.
        table.add_column(title, overflow="fold", no_wrap=title in ("address", "pid"))
    for entry in entries:
        row = (entry.name, entry.url, str(entry.pid), _when(entry.started), entry.notebook or "")
        table.add_row(*(Text(plain(text)) for text in row))
    return table


def _when(started: float) -> str:
    # Counted in UTC: on Windows local time knows no moments near 1970.
    return datetime.fromtimestamp(started, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
