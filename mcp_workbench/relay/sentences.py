"""What an agent reads from the bridge itself: which notebook there is or is not, and what became of its calls.

Written for a model that can act on it, or ask the person to. Names and paths come from others and are shown as one
plain line. Pure; the time is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_workbench.discovery import Entry
from mcp_workbench.relay.choosing import Choice, labels
from mcp_workbench.relay.known import Kind, Known
from mcp_workbench.wording import plain

CELL = "import mcp_workbench as wb\nwb.start()"
AFTERWARDS = "notebook_status(wait_s=50) answers as soon as it is there."
HOW_TO_START = (
    f"Ask the person to run this in a cell of the notebook:\n\n{CELL}\n\n"
    f"It is found within a second, and its tools are then listed by themselves. {AFTERWARDS}"
)
HOW_TO_COME_BACK = (
    "It is connected again as soon as it serves. If its kernel was restarted, nothing is defined in it: ask the person to run the cells "
    f"again, first the one with\n\n{CELL}\n\nthen those that define functions and DataFrames. {AFTERWARDS}"
)
GONE = "Jobs and results of before are gone."
FAULT = "The bridge itself has a fault, told in its stderr: this was not passed on. Ask again; notebook_status says what there is."
NOT_UTF8 = "Parse error: expected one JSON value in UTF-8; the bytes are not UTF-8, so the line was not passed on"
MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class Loss:
    """The connection that was there last."""

    entry: Entry
    at: float
    """When it ended, in seconds since 1970."""
    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What the bridge knows about notebooks."""

    choice: Choice = field(default_factory=lambda: Choice(None, ()))
    problem: str | None = None
    """Why the chosen one cannot be connected, as a sentence."""
    loss: Loss | None = None
    ignored: tuple[str, ...] = ()
    """Discovery files that were not used: each with its reason, as a phrase."""


def ago(seconds: float) -> str:
    """A duration in one figure: `40 s`, `12 min`, `3 h`, `2 days`."""
    seconds = max(0, int(seconds))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"


def status(situation: Situation, now: float) -> str:
    """What `notebook_status` says while no kernel answers it."""
    return "\n\n".join([f"{why_none(situation, now)}.", *_what_to_do(situation, now)])


def why_none(situation: Situation, now: float) -> str:
    """Why no notebook is connected, as a clause without a full stop."""
    choice, loss = situation.choice, situation.loss
    if choice.entry is not None:
        why = f": {plain(situation.problem).rstrip('.')}" if situation.problem else "; it is being connected"
        return f"{_name(choice.entry)} is running, but not connected{why}"
    if loss is not None:
        return f"The connection to {_name(loss.entry)} was lost {ago(now - loss.at)} ago ({plain(loss.reason)})"
    if choice.missing is not None:
        return f"No notebook is connected: {plain(choice.missing)} is not running"
    if choice.candidates:
        return f"No notebook is connected: {len(choice.candidates)} are running and none is chosen"
    return "No notebook is connected: none is running with mcp_workbench"


def _what_to_do(situation: Situation, now: float) -> list[str]:
    choice, loss = situation.choice, situation.loss
    told: list[str] = []
    if choice.entry is not None:
        return ["It is tried again every half second. If this stays so, ask the person to look at the notebook."]
    if loss is not None:
        told.append(HOW_TO_COME_BACK)
    elif choice.flag is not None:
        told.append(_wrong_flag(choice.flag, choice.refused, now))
    if choice.candidates:
        told.append(f"Running now; choose one with notebook_use(name):\n{_listed(choice.candidates, now)}")
    if not told:
        told.append(HOW_TO_START)
    told += [f"Not used: {plain(each)}." for each in situation.ignored[:MAX_LISTED]]
    return told


def _wrong_flag(flag: str, refused: tuple[Entry, ...], now: float) -> str:
    """Nothing fits the flag that the bridge was started with."""
    begun = f"This server was started with `{plain(flag)}` and takes no other notebook."
    if not refused:
        return (
            f"{begun} No other is running either. Ask the person to run this in a cell of that notebook:\n\n{CELL}\n\n"
            "`mcp-workbench list` then shows its name; if that is another one, the flag in the host's settings is to be corrected. "
            f"{AFTERWARDS}"
        )
    return (
        f"{begun} Running now:\n{_listed(refused, now)}\nIf one of them is meant, ask the person to correct the flag in the host's "
        "settings, or to take it out, and to start this server again. If not, that notebook does not serve yet: ask the person to run "
        f"this in a cell of it:\n\n{CELL}"
    )


def others(current: Entry, choice: Choice, now: float) -> str:
    """What is added to the kernel's own status when there is something to choose."""
    rest = tuple(entry for entry in choice.candidates if entry.kernel_id != current.kernel_id)
    if not rest:
        return f"This is {_name(current)}. No other notebook is running."
    return f"This is {_name(current)}. Also running; notebook_use(name) changes to one of them:\n{_listed(rest, now)}"


