"""What a caller is told who still knows an older notebook: tools that changed, were renamed or are gone."""

from __future__ import annotations

import time
from collections.abc import Collection

from mcp_workbench.primitives import ArgumentError, ToolDefinition
from mcp_workbench.primitives.wording import quote
from mcp_workbench.serving.builtin.dataframes import NAMES as DATAFRAME_TOOLS
from mcp_workbench.serving.catalog import Catalog

NOTHING_PUBLISHED = (
    "nothing is published to be read: wb.publish(name=df), run there by its owner, does so. notebook_status() says what there is."
)


def unknown_tool(catalog: Catalog, name: str) -> str:
    """Why there is no tool of that name, and which there are: the one that took its place, else the nearest."""
    if _waits_for_dataframes(catalog, name):
        return f"Unknown tool: {name}, as {NOTHING_PUBLISHED}"
    return f"Unknown tool: {name[:100]}{_instead(catalog, name)}. {_where_listed(catalog)}"


def unknown_function(catalog: Catalog, name: str) -> str:
    """The same for a name that was given to `notebook_call`."""
    if _waits_for_dataframes(catalog, name):
        return f"No {name}, as {NOTHING_PUBLISHED}"
    return f"No function {quote(name)[1:-1]} in this notebook{_instead(catalog, name)}. {_where_listed(catalog)}"


def _waits_for_dataframes(catalog: Catalog, name: str) -> bool:
    """Whether it is one of the workbench's own tools that is on offer only while there is something to read."""
    return name in DATAFRAME_TOOLS and catalog.get("notebook_status") is not None


def _instead(catalog: Catalog, name: str) -> str:
    """`. Nearest: top_routes`, or what became of it."""
    withdrawn = catalog.history.withdrawn(name)
    if withdrawn is None:
        return _hint(catalog.nearest(name))
    successors = [successor for successor in withdrawn.successors if catalog.get(successor) is not None]
    nearest = [near for near in catalog.nearest(name) if near not in successors]
    when = time.strftime("%H:%M", time.localtime(withdrawn.at))
    why = ""
    if withdrawn.cell:
        why = f": cell {withdrawn.cell} " + (f"now defines {', '.join(successors)} instead" if successors else "no longer defines it")
    return f"; it was withdrawn at {when}{why}{_hint(nearest)}"


def _where_listed(catalog: Catalog) -> str:
    """How to learn what there is: a model can call tools, and asks for no list."""
    asked = "notebook_status() lists" if catalog.get("notebook_status") is not None else "tools/list names"
    return f"{asked} those there are."


def with_changes(error: ArgumentError, catalog: Catalog, tool: ToolDefinition, sent: Collection[str]) -> ArgumentError:
    """The mistake, and what changed since its caller may have learnt the tool.

    Args:
        error: What does not fit, with the usage of now.
        catalog: Knows what the tool was before.
        tool: What it is now.
        sent: Names of the arguments.
    """
    changes = catalog.history.changes_since(tool, sent)
    return error if changes is None else ArgumentError(f"{error} {tool.name} has changed, {changes}.")


def _hint(nearest: Collection[str]) -> str:
    return f". Nearest: {', '.join(nearest)}" if nearest else ""
