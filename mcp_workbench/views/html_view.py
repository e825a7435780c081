"""A view as one piece of HTML: inline CSS, no script, nothing loaded from anywhere.

Colours are those of the front end (JupyterLab's and VS Code's variables, with fallbacks that can be read on light
and dark); texts inherit theirs. It is made of `div` and `span` only: front ends style tables in their own way.
Everything that clients, data or the author have named goes through `_text`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from mcp_workbench.status_report import failures_hint, mistakes_hint
from mcp_workbench.views.facts import OPEN_CALLS, CallFacts, OpenCallFacts, SessionFacts, ToolFacts, View
from mcp_workbench.views.words import LEFT_OUT, counted, date, duration, elapsed, moment, outcome, shown

_GOOD = "var(--jp-success-color1, var(--vscode-testing-iconPassed, #2e9e4f))"
_BAD = "var(--jp-error-color1, var(--vscode-errorForeground, #e0443e))"
_ACCENT = "var(--jp-brand-color1, var(--vscode-charts-blue, #2f81d8))"
_MONO = "font-family:var(--jp-code-font-family, var(--vscode-editor-font-family, monospace))"
_SANS = "font-family:var(--jp-ui-font-family, var(--vscode-font-family, system-ui, sans-serif))"
_FAINT = "opacity:.62"
_LINE = "rgba(128,128,128,.35)"
_ONE_LINE = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_BAR_PX = 14
_NAME_CH = 18
_AGE = "Renewed at least once a minute: where this is older, the kernel has ended or was restarted, or this is a saved copy."
_COMMAND = re.compile(r"%mcp [a-z]+( [cjx]\d+)?")
_SESSIONS = 4
_DATAFRAMES = 6
_NOTICES = 3


def render_html(view: View, panel: str = "all", *, at: float | None = None, mark: str = "") -> str:
    """Draw a view.

    Args:
        view: The facts.
        panel: One of `words.PANELS`; each has the state, and what it is named after.
        at: Of when they are, in seconds since 1970; None: not said.
        mark: Class of the outermost element, by which a widget finds it; empty: none.
    """
    frame = f"border:1px solid {_LINE};border-radius:6px;padding:8px 12px;max-width:1040px"
    style = f"{_SANS};font-size:12px;line-height:1.5;color:inherit;{frame}"
    return _box(style, _head(view, at), *_parts(view, panel), _left_out(view), mark=mark)


def render_moved() -> str:
    """What remains of a display when a newer one has taken its place."""
    return _box(f"{_SANS};font-size:12px;{_FAINT}", _text("moved to the newer display"))


# --- the parts ---------------------------------------------------------------------------------------------------


def _parts(view: View, panel: str) -> list[str]:
    """What a panel shows below the state."""
    match panel:
        case "connect" | "sessions":
            return [_sessions(view)]
        case "calls":
            return [_running(view), _columns([_calls(view)]), _below(_failures(view))]
        case "latency":
            return [_columns([_tools(view)])]
        case "dataframes":
            return [_below(_dataframes(view))]
        case "kernel":
            return [_running(view), _below(_notices(view))]
        case _:
            foot = _below([*_dataframes(view), *_notices(view), *_failures(view)])
            return [_sessions(view), _running(view), _columns([_calls(view), _tools(view)]), foot]


def _head(view: View, at: float | None) -> str:
    as_of = "" if at is None else _span(f"{_FAINT};white-space:nowrap", _text(f"as of {moment(at)}"), title=f"{date(at)}. {_AGE}")
    if view.url is None:
        dot, facts = _FAINT, [_strong("stopped"), as_of, _strong(shown(view.name, 60)), _faint("wb.start() starts it again")]
    else:
        since = "" if view.since is None else f"since {moment(view.since)}"
        dot = f"color:{_GOOD}"
        facts = [_strong("serving"), as_of, _strong(shown(view.name, 60)), _span(_MONO, _text(view.url)), _faint(since)]
        facts.append(_faint(f"{counted(view.offered, 'tool')} offered"))
    return _box("display:flex;flex-wrap:wrap;gap:0 10px;align-items:baseline", _span(dot, "●"), _faint("mcp_workbench"), *facts)


def _sessions(view: View) -> str:
    if view.url is None:
        return ""
    if not view.sessions:
        command = _span(f"{_MONO};color:{_ACCENT}", _text("%mcp config claude-code"))
        return _box("", _text("waiting for your agent: "), command, _faint(" says what to paste, once per machine"))
    lines = [_session(session) for session in view.sessions[:_SESSIONS]]
    return "".join([*lines, _more(len(view.sessions) - _SESSIONS, "session")])


def _session(session: SessionFacts) -> str:
    running = _span(f"color:{_ACCENT}", _text(f"{session.running} running")) if session.running else ""
    details = _faint(f"{session.protocol} · as {shown(session.principal, 40)} · {counted(session.calls, 'call')}")
    client = _strong(shown(session.client, 60))
    return _box("display:flex;flex-wrap:wrap;gap:0 8px", _faint(session.session_id), client, details, running)


def _running(view: View) -> str:
    if not (view.running or view.main_thread):
        return ""
    grid = "display:grid;grid-template-columns:auto fit-content(26ch) auto fit-content(64ch) minmax(0,1fr);gap:0 10px"
    cells = [cell for call in view.running[:OPEN_CALLS] for cell in _open_call(call)]
    main = _box(f"color:{_ACCENT}", _text(shown(view.main_thread, 160))) if view.main_thread else ""
    more = _more(len(view.running) - OPEN_CALLS, "call")
    return _box("margin-top:6px", _title("running now"), main, _box(grid, *cells), more)


def _open_call(call: OpenCallFacts) -> list[str]:
    target, standing, who = shown(call.target, 60), shown(call.standing, 120), shown(call.who, 40)
    return [
        _faint(call.id or "–"),
        _name(target),
        _span("text-align:right;white-space:nowrap", _text(elapsed(call.seconds))),
        _span(f"color:{_ACCENT};{_ONE_LINE}", _text(standing), title=standing),
        _span(f"{_FAINT};{_ONE_LINE}", _text(who), title=who),
    ]


def _columns(columns: Iterable[str]) -> str:
    present = [column for column in columns if column]
    if not present:
        return ""
    return _box("display:flex;flex-wrap:wrap;gap:4px 32px;margin-top:6px", *present)


def _calls(view: View) -> str:
    if not view.calls:
        return ""
    grid = "display:grid;grid-template-columns:auto fit-content(26ch) auto auto minmax(0,1fr);gap:0 10px"
    cells = [cell for call in view.calls for cell in _call(call)]
    return _box("flex:1 1 460px;min-width:0;overflow-x:auto", _title("last calls"), _box(grid, *cells))


def _call(call: CallFacts) -> list[str]:
    how, sign = _how_it_ended(call)
    error = shown(call.error, 200) if call.failed else ""
    told = [_span(f"grid-column:2/-1;{_FAINT};{_ONE_LINE}", _text(f"behind {shown(call.behind, 120)}"))] if call.behind else []
    told += [_span(f"grid-column:2/-1;color:{_BAD};{_ONE_LINE}", _text(error), title=error)] if error else []
    who = shown(call.who, 40)
    return [
        _faint(moment(call.at)),
        _name(shown(call.title, 60)),
        _span(f"{how};white-space:nowrap", _text(f"{sign} {outcome(call.outcome)}")),
        _span("text-align:right;white-space:nowrap", _text(duration(call.total_ns))),
        _span(f"{_FAINT};{_ONE_LINE}", _text(who), title=who),
        *told,
    ]


def _how_it_ended(call: CallFacts) -> tuple[str, str]:
    """Style and sign."""
    if call.outcome == "cancelled":
        return _FAINT, "–"
    return (f"color:{_BAD};font-weight:600", "✗") if call.failed else (f"color:{_GOOD}", "✓")


def _tools(view: View) -> str:
    if not view.tools:
        return ""
    grid = "display:grid;grid-template-columns:minmax(0,auto) auto auto auto auto auto;gap:0 12px;align-items:end"
    heads = [_title("per tool"), *(_span(f"{_FAINT};text-align:right", word) for word in ("calls", "errors", "p50", "p99"))]
    heads.append(_faint("10 µs … 100 s"))
    cells = [cell for tool in view.tools for cell in _tool(tool)]
    return _box("flex:0 1 auto;min-width:0;overflow-x:auto", _box(grid, *heads, *cells))


def _tool(tool: ToolFacts) -> list[str]:
    numbers = (f"{tool.calls:,}", f"{tool.errors:,}", duration(tool.p50_ns), duration(tool.p99_ns))
    styles = ("", f"color:{_BAD};font-weight:600" if tool.errors else _FAINT, "", "")
    cells = [_span(f"text-align:right;white-space:nowrap;{style}", _text(text)) for text, style in zip(numbers, styles, strict=True)]
    return [_name(shown(tool.name, 40)), *cells, _histogram(tool.bars)]


def _histogram(bars: tuple[int, ...]) -> str:
    highest = max(bars, default=0)
    heights = [max(2, round(_BAR_PX * count / highest)) if count else 0 for count in bars]
    parts = [_span(f"width:5px;height:{height}px;background:{_ACCENT}") for height in heights]
    box = f"display:inline-flex;gap:1px;align-items:flex-end;height:{_BAR_PX}px;border-bottom:1px solid {_LINE};justify-self:start"
    return _span(box, *parts)


def _below(lines: list[str]) -> str:
    return _box("margin-top:6px", *lines) if lines else ""


def _dataframes(view: View) -> list[str]:
    if not view.dataframes:
        return []
    names = [_dataframe(line) for line in view.dataframes[:_DATAFRAMES]]
    more = _more(len(view.dataframes) - _DATAFRAMES, "DataFrame")
    return [_box("display:flex;flex-wrap:wrap;gap:0 14px", _faint("df://"), *names, more)]


def _notices(view: View) -> list[str]:
    return [_box(_FAINT, _text(f"note: {shown(notice, 240)}")) for notice in view.notices[-_NOTICES:]]


def _failures(view: View) -> list[str]:
    lines = []
    if view.failed:
        lines.append(_box(f"color:{_BAD}", _with_commands(failures_hint(view.failed))))
    if view.mistakes:
        lines.append(_box(_FAINT, _with_commands(mistakes_hint(view.mistakes, view.last_mistake))))
    return lines


def _left_out(view: View) -> str:
    return _box(_FAINT, _text(LEFT_OUT)) if view.left_out else ""


def _dataframe(line: str) -> str:
    whole = shown(line, 70)
    name, _, facts = whole.partition(" ")
    return _span(f"{_ONE_LINE};max-width:100%", _span(_MONO, _text(name)), _faint(f" {facts}" if facts else ""), title=whole)


def _with_commands(sentence: str) -> str:
    """A sentence of ours, the magics in it as code."""
    return _COMMAND.sub(lambda command: _span(_MONO, command[0]), _text(sentence))


# --- the pieces ----------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    return html.escape(text)


def _strong(text: str) -> str:
    return _span("font-weight:600", _text(text))


def _faint(text: str) -> str:
    return _span(f"{_FAINT};white-space:nowrap", _text(text)) if text else ""


def _name(text: str) -> str:
    """The name of a tool, or the like: cut where there is no room, but never so much that it cannot be told from others."""
    return _span(f"{_MONO};{_ONE_LINE};min-width:{min(len(text), _NAME_CH)}ch", _text(text), title=text)


def _title(text: str) -> str:
    return _box(f"{_FAINT};font-weight:600", _text(text))


def _more(left: int, noun: str) -> str:
    return _faint(f"and {left} more {noun}{'' if left == 1 else 's'}") if left > 0 else ""


def _box(style: str, *inner: str, mark: str = "") -> str:
    named = f' class="{_text(mark)}"' if mark else ""
    return f'<div{named} style="{style}">{"".join(inner)}</div>'


def _span(style: str, *inner: str, title: str = "") -> str:
    hover = f' title="{_text(title)}"' if title else ""
    return f'<span style="{style}"{hover}>{"".join(inner)}</span>'