def no_such(name: str, choice: Choice, now: float) -> str:
    """`notebook_use` named nothing that runs."""
    shown = plain(name)[:100]
    if choice.flag is not None:
        return f'"{shown}" cannot be used. {_wrong_flag(choice.flag, choice.refused, now)}'
    if not choice.candidates:
        return f'No notebook "{shown}": none is running with mcp_workbench.\n\n{HOW_TO_START}'
    return f'No running notebook is called "{shown}". Running now:\n{_listed(choice.candidates, now)}'


def ambiguous(name: str, found: tuple[Entry, ...], now: float) -> str:
    """`notebook_use` named several."""
    return f'"{plain(name)[:100]}" may mean {len(found)} notebooks; take one of these names:\n{_listed(found, now)}'


def using(entry: Entry) -> str:
    """`notebook_use` has succeeded."""
    return f"Now using {_name(entry)}. Its tools are listed; call notebook_status to see what is there."


def cannot_use(entry: Entry, problem: str) -> str:
    """`notebook_use` named one that cannot be reached."""
    return f"{_name(entry)} is chosen, but not connected: {plain(problem).rstrip('.')}. It is tried again every half second."


def not_run(tool: str, situation: Situation, now: float) -> str:
    """A call that came while no kernel was there."""
    return f"{plain(tool)[:100]} was not run. {why_none(situation, now)}. Call notebook_status to see what to do."


def own_not_run(tool: str, situation: Situation, now: float) -> str:
    """The same for one of the workbench's own tools, which is listed all the time: at once with what to do."""
    return f"{tool} was not run. {status(situation, now)}"


def not_answered(method: str, situation: Situation, now: float) -> str:
    """Another request that came while no kernel was there."""
    return f"{plain(method)[:100]} needs a notebook. {why_none(situation, now)}. The tool notebook_status says what to do."


def lost_call(tool: str, loss: Loss, *, read_only: bool) -> str:
    """A call that was open when the connection ended."""
    what = f"The connection to {_name(loss.entry)} was lost during {plain(tool)[:100]} ({plain(loss.reason)}), so its result is lost."
    if read_only:
        return f"{what} It only reads: repeat it when the notebook is back. notebook_status says when that is."
    return (
        f"{what} It may have run, wholly, in part or not at all, and may still be running if the kernel lives: "
        "look at what it changes before you repeat it. notebook_status says when the notebook is back."
    )


def lost_request(method: str, loss: Loss) -> str:
    """Another request that was open when the connection ended."""
    return f"The connection to {_name(loss.entry)} was lost before {plain(method)[:100]} was answered ({plain(loss.reason)}): ask again"


def not_defined(tool: str, restarted: float, now: float) -> str:
    """A tool of before the restart."""
    return f"Kernel restarted {ago(now - restarted)} ago; {plain(tool)[:100]} is not defined yet, ask for its cell to be run."


def nothing_published(known: Known, now: float) -> str:
    """A tool for DataFrames, right after a restart."""
    before = _were(known.lost_of(Kind.PUBLISHED))
    return f"{_restarted(known, now)}; nothing is published yet{before}. {GONE} Ask the person to run their cells again."


def not_there(name: str, known: Known, now: float) -> str:
    """A call of one of the workbench's own tools that named something which the kernel does not have."""
    kind = known.lost.get(name)
    if kind is None:
        return f"{_restarted(known, now)}; only what ran since is there. {GONE}"
    return f"{_restarted(known, now)}; {plain(name)[:100]} is not {kind.value} yet, ask for its cell to be run. {GONE}"


def restarted(known: Known, now: float) -> str:
    """What stands above the kernel's own status."""
    parts = [f"{_listed_names(known.lost_of(kind))} not {kind.value} yet" for kind in Kind if known.lost_of(kind)]
    if not parts:
        return f"{_restarted(known, now)}. {GONE}"
    return f"{_restarted(known, now)}; {', '.join(parts)}: ask for their cells to be run. {GONE}"


def _restarted(known: Known, now: float) -> str:
    return f"Kernel restarted {ago(now - (known.restarted or now))} ago"


def _were(names: tuple[str, ...]) -> str:
    return f", {_listed_names(names)} {'was' if len(names) == 1 else 'were'}" if names else ""


def _listed_names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(plain(name)[:100] for name in names[:MAX_LISTED]) + more


def belongs_elsewhere(tool: str, home: str, current: Entry) -> str:
    """A tool of the notebook that was used before."""
    return (
        f"{plain(tool)[:100]} belongs to {plain(home)}, and {_name(current)} is used now. tools/list names what there is here; "
        f'notebook_use("{plain(home)}") goes back.'
    )


def _listed(entries: tuple[Entry, ...], now: float) -> str:
    lines = [
        f"- {plain(label)} · {plain(entry.notebook or entry.cwd)} · serving for {ago(now - entry.started)}"
        for label, entry in list(labels(entries).items())[:MAX_LISTED]
    ]
    if len(entries) > MAX_LISTED:
        lines.append(f"- and {len(entries) - MAX_LISTED} more")
    return "\n".join(lines)


def _name(entry: Entry) -> str:
    return plain(entry.name)[:200] or plain(entry.kernel_id)
