"""`input()` and `getpass()` in a call: refused, for the answer would go to the agent.

A tool that asks would do so in whichever cell runs, in the name of the person's own notebook, and what is typed there
would be the tool's to return. So while a server runs, `builtins.input`, `getpass.getpass` and the kernel's methods
behind them first ask whether a call is asking. The kernel puts its own methods into the two modules for the time of
each cell and then puts back what it found: its memory of that is lent too, and everything of ours is looked for when
it is given back. Neither IPython nor ipykernel is imported: where there is no kernel, Python's own functions ask.
"""

from __future__ import annotations

import builtins
import functools
import getpass
import sys
from collections.abc import Callable
from typing import Any

from mcp_workbench.errors import ToolError
from mcp_workbench.patches import Patches

Ask = Callable[..., str]
InCall = Callable[[], bool]
"""Whether the code that asks belongs to a call."""

NOBODY_TO_ASK = (
    "The tool asks the person with input() or getpass(), but nobody can be asked during a call. "
    "Its author has to take the answer as an argument: tell them."
)
_KERNEL_METHODS = ("raw_input", "getpass", "_input_request")
_REMEMBERED = ("_sys_raw_input", "_save_getpass")
"""Where a kernel keeps what it found in the modules, while a cell runs."""


def route_questions(patches: Patches, in_call: InCall) -> None:
    """Begin.

    Args:
        patches: Take it back.
        in_call: Asked at each question.
    """
    kernel = _kernel()
    for name in _KERNEL_METHODS:
        if (method := getattr(type(kernel), name, None)) is not None:
            patches.replace(type(kernel), name, _refused_in_calls(method, in_call))
    lent: list[tuple[Ask, Ask]] = []
    for owner, name in ((builtins, "input"), (getpass, "getpass"), *((kernel, name) for name in _REMEMBERED)):
        if callable(ask := getattr(owner, name, None)):
            ours = _refused_in_calls(ask, in_call)
            lent.append((ours, ask))
            setattr(owner, name, ours)
        patches.on_restore(functools.partial(_give_back, owner, name, lent))


def _refused_in_calls(ask: Ask, in_call: InCall) -> Ask:
    @functools.wraps(ask)
    def ask_outside_calls(*args: Any, **kwargs: Any) -> str:
        if in_call():
            raise ToolError(NOBODY_TO_ASK)
        return ask(*args, **kwargs)

    return ask_outside_calls


def _give_back(owner: object, name: str, lent: list[tuple[Ask, Ask]]) -> None:
    """A kernel may have moved ours from place to place: what stands here now is put right, whichever it is."""
    now = getattr(owner, name, None)
    for ours, ask in lent:
        if now is ours:
            setattr(owner, name, ask)


def _kernel() -> object | None:
    ipython = sys.modules.get("IPython")
    return getattr(ipython.get_ipython(), "kernel", None) if ipython is not None else None
