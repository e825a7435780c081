"""Texts that are written to measure: the budget of a result is known when it is rendered, not when its tool runs.

A tool that returns rows decides what to show by how much fits, so it returns a `Fitted`: a function of the
number of characters. Being cut like any other text would lose the last line, which says how to go on.
How the results of the workbench's own tools begin (one line of facts) and go on (a call to copy) stands here too.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.jsonrpc import encode
from mcp_workbench.primitives.rendered import Rendered, RenderRequest, cut
from mcp_workbench.protocol.wire import Json, TextContent
from mcp_workbench.wording import plain


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
        return Rendered([TextContent(text=cut(value.write(request.max_chars), request.max_chars, request))])


LONGEST_TOOK = "999.9 ms"
"""Holds the place of `took` while a text is measured."""


def facts(*parts: str) -> str:
    """The first line of a result: `57 of 336,776 rows x 19 columns · flights v17 · 12 ms`. Whatever names are in it, it stays one line."""
    return plain(" · ".join(part for part in parts if part))


def took(nanoseconds: float) -> str:
    """How long something took: `0.3 ms`, `12 ms`, `1.3 s`, `205 s`."""
    size, unit = (1e6, "ms") if nanoseconds < 0.9995e9 else (1e9, "s")
    number = nanoseconds / size
    return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"


def counted(number: int, noun: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def call_text(tool: str, *given: Json, **named: Json) -> str:
    """A call as a model copies it: `df_read("flights", offset=57)`; what is None or an empty list is left out."""
    written = [encode(value).decode() for value in given]
    written += [f"{name}={encode(value).decode()}" for name, value in named.items() if value not in (None, [])]
    return f"{tool}({', '.join(written)})"
