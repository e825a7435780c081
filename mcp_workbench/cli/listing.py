"""`mcp-workbench list`: the running servers of this user, from their discovery files. Never a token."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from mcp_workbench.discovery import Entry, Survey, survey
from mcp_workbench.wording import plain

_TITLES = ("name", "address", "pid", "started", "notebook")
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
        for line in _lines(found.entries):
            # Not wrapped here: a terminal wraps it by itself, and addresses and paths can still be copied whole.
            console.print(line, soft_wrap=True)
    else:
        console.print("No kernel serves. In a notebook: import mcp_workbench as wb; wb.start()", highlight=False)
    for each in found.ignored:
        console.print(Text(plain(f"Ignored: {each.path} {each.reason}"), style="yellow"), soft_wrap=True)


def _document(found: Survey) -> dict[str, Any]:
    return {
        "servers": [{name: getattr(entry, name) for name in SHOWN} for entry in found.entries],
        "ignored": [{"path": str(each.path), "reason": each.reason} for each in found.ignored],
    }


def _lines(entries: tuple[Entry, ...]) -> Iterator[Text]:
    """Columns under their titles; the path, which may be long, is the last."""
    rows = [_TITLES, *map(_row, entries)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True))
        yield Text("  ".join(cells).rstrip(), style="bold" if number == 0 else "")


def _row(entry: Entry) -> tuple[str, ...]:
    return tuple(map(plain, (entry.name, entry.url, str(entry.pid), _when(entry.started), entry.notebook or "")))


def _when(started: float) -> str:
    # Counted in UTC: on Windows local time knows no moments near 1970.
    return datetime.fromtimestamp(started, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
