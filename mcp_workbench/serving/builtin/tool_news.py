"""The chronicle's lines about the author's tools: added, changed in what callers must know, withdrawn.

It listens to the registry, which speaks once per cell run and only when something published really changed, and compares
with what it saw before.
"""

from __future__ import annotations

import threading

from mcp_workbench.live.chronicle import Chronicle
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.shapes import Shape, differences, shape_of
from mcp_workbench.primitives.tools import ToolDefinition

_NAMED = 5


class ToolNews:
    """Writes what became of the tools; from whatever thread changes them.

    Args:
        tools: The author's.
        chronicle: Where the lines go.
    """

    def __init__(self, tools: Registry[ToolDefinition], chronicle: Chronicle) -> None:
        self._tools = tools
        self._chronicle = chronicle
        self._known: dict[str, tuple[str, Shape]] = {}
        self._looking = threading.Lock()
        tools.on_change.append(self.look)

    def look(self) -> None:
        """Something may have changed."""
        with self._looking:
            lines = self._compare({tool.name: tool for tool in self._tools.list()})
        for line in lines:
            self._chronicle.write(line)

    def _compare(self, now: dict[str, ToolDefinition]) -> list[str]:
        before, added, changed = self._known, [], []
        known: dict[str, tuple[str, Shape]] = {}
        for name, tool in now.items():
            if (earlier := before.get(name)) is not None and earlier[0] == tool.digest:
                known[name] = earlier
                continue
            known[name] = (tool.digest, shape_of(tool))
            if earlier is None:
                added.append(name)
            else:
                different = "; ".join(differences(earlier[1], known[name][1])) or "described anew"
                changed.append(f"function {name} changed: {different}")
        self._known = known
        withdrawn = [name for name in before if name not in now]
        return [*_together(added, "added"), *changed, *_together(withdrawn, "withdrawn")]


def _together(names: list[str], verb: str) -> list[str]:
    """One line for all that a cell added: a module of fifty tools is one piece of news."""
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"function{'' if len(names) == 1 else 's'} {', '.join(names[:_NAMED])}{more} {verb}"]
