"""What Tab offers behind `%mcp`: its commands, hosts behind `config`, and filters behind `traffic`, their keys and values.

IPython asks for the word before the cursor, which begins behind a `:`. Nothing is imported before somebody presses Tab there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_workbench.kernel.magics import commands

if TYPE_CHECKING:
    from mcp_workbench.workbench import Workbench

NAME = "%mcp"


def add_completer(shell: Any, find: Callable[[], Workbench]) -> None:
    """Have a shell ask here, and nobody else where something is offered: names of Python are no use there."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    def complete(context: Any) -> Any:
        line = context.text_until_cursor.lstrip()
        words = sorted(completions(find, line, context.token)) if line.partition(" ")[0] == NAME else []
        return {"completions": [SimpleCompletion(word) for word in words], "suppress": bool(words)}

    remove_completer(shell)
    shell.Completer.custom_matchers.append(context_matcher(identifier=NAME)(complete))


def remove_completer(shell: Any) -> None:
    """Have it ask no more."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if getattr(matcher, "matcher_identifier", "") != NAME]


def completions(find: Callable[[], Workbench], line: str, begun: str) -> Iterable[str]:
    """What may stand in place of a word that was begun.

    Args:
        find: The Workbench.
        line: Until the cursor, from `%mcp` on.
        begun: What IPython takes for the word.
    """
    before = line[: len(line) - len(begun)].split(None, 2)[1:]
    if not before:
        offered: Iterable[str] = commands()
    elif before[0] == "traffic":
        offered = _of_filter(find(), line.rpartition(" ")[2].lstrip("-("))
    elif before[0] == "config" and len(before) == 1:
        from mcp_workbench.pasting import CLIENTS

        offered = CLIENTS
    else:
        offered = ()
    return [word for word in offered if word.startswith(begun)]


def _of_filter(workbench: Workbench, term: str) -> Iterable[str]:
    from mcp_workbench.exploring.filters.keys import KEYS

    key, colon, _ = term.partition(":")
    if colon:
        return _values(workbench, key)
    if key.startswith("args."):
        schemas = [tool.listed.input_schema for tool in workbench.tools]
        return {f"args.{name}:" for schema in schemas for name in _names(schema.get("properties")) if name.isidentifier()}
    return [f"{name}." if name in ("args", "result") else f"{name}:" for name in KEYS]


def _names(properties: object) -> Iterable[str]:
    return map(str, properties) if isinstance(properties, Mapping) else ()


def _values(workbench: Workbench, key: str) -> Iterable[str]:
    """What a key may be compared with, as far as it can be listed."""
    from mcp_workbench.events import Era
    from mcp_workbench.exploring.reading import Kind
    from mcp_workbench.telemetry.messages import Direction
    from mcp_workbench.telemetry.records import Outcome, Side

    choices: dict[str, Iterable[str]] = {"outcome": [*Outcome, "failed"], "side": Side, "era": Era, "dir": Direction, "kind": Kind}
    if key in choices:
        return list(map(str, choices[key]))
    traffic = workbench.traffic
    seen: dict[str, Callable[[], Iterable[str]]] = {
        "tool": lambda: {call.target for call in traffic.calls("tool:*")} | {tool.name for tool in workbench.tools},
        "method": lambda: {call.method for call in traffic.calls()},
        "session": lambda: {session.session_id for session in traffic.sessions},
        "client": lambda: {session.client_name for session in traffic.sessions if session.client_name},
        "principal": lambda: {session.principal for session in traffic.sessions},
    }
    return [name for name in seen[key]() if name.isprintable() and not set(name) & set(" ()|\"'")] if key in seen else ()
