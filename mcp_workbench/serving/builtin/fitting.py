"""Texts that are written to measure: the budget of a result is known when it is rendered, not when its tool runs.

A tool that returns rows decides what to show by how much fits, so it returns a `Fitted`: a function of the
number of characters. Being cut like any other text would lose the last line, which says how to go on.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.primitives.rendered import Rendered, RenderRequest, cut
from mcp_workbench.protocol.wire import TextContent


class Fitted:
    """A text of whatever length there is room for.

    Args:
        write: Characters there is room for -> the text; runs where tools run.
    """

    __slots__ = ("write",)

    def __init__(self, write: Callable[[int], str]) -> None:
        self.write = write


class FittedRenderer:
    """Renders them within the budget of the call."""

    def render(self, value: object, request: RenderRequest) -> Rendered | None:
        """The text; None when the value is something else."""
        if type(value) is not Fitted:
            return None
        return Rendered([TextContent(text=cut(value.write(request.max_chars), request.max_chars, request.tool))])
