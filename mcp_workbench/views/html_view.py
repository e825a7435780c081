"""A view as one piece of HTML: inline CSS, no script, nothing loaded from anywhere.

Colours are those of the front end (JupyterLab's and VS Code's variables, with fallbacks that can be read on light
and dark); texts inherit theirs. It is made of `div` and `span` only: front ends style tables in their own way.
Everything that clients, data or the author have named goes through `_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mcp_workbench.markup import (
    ACCENT,
    BAD,
    FAINT,
    GOOD,
    LINE,
    MONO,
    ONE_LINE,
    SANS,
    and_more,
    box,
    faint,
    framed,
    name,
    span,
    strong,
    text,
    title,
)
from mcp_workbench.status_report import failures_hint, mistakes_hint
from mcp_workbench.views.facts import OPEN_CALLS, CallFacts, OpenCallFacts, SessionFacts, ToolFacts, View
from mcp_workbench.views.words import LEFT_OUT, counted, date, duration, elapsed, moment, outcome, shown

_BAR_PX = 14
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
    return framed(_head(view, at), *_parts(view, panel), _left_out(view), mark=mark)


def render_moved() -> str:
    """What remains of a display when a newer one has taken its place."""
    return box(f"{SANS};font-size:12px;{FAINT}", text("moved to the newer display"))


# --- the parts ---------------------------------------------------------------------------------------------------


def _parts(view: View, panel: str) -> list[str]:
    """What a panel shows below the state."""
    match panel:
        case "connect" | "sessions":
            return [_sessions(view)]
        case "calls":
            return [_running(view), _columns([_calls(view)]), _below(_failures(view))]
        case "messages":
            return [_sessions(view), _below(_messages(view))]
        case "timeline":
            return [_running(view), _columns([_waterfall(view)])]
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
    as_of = "" if at is None else span(f"{FAINT};white-space:nowrap", text(f"as of {moment(at)}"), title=f"{date(at)}. {_AGE}")
    if view.url is None:
        dot, facts = FAINT, [strong("stopped"), as_of, strong(shown(view.name, 60)), faint("wb.start() starts it again")]
    else:
        since = "" if view.since is None else f"since {moment(view.since)}"
        dot = f"color:{GOOD}"
        facts = [strong("serving"), as_of, strong(shown(view.name, 60)), span(MONO, text(view.url)), faint(since)]
        facts.append(faint(f"{counted(view.offered, 'tool')} offered"))
    return box("display:flex;flex-wrap:wrap;gap:0 10px;align-items:baseline", span(dot, "●"), faint("mcp_workbench"), *facts)


def _sessions(view: View) -> str:
    if view.url is None:
        return ""
    if not view.sessions:
        command = span(f"{MONO};color:{ACCENT}", text("%mcp config claude-code"))
        return box("", text("waiting for your agent: "), command, faint(" says what to paste, once per machine"))
    lines = [_session(session) for session in view.sessions[:_SESSIONS]]
    return "".join([*lines, and_more(len(view.sessions) - _SESSIONS, "session")])


def _session(session: SessionFacts) -> str:
    running = span(f"color:{ACCENT}", text(f"{session.running} running")) if session.running else ""
    details = faint(f"{session.protocol} · as {shown(session.principal, 40)} · {counted(session.calls, 'call')}")
    client = strong(shown(session.client, 60))
    return box("display:flex;flex-wrap:wrap;gap:0 8px", faint(session.session_id), client, details, running)


def _running(view: View) -> str:
    if not (view.running or view.main_thread):
        return ""
    grid = "display:grid;grid-template-columns:auto fit-content(26ch) auto fit-content(64ch) minmax(0,1fr);gap:0 10px"
    cells = [cell for call in view.running[:OPEN_CALLS] for cell in _open_call(call)]
    main = box(f"color:{ACCENT}", text(shown(view.main_thread, 160))) if view.main_thread else ""
    more = and_more(len(view.running) - OPEN_CALLS, "call")
    return box("margin-top:6px", title("running now"), main, box(grid, *cells), more)


def _open_call(call: OpenCallFacts) -> list[str]:
    target, standing, who = shown(call.target, 60), shown(call.standing, 120), shown(call.who, 40)
    return [
        faint(call.id or "–"),
        name(target),
        span("text-align:right;white-space:nowrap", text(elapsed(call.seconds))),
        span(f"color:{ACCENT};{ONE_LINE}", text(standing), title=standing),
        span(f"{FAINT};{ONE_LINE}", text(who), title=who),
    ]


def _columns(columns: Iterable[str]) -> str:
    present = [column for column in columns if column]
    if not present:
        return ""
    return box("display:flex;flex-wrap:wrap;gap:4px 32px;margin-top:6px", *present)


def _calls(view: View) -> str:
    if not view.calls:
        return ""
    grid = "display:grid;grid-template-columns:auto fit-content(26ch) auto auto minmax(0,1fr);gap:0 10px"
    cells = [cell for call in view.calls for cell in _call(call)]
    return box("flex:1 1 460px;min-width:0;overflow-x:auto", title("last calls"), box(grid, *cells))


def _call(call: CallFacts) -> list[str]:
    how, sign = _how_it_ended(call)
    error = shown(call.error, 200) if call.failed else ""
    told = [span(f"grid-column:2/-1;{FAINT};{ONE_LINE}", text(f"behind {shown(call.behind, 120)}"))] if call.behind else []
    told += [span(f"grid-column:2/-1;color:{BAD};{ONE_LINE}", text(error), title=error)] if error else []
    who = shown(call.who, 40)
    return [
        faint(moment(call.at)),
        name(shown(call.title, 60)),
        span(f"{how};white-space:nowrap", text(f"{sign} {outcome(call.outcome)}")),
        span("text-align:right;white-space:nowrap", text(duration(call.total_ns))),
        span(f"{FAINT};{ONE_LINE}", text(who), title=who),
        *told,
    ]


def _how_it_ended(call: CallFacts) -> tuple[str, str]:
    """Style and sign."""
    if call.outcome == "cancelled":
        return FAINT, "–"
    return (f"color:{BAD};font-weight:600", "✗") if call.failed else (f"color:{GOOD}", "✓")


def _tools(view: View) -> str:
    if not view.tools:
        return ""
    grid = "display:grid;grid-template-columns:minmax(0,auto) auto auto auto auto auto;gap:0 12px;align-items:end"
    heads = [title("per tool"), *(span(f"{FAINT};text-align:right", word) for word in ("calls", "errors", "p50", "p99"))]
    heads.append(faint("10 µs … 100 s"))
    cells = [cell for tool in view.tools for cell in _tool(tool)]
    return box("flex:0 1 auto;min-width:0;overflow-x:auto", box(grid, *heads, *cells))


def _tool(tool: ToolFacts) -> list[str]:
    numbers = (f"{tool.calls:,}", f"{tool.errors:,}", duration(tool.p50_ns), duration(tool.p99_ns))
    styles = ("", f"color:{BAD};font-weight:600" if tool.errors else FAINT, "", "")
    cells = [span(f"text-align:right;white-space:nowrap;{style}", text(number)) for number, style in zip(numbers, styles, strict=True)]
    return [name(shown(tool.name, 40)), *cells, _histogram(tool.bars)]


def _histogram(bars: tuple[int, ...]) -> str:
    highest = max(bars, default=0)
    heights = [max(2, round(_BAR_PX * count / highest)) if count else 0 for count in bars]
    parts = [span(f"width:5px;height:{height}px;background:{ACCENT}") for height in heights]
    box = f"display:inline-flex;gap:1px;align-items:flex-end;height:{_BAR_PX}px;border-bottom:1px solid {LINE};justify-self:start"
    return span(box, *parts)


def _waterfall(view: View) -> str:
    """The last calls against time, the one that came first on top."""
    calls = sorted(view.calls, key=lambda call: call.at)
    if not calls:
        return ""
    first = calls[0].at
    whole = max(1e-6, *(call.at - first + (call.total_ns or 0) / 1e9 for call in calls))
    grid = "display:grid;grid-template-columns:auto fit-content(26ch) minmax(8em,1fr) auto;gap:0 10px;align-items:center"
    cells = [cell for call in calls for cell in _waterfall_row(call, call.at - first, whole)]
    return box("flex:1 1 460px;min-width:0;overflow-x:auto", title(f"last calls, {duration(round(whole * 1e9))}"), box(grid, *cells))


def _waterfall_row(call: CallFacts, after_s: float, whole_s: float) -> list[str]:
    left, width = 100 * after_s / whole_s, 100 * (call.total_ns or 0) / 1e9 / whole_s
    place = f"position:absolute;left:min({left:.2f}%,100% - 2px);width:max(2px,{width:.2f}%);top:3px;height:9px"
    bar = span(f"{place};background:{BAD if call.failed else ACCENT}")
    how, sign = _how_it_ended(call)
    return [
        faint(moment(call.at)),
        name(shown(call.title, 60)),
        box(f"position:relative;height:15px;border-bottom:1px solid {LINE};overflow:hidden", bar),
        span(f"{how};text-align:right;white-space:nowrap", text(f"{sign} {duration(call.total_ns)}")),
    ]


def _messages(view: View) -> list[str]:
    return [
        faint(f"{counted(view.messages, 'message')} crossed since the start; "),
        span(MONO, text("wb.traffic.messages()")),
        faint(" has them"),
    ]


def _below(lines: list[str]) -> str:
    return box("margin-top:6px", *lines) if lines else ""


def _dataframes(view: View) -> list[str]:
    if not view.dataframes:
        return []
    names = [_dataframe(line) for line in view.dataframes[:_DATAFRAMES]]
    more = and_more(len(view.dataframes) - _DATAFRAMES, "DataFrame")
    return [box("display:flex;flex-wrap:wrap;gap:0 14px", faint("df://"), *names, more)]


def _notices(view: View) -> list[str]:
    return [box(FAINT, text(f"note: {shown(notice, 240)}")) for notice in view.notices[-_NOTICES:]]


def _failures(view: View) -> list[str]:
    lines = []
    if view.failed:
        lines.append(box(f"color:{BAD}", _with_commands(failures_hint(view.failed))))
    if view.mistakes:
        lines.append(box(FAINT, _with_commands(mistakes_hint(view.mistakes, view.last_mistake))))
    return lines


def _left_out(view: View) -> str:
    return box(FAINT, text(LEFT_OUT)) if view.left_out else ""


def _dataframe(line: str) -> str:
    whole = shown(line, 70)
    name, _, facts = whole.partition(" ")
    return span(f"{ONE_LINE};max-width:100%", span(MONO, text(name)), faint(f" {facts}" if facts else ""), title=whole)


def _with_commands(sentence: str) -> str:
    """A sentence of ours, the magics in it as code."""
    return _COMMAND.sub(lambda command: span(MONO, command[0]), text(sentence))
