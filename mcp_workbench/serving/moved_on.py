"""What a caller is told who still knows an older notebook: tools that changed, were renamed or are gone."""

from __future__ import annotations

import time
from collections.abc import Collection

from mcp_workbench.primitives import ArgumentError, ToolDefinition
from mcp_workbench.serving.catalog import Catalog


def unknown_tool(catalog: Catalog, name: str) -> str:
    """Why there is no tool of that name, and which there are: the one that took its place, else the nearest."""
    withdrawn, shown = catalog.history.withdrawn(name), name[:100]
    if withdrawn is None:
        return f"Unknown tool: {shown}{_hint(catalog.nearest(name))}. tools/list names those there are."
    successors = [successor for successor in withdrawn.successors if catalog.get(successor) is not None]
    nearest = [near for near in catalog.nearest(name) if near not in successors]
    when = time.strftime("%H:%M", time.localtime(withdrawn.at))
    why = ""
    if withdrawn.cell:
        why = f": cell {withdrawn.cell} " + (f"now defines {', '.join(successors)} instead" if successors else "no longer defines it")
    return f"Unknown tool: {shown}; it was withdrawn at {when}{why}{_hint(nearest)}. tools/list names those there are."


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
    return f"; nearest: {', '.join(nearest)}" if nearest else ""
