"""`notebook_call`: a function by its name, for hosts that froze their tool list before the person wrote it.

It runs nothing itself: it says which call is meant, and `Tools` makes that call in its place, with the same record, bounds,
early answer and result as if the host had known the tool.
"""

from __future__ import annotations

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.tools import Forwarded, ToolDefinition
from mcp_workbench.primitives.wording import quote
from mcp_workbench.serving.builtin.lenient import Members, Name
from mcp_workbench.serving.builtin.own_tools import Group, define

NAME = "notebook_call"


def calling_tools() -> Group:
    """The one tool."""
    return Group((NAME,), lambda: [define(notebook_call, read_only=False, forwards=True)])


def notebook_call(function: Name, arguments: Members | None = None) -> Forwarded:
    """Call a function of the notebook by name when it is not in your tool list yet.

    Args:
        function: As notebook_status names it.
        arguments: By name: {"n": 5}.
    """
    name = function.rpartition("__")[2] if function.startswith("mcp__") else function.removesuffix("()")
    if name == NAME:
        raise ToolError(f"{NAME} calls other functions, not itself: put the function's name into function; notebook_status() lists them.")
    return Forwarded(name, {} if arguments is None else arguments)


def explained(sentence: str, tool: ToolDefinition, sent: dict[str, object]) -> str:
    """The mistake, and where the arguments of the function go, if they were sent beside it."""
    stray = [name for name in sent if name not in tool.arguments.names]
    if not stray or "function" not in sent:
        return sentence
    return f"{sentence} The function's own arguments go into arguments, for instance arguments={{{quote(stray[0])}: …}}."
