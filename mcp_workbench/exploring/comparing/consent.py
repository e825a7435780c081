"""Which recorded calls may be made again: those of tools that only read or add, the others when a person says so.

A tool that says nothing of its effects counts as destructive, as MCP has it (`destructiveHint` is true unless `readOnlyHint` is).
What is judged is what would be sent: a recording may say anything of its calls. The person is asked in a notebook, once and for
all tools; a script or a test that nobody watches runs none without `"run"`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from mcp_workbench.errors import ToolError
from mcp_workbench.exploring.call import Call
from mcp_workbench.hosts import PlainHost, current_host
from mcp_workbench.telemetry.records import CALL_TOOL
from mcp_workbench.wording import counted, plain, shown

Destructive = Literal["ask", "skip", "run"]
Ask = Callable[[str], str | None]
"""A question -> what the person typed; None: nobody can be asked."""
NOBODY = 'may change something, and nobody could be asked: destructive="run" makes these calls, "skip" leaves them out'
_YES = ("y", "yes")
_FORWARDS = "notebook_call"
"""Calls the function that its argument `function` names."""


def is_destructive(tool: Mapping[str, Any] | None) -> bool:
    """Whether a call of it may destroy something, by what it says itself.

    Args:
        tool: As `tools/list` shows it; None: not known.
    """
    annotations = {} if tool is None else tool.get("annotations") or {}
    return annotations.get("readOnlyHint") is not True and annotations.get("destructiveHint") is not False


def check(destructive: str) -> Destructive:
    """The word itself.

    Raises:
        ValueError: There is no such.
    """
    known: tuple[Destructive, ...] = get_args(Destructive)
    found = next((each for each in known if each == destructive), None)
    if found is None:
        raise ValueError(
            f"destructive is one of {', '.join(map(repr, known))}: what becomes of tools that may change something; got {destructive!r}"
        )
    return found


@dataclass(frozen=True, slots=True)
class Refusal:
    """A tool that may not be called, and why."""

    tool: str
    why: str

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided it."""
        return self.why == NOBODY

    def of(self, call: Call) -> str:
        """The reason; with the tool, where that is not what the call is said to be of."""
        return self.why if self.tool == call.target else f"{self.tool} {self.why}"


class Consent:
    """For the calls of one run; the person is asked when this is made.

    Args:
        calls: What would be made again.
        offered: Of each server they would be made at: its tools by name.
        destructive: What was wished.
        ask: Asks the person.
    """

    def __init__(self, calls: Iterable[Call], offered: Sequence[Mapping[str, Any]], destructive: Destructive, ask: Ask) -> None:
        concerned = (tool for call in calls for tool in tools_of_call(call))
        self.refused = refusals((tool for tool in concerned if any(is_destructive(tools.get(tool)) for tools in offered)), destructive, ask)
        """Tools that may not be called, and why."""

    def refusal(self, call: Call) -> Refusal | None:
        """Why a call is not made; None: it may be."""
        return next((Refusal(tool, self.refused[tool]) for tool in tools_of_call(call) if tool in self.refused), None)


def tools_of_call(call: Call) -> tuple[str, ...]:
    """Tools that a call may run when it is made again: the one it names, the function this hands it on to, and what it is said to be of."""
    if call.method != CALL_TOOL:
        return ()
    named, arguments = call.params.get("name"), call.params.get("arguments")
    meant = arguments.get("function") if named == _FORWARDS and isinstance(arguments, dict) else None
    return tuple(dict.fromkeys(tool for tool in (named, meant, call.target) if isinstance(tool, str)))


def refusals(calls: Iterable[str], destructive: Destructive, ask: Ask) -> dict[str, str]:
    """Tools whose calls are not made again, and why.

    Args:
        calls: The tool of each call of a destructive tool.
        destructive: What was wished.
        ask: Asks the person.
    """
    number = Counter(calls)
    if not number or destructive == "run":
        return {}
    if destructive == "skip":
        return dict.fromkeys(number, 'may change something, and destructive="skip"')
    answer = ask(_question(number))
    if answer is None:
        return dict.fromkeys(number, NOBODY)
    allowed = _allowed(answer, number)
    return {tool: "may change something, and the person said no" for tool in number if tool not in allowed}


def _question(number: Counter[str]) -> str:
    tools = ", ".join(f"{plain(shown(tool, 60))} ({counted(count, 'call')})" for tool, count in number.items())
    return f"These tools may change something when they are called again: {tools}. Call them? [y/N, or names of those that may] "


def _allowed(answer: str, tools: Iterable[str]) -> frozenset[str]:
    if answer.strip().lower() in _YES:
        return frozenset(tools)
    return frozenset(answer.replace(",", " ").split())


def ask_person(question: str) -> str | None:
    """`input()` in a notebook or IPython; None where nobody sits, as in a script, a notebook run by a program, or a call."""
    if isinstance(current_host(), PlainHost):
        return None
    try:
        return input(question)
    except (EOFError, NotImplementedError, OSError, ToolError):  # the second is IPython's, of front ends that take no input
        return None
