"""The tools a client can call: the author's and the workbench's own, as one list."""

from __future__ import annotations

from mcp_workbench.primitives.history import History
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.shapes import shape_of
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.primitives.wording import nearest

_LIKENESS = 0.6
"""Below it a name is no misspelling: `which_thread` is not meant by `df_read`."""


class Catalog:
    """Two registries read as one; from any thread. A name stands in one of them only (see `Workbench.tool`).

    Args:
        authored: The notebook's functions.
        builtins: The workbench's own tools.
    """

    def __init__(self, authored: Registry[ToolDefinition], builtins: Registry[ToolDefinition] | None = None) -> None:
        self.history: History[ToolDefinition] = History(shape_of)
        """What the author's names meant before."""
        self.authored = authored
        self.builtins: Registry[ToolDefinition] = Registry() if builtins is None else builtins

    def get(self, name: str) -> ToolDefinition | None:
        """The tool of that name; None when there is none."""
        return self.authored.get(name) or self.builtins.get(name)

    def reads(self) -> bool:
        """Whether agents have a tool now that reads what was kept of results."""
        return "df_read" in self.builtins

    def list(self) -> tuple[ToolDefinition, ...]:
        """All tools by name."""
        builtins = self.builtins.list()
        if not builtins:
            return self.authored.list()
        return tuple(sorted((*self.authored.list(), *builtins), key=lambda tool: tool.name))

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """The names that look most like `name`, best first; empty when none does."""
        return tuple(nearest(name, [tool.name for tool in self.list()], count, likeness=_LIKENESS))
