"""What is wrong with a filter, where, and what to write instead."""

from __future__ import annotations

from mcp_workbench.errors import WorkbenchError


class FilterError(WorkbenchError, ValueError):
    """A text is no filter, or asks a list for what it does not know.

    Attributes:
        sentence: What was expected, what came, what to do.
        position: Index of the character where it went wrong; None: it is no matter of the text.
        nearest: What was probably meant, where something is near.
    """

    def __init__(self, sentence: str, position: int | None = None, *, nearest: str | None = None) -> None:
        super().__init__(sentence if position is None else f"{sentence} (character {position + 1} of the filter)")
        self.sentence, self.position, self.nearest = sentence, position, nearest
