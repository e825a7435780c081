"""The magics: `%mcp …`, `%mcp_call` and `%%mcp_tool`, in front of what does the work.

Output is plain text. Names that clients and notebooks choose stand in it, so control characters are
shown as escapes: a client cannot recolour or overwrite what a cell shows. Everything heavy is imported when a magic
is first used, because profiles load extensions at start; the Workbench they act on is given to them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_workbench.wording import plain

if TYPE_CHECKING:
    from mcp_workbench.workbench import Workbench

Lines = Iterable[str]


def run_mcp(find: Callable[[], Workbench], line: str) -> None:
    """`%mcp start | stop | status | tools | resources | sessions | jobs | traffic [filter] | config <client> | error [id] | debug [id]`."""
    words = line.split()
    if not words:
        _print([f"There are: {_overview()}."])
        return
    command = _COMMANDS.get(words[0])
    if command is None:
        raise _refusal(_unknown(words[0]))
    if command.rest_as_it_stands:
        words = line.split(None, 1)
    if not command.fewest <= len(words) - 1 <= command.most:
        raise _refusal(f"{_written(words[0])}, got {line.strip()[:60]!r}{command.hint}")
    _print(command.run(find(), *words[1:]))


def run_mcp_call(workbench: Workbench, line: str) -> None:
    """`%mcp_call tool a=1 b="x"`: call a tool over the wire, as an agent does, and show what it answers.

    Values are Python literals; the name of a published DataFrame, a result (`_r7`) and a URI need no quotes.
    """
    from mcp_workbench.kernel.calling import call_tool

    call_tool(workbench, line)


def run_mcp_tool(workbench: Workbench, line: str, cell: str) -> object:
    """`%%mcp_tool --name add --read-only --timeout-s 5 --run-on main`: offer the one function that this cell defines as a tool.

    Options: --name, --title, --description, --tag (may be repeated), --read-only, --destructive, --run-on, --timeout-s,
    --background-after-s, --max-chars, --version, --redact; they mean what they mean for `@wb.tool`.
    """
    from mcp_workbench.kernel.tool_cell import make_tool

    return make_tool(workbench, _shell(), line, cell)


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def _print(lines: Lines) -> None:
    text = "".join(f"{plain(each)}\n" for each in lines)
    sys.stdout.write(text)


# --- what %mcp can do --------------------------------------------------------------------------------------------------


def _start(workbench: Workbench) -> Lines:
    return workbench.start().status().lines()


def _stop(workbench: Workbench) -> Lines:
    if not workbench.running:
        return ["The server is not running."]
    workbench.stop()
    return ["The server is stopped. What was registered stays; %mcp start serves it again."]


def _status(workbench: Workbench) -> Lines:
    return workbench.status().lines()


def _tools(workbench: Workbench) -> Lines:
    tools = workbench.tools
    if not tools:
        return ["No tools yet: @wb.tool makes a function one."]
    lines = [_with_description(f"{tool.name}  ({tool.defined_at})", tool.listed.description) for tool in tools]
    return [*lines, "A tool stays when its cell is deleted: wb.unpublish(name) withdraws it."]


def _resources(workbench: Workbench) -> Lines:
    dataframes = [f"df://{line}" for line in workbench.status().dataframes]
    authored = [_with_description(resource.uri, resource.listed.description) for resource in workbench.resources]
    return dataframes + authored or ["No resources yet: wb.publish(name=df) serves a DataFrame, @wb.resource a function."]


def _sessions(workbench: Workbench) -> Lines:
    return list(_session_lines(workbench, time.time())) or ["No client is connected."]


def _jobs(workbench: Workbench) -> Lines:
    return repr(workbench.jobs).split("\n")


def _traffic(workbench: Workbench, wanted: str = "") -> Lines:
    from IPython.display import display

    from mcp_workbench.exploring.filters import FilterError

    try:
        display(workbench.traffic.calls(wanted))  # type: ignore[no-untyped-call]  # IPython's
    except FilterError as error:
        raise _refusal(str(error)) from None
    return []


def _config(workbench: Workbench, client: str) -> Lines:
    try:
        return repr(workbench.config(client)).split("\n")
    except ValueError as error:
        raise _refusal(str(error)) from None


def _error(workbench: Workbench, call_id: str | None = None) -> Lines:
    from mcp_workbench.kernel.failed_calls import NoSuchCall, error_lines

    try:
        return list(error_lines(workbench, call_id))
    except NoSuchCall as error:
        return [_no_such(error, call_id)]


def _debug(workbench: Workbench, call_id: str | None = None) -> Lines:
    from mcp_workbench.kernel.debugging import CannotRun, debug_call
    from mcp_workbench.kernel.failed_calls import NoSuchCall

    try:
        debug_call(workbench, _shell(), call_id)
    except NoSuchCall as error:
        return [_no_such(error, call_id)]
    except CannotRun as error:
        raise _refusal(str(error)) from None
    return []


def _no_such(error: Exception, call_id: str | None) -> str:
    if call_id is not None:
        raise _refusal(str(error)) from None
    sentence = str(error)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _session_lines(workbench: Workbench, now: float) -> Iterator[str]:
    from mcp_workbench.views.words import counted

    for session in workbench.sessions:
        record = session.record
        client = " ".join(filter(None, (record.client_name or "unknown client", record.client_version)))
        yield (
            f"{record.session_id}  {client}, {record.protocol_version or 'no handshake yet'}, as {record.principal}: "
            f"{counted(record.calls, 'call')}, {session.queues['running']} running, connected {now - record.since:.0f} s"
        )


def _with_description(name: str, description: object) -> str:
    first = description.strip().partition("\n")[0] if isinstance(description, str) else ""
    return f"{name}  {first}".rstrip()


@dataclass(frozen=True, slots=True)
class _Command:
    run: Callable[..., Lines]
    takes: str = ""
    """What follows its name, as help shows it."""
    fewest: int = 0
    """Words that must follow."""
    most: int = 0
    hint: str = ""
    """Added to the sentence that says how it is written."""
    rest_as_it_stands: bool = False
    """Whether what follows is one text, in which spaces count."""


_CLIENTS = "claude-code, claude-desktop, vscode, cursor, codex, gemini-cli, windsurf, json"
_COMMANDS = {
    "start": _Command(_start, hint=". Settings are given to wb.start(), for instance wb.start(port=8801)"),
    "stop": _Command(_stop),
    "status": _Command(_status),
    "tools": _Command(_tools),
    "resources": _Command(_resources),
    "sessions": _Command(_sessions),
    "jobs": _Command(_jobs),
    "traffic": _Command(_traffic, "[filter]", 0, 1, rest_as_it_stands=True),
    "config": _Command(_config, "<client>", 1, 1, f"; clients are {_CLIENTS}"),
    "error": _Command(_error, "[id]", 0, 1),
    "debug": _Command(_debug, "[id]", 0, 1),
}


def commands() -> Iterable[str]:
    """What may follow `%mcp`."""
    return _COMMANDS


def _written(name: str) -> str:
    command = _COMMANDS[name]
    return f"it is written %mcp {name}{f' {command.takes}' if command.takes else ' alone'}"


def _overview() -> str:
    return ", ".join(f"%mcp {name}{f' {command.takes}' if command.takes else ''}" for name, command in _COMMANDS.items())


def _unknown(word: str) -> str:
    from mcp_workbench.primitives.wording import nearest

    close = nearest(word, _COMMANDS, 1)
    hint = f", nearest is %mcp {close[0]}" if close else ""
    return f"%mcp has no {word[:40]!r}{hint}. There are: {_overview()}."


def _refusal(sentence: str) -> Exception:
    """IPython prints such an exception as one line, and the cell counts as failed."""
    from IPython.core.error import UsageError

    return UsageError(plain(sentence))
