"""What a tool did besides returning a value and a model should see: what it printed, and the figures it drew.

A function that prints and returns nothing was written for a reader, so the reader gets it. A function that draws with
pyplot means its figures to be seen; they follow its value, unless they are its value.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.drawings import Drawings
from mcp_workbench.primitives.figures import figures_of, images_from_figure
from mcp_workbench.primitives.rendered import RenderRequest, less
from mcp_workbench.protocol.wire import Content, TextContent

MAX_FIGURES = 8
"""Figures of one call that are shown; together with the images of its value they are as large as one image may be."""
_LEAST_BYTES = 8_000
"""What a figure gets however much the value takes: enough for a small picture, and eight still fit a message."""


def with_side_products(content: Sequence[Content], value: object, call: Call | None, request: RenderRequest) -> list[Content]:
    """The content of a result, with what else there is to see. Where the function may run: it draws.

    Args:
        content: Of the value.
        value: What the function returned.
        call: Its call.
        request: The room for all of it, and who keeps what is shown in part.

    Returns:
        The same content where there is nothing else.

    Raises:
        ToolError: A figure could not be drawn.
    """
    if call is None or (call.output is None and call.drawings is None):
        return list(content)
    printed = _printed(call, request.max_chars) if value is None else []
    drawn = [] if call.drawings is None else _drawn(call.drawings, value, less(request, content))
    return [*(() if value is None and (printed or drawn) else content), *printed, *drawn]


def _printed(call: Call, max_chars: int) -> list[Content]:
    shown = None if call.output is None else call.output.shown
    text = "" if shown is None else shown.text(max_chars).rstrip()
    return [TextContent(text=f"Printed:\n{text}")] if text else []


def _drawn(drawings: Drawings, value: object, request: RenderRequest) -> list[Content]:
    figures = {id(figure): figure for figure in drawings.all()}
    for figure in figures_of(value) if figures else ():
        figures.pop(id(figure), None)
    shown = list(figures.values())[:MAX_FIGURES]
    content: list[Content] = []
    for figure in shown:
        content += images_from_figure(figure, max_bytes=max(request.media_bytes // len(shown), _LEAST_BYTES), keep=request.keep)
    if left := len(figures) - len(shown):
        advice = "Have the tool draw fewer at a time, or close some."
        content.append(TextContent(text=f"[Left out: {left} of {len(figures)} figures. {advice}]"))
    return content
