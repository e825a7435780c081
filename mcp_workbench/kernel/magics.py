"""The line magic `%mcp`: start, stop and look at the default Workbench.

Output is plain text. Names that clients and notebooks choose stand in it, so control characters are
shown as escapes: a client cannot recolour or overwrite what a cell shows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from mcp_workbench.wording import plain

if TYPE_CHECKING:
    from mcp_workbench.workbench import Workbench

Lines = Iterable[str]


def run_mcp(line: str) -> None:
    """`%mcp start | stop | status | tools | resources | sessions`."""
    words = line.split()
    command = _COMMANDS.get(words[0]) if len(words) == 1 else None
    lines = _help(line) if command is None else command()
    sys.stdout.write("\n".join(plain(each) for each in lines) + "\n")


def _workbench() -> Workbench:
    from mcp_workbench.face import default  # not before the first use: it brings pandas along, and profiles load extensions at start

    return default()


def _start() -> Lines:
    return _workbench().start().status().lines()


def _stop() -> Lines:
    workbench = _workbench()
    if not workbench.running:
        return ["The server is not running."]
    workbench.stop()
    return ["The server is stopped. What was registered stays; %mcp start serves it again."]


def _status() -> Lines:
    return _workbench().status().lines()


def _tools() -> Lines:
    tools = _workbench().tools
    return [_with_description(tool.name, tool.listed.description) for tool in tools] or ["No tools yet: @wb.tool makes a function one."]


def _resources() -> Lines:
    workbench = _workbench()
    dataframes = [f"df://{line}" for line in workbench.status().dataframes]
    authored = [_with_description(resource.uri, resource.listed.description) for resource in workbench.resources]
    return dataframes + authored or ["No resources yet: wb.publish(name=df) serves a DataFrame, @wb.resource a function."]


def _sessions() -> Lines:
    return list(_session_lines(_workbench(), time.time())) or ["No client is connected."]


def _session_lines(workbench: Workbench, now: float) -> Iterator[str]:
    for session in workbench.sessions:
        record = session.record
        client = " ".join(filter(None, (record.client_name or "unknown client", record.client_version)))
        yield (
            f"{record.session_id}  {client}, {record.protocol_version or 'no handshake yet'}, as {record.principal}: "
            f"{record.calls} calls, {session.queues['running']} running, connected {now - record.since:.0f} s"
        )


def _with_description(name: str, description: object) -> str:
    first = description.strip().partition("\n")[0] if isinstance(description, str) else ""
    return f"{name}  {first}".rstrip()


def _help(line: str) -> Lines:
    asked = f"%mcp has no {line.strip()[:40]!r}. " if line.strip() else ""
    if line.split()[:1] == ["start"]:
        asked += "Settings are given to wb.start(), for instance wb.start(port=8801). "
    return [f"{asked}There are: {', '.join(f'%mcp {name}' for name in _COMMANDS)}."]


_COMMANDS: dict[str, Callable[[], Lines]] = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "tools": _tools,
    "resources": _resources,
    "sessions": _sessions,
}
