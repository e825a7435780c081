"""A view as plain text: for terminals, and beside the HTML for whoever cannot show that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mcp_workbench.status_report import failures_hint, mistakes_hint
from mcp_workbench.views.facts import OPEN_CALLS, OpenCallFacts, View
from mcp_workbench.views.words import LEFT_OUT, counted, duration, elapsed, moment, outcome, shown

_BLOCKS = " ▁▂▃▄▅▆▇█"
_DATAFRAMES = 6
_NOTICES = 3


def render_text(view: View, panel: str = "all", *, at: float | None = None) -> str:
    """Draw a view.

    Args:
        view: The facts.
        panel: One of `words.PANELS`; each has the state, and what it is named after.
        at: Of when they are, in seconds since 1970; None: not said.
    """
    lines = [_state(view) + ("" if at is None else f" (as of {moment(at)})")]
    lines += [line for part in _PARTS[panel] for line in part(view)]
    if view.left_out:
        lines.append(f"  {LEFT_OUT}")
    return "\n".join(lines)


def sparkline(bars: tuple[int, ...]) -> str:
    """One block per bar, as high as its share of the highest; whatever is not empty is seen."""
    highest = max(bars, default=0)
    return "".join(_BLOCKS[max(1, round(8 * count / highest)) if count else 0] for count in bars)


def _state(view: View) -> str:
    if view.url is None:
        return f"mcp_workbench {shown(view.name, 60)!r} is stopped; wb.start() starts it again."
    since = "" if view.since is None else f" since {moment(view.since)}"
    return f"mcp_workbench {shown(view.name, 60)!r} serves at {view.url}{since}"


def _sessions(view: View) -> Iterator[str]:
    if view.url is not None and not view.sessions:
        yield "  waiting for your agent: %mcp config claude-code says what to paste"
    for session in view.sessions:
        running = f", {session.running} running" if session.running else ""
        client, principal = shown(session.client, 60), shown(session.principal, 40)
        yield f"  {session.session_id}  {client} ({session.protocol}, as {principal}): {counted(session.calls, 'call')}{running}"


def _running(view: View) -> Iterator[str]:
    return (f"  {line}" for line in running_lines(view.running, view.main_thread))


def running_lines(running: tuple[OpenCallFacts, ...], main_thread: str) -> Iterator[str]:
    """What goes on, as lines of text.

    Args:
        running: Calls and jobs.
        main_thread: Whose call has the main thread; empty: nobody's.
    """
    if main_thread:
        yield shown(main_thread, 160)
    for call in running[:OPEN_CALLS]:
        facts = (call.id, shown(call.target, 50), shown(call.standing, 100), elapsed(call.seconds), shown(call.who, 50))
        yield f"running now: {'  '.join(filter(None, facts))}"
    if (left := len(running) - OPEN_CALLS) > 0:
        yield f"running now: and {counted(left, 'more call')}"


def _calls(view: View) -> Iterator[str]:
    for call in view.calls:
        error = f"  {shown(call.error, 100)}" if call.failed else ""
        behind = f"  behind {shown(call.behind, 60)}" if call.behind else ""
        facts = (moment(call.at), shown(call.title, 50), outcome(call.outcome), duration(call.total_ns), shown(call.who, 50))
        yield f"  {'  '.join(facts)}{behind}{error}"


def _tools(view: View) -> Iterator[str]:
    for tool in view.tools:
        facts = f"{counted(tool.calls, 'call')}, {counted(tool.errors, 'error')}, p50 {duration(tool.p50_ns)}, p99 {duration(tool.p99_ns)}"
        yield f"  {shown(tool.name, 50)}: {facts}  {sparkline(tool.bars)}".rstrip()


def _messages(view: View) -> Iterator[str]:
    yield f"  {counted(view.messages, 'message')} crossed since the start: wb.traffic.messages() has them"


def _dataframes(view: View) -> Iterator[str]:
    for dataframe in view.dataframes[:_DATAFRAMES]:
        yield f"  df://{shown(dataframe, 100)}"


def _notices(view: View) -> Iterator[str]:
    for notice in view.notices[-_NOTICES:]:
        yield f"  note: {shown(notice, 240)}"


def _failures(view: View) -> Iterator[str]:
    if view.failed:
        yield f"  {failures_hint(view.failed)}"
    if view.mistakes:
        yield f"  {mistakes_hint(view.mistakes, view.last_mistake)}"


_PARTS: dict[str, tuple[Callable[[View], Iterator[str]], ...]] = {
    "all": (_sessions, _running, _calls, _tools, _dataframes, _notices, _failures),
    "connect": (_sessions,),
    "sessions": (_sessions,),
    "calls": (_running, _calls, _failures),
    "messages": (_sessions, _messages),
    "timeline": (_running, _calls),
    "latency": (_tools,),
    "dataframes": (_dataframes,),
    "kernel": (_running, _notices),
}
"""What a panel shows below the state."""
