"""plotly figures and altair charts: a picture where something draws them, else what is in them, in words.

Both are specifications that a browser draws. Where kaleido (plotly) or vl-convert (altair) is installed the result
is a PNG; everywhere else, and when drawing fails, it is a text with titles, axes and traces or encodings, and a link to
the JSON specification. Nothing is imported here that the author's code has not imported, but for those two.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

from mcp_workbench.primitives.images import images_from_bytes
from mcp_workbench.primitives.rendered import RenderRequest, text_content
from mcp_workbench.primitives.representations import to_unicode
from mcp_workbench.primitives.wording import shorten
from mcp_workbench.protocol.wire import Content, ResourceLink

logger = logging.getLogger("mcp_workbench")

MAX_LINES = 20
"""Traces, layers or encodings that a text names."""
_PLOTLY_MIME = "application/vnd.plotly.v1+json"
_LENGTHS = ("x", "y", "z", "values", "labels", "r", "theta", "lat", "lon", "locations", "a", "open")
"""Members of a trace whose length is its number of points, the first there is."""


def is_plotly(kind: type) -> bool:
    """The type is a plotly figure."""
    return any(base.__name__ == "BaseFigure" and base.__module__ == "plotly.basedatatypes" for base in kind.__mro__)


def is_altair(kind: type) -> bool:
    """The type is an altair chart, of one view or several."""
    return any(base.__name__ == "TopLevelMixin" and base.__module__.startswith("altair.") for base in kind.__mro__)


def content_of_plotly(figure: Any, request: RenderRequest) -> list[Content]:
    """A plotly figure: PNG through kaleido, else text and specification."""
    if (picture := _picture("kaleido", lambda: figure.to_image(format="png"), request)) is not None:
        return picture
    try:
        spec = figure.to_json()
    except Exception as error:  # noqa: BLE001  # objects of the author's in it; the words are there without
        logger.info("a plotly figure could not be written as JSON: %s", _reason(error))
        return _in_words(_plotly_lines(figure), None, request)
    return _in_words(_plotly_lines(figure), request.keep(spec, _PLOTLY_MIME, "the plotly figure as JSON"), request)


def content_of_altair(chart: Any, request: RenderRequest) -> list[Content]:
    """An altair chart: PNG through vl-convert, else text and specification."""
    if (picture := _picture("vl_convert", lambda: _altair_png(chart), request)) is not None:
        return picture
    try:
        spec = chart.to_dict()
    except Exception as error:  # noqa: BLE001  # altair's refusals: too many rows, types it cannot infer
        return text_content(to_unicode(f"An altair chart that altair could not write: {_reason(error)}"), request)
    schema = re.search(r"/(v\d+)", str(spec.get("$schema", "")))
    mime_type = f"application/vnd.vegalite.{schema[1] if schema else 'v5'}+json"
    link = request.keep(json.dumps(spec, separators=(",", ":"), default=str), mime_type, "the chart as Vega-Lite JSON")
    return _in_words(_altair_lines(spec), link, request)


def _altair_png(chart: Any) -> bytes:
    buffer = io.BytesIO()
    chart.save(buffer, format="png")
    return buffer.getvalue()


def _picture(drawn_by: str, draw: Callable[[], bytes], request: RenderRequest) -> list[Content] | None:
    """The picture; None where nothing draws it."""
    if importlib.util.find_spec(drawn_by) is None:
        return None
    try:
        return images_from_bytes(draw(), max_bytes=request.media_bytes, keep=request.keep)
    except Exception as error:  # noqa: BLE001  # a browser that is not there, fonts, the author's specification: words do as well
        logger.info("%s could not draw a plot, which is described instead: %s", drawn_by, _reason(error))
        return None


def _reason(error: Exception) -> str:
    return shorten(f"{type(error).__name__}: {error}".replace("\n", " "), 300)


def _in_words(lines: Iterator[str], link: ResourceLink | None, request: RenderRequest) -> list[Content]:
    shown = list(lines)
    if link is not None:
        shown.append(f"Specification with the data: {request.where(link)}")
    content = text_content(to_unicode("\n".join(shown)), request)
    return content if link is None else [*content, link]


# --- plotly ------------------------------------------------------------------------------------------------


def _plotly_lines(figure: Any) -> Iterator[str]:
    layout = figure.layout
    title = layout.title.text
    yield f"A plotly figure{f': {_short(title)}' if title else ''}"
    axes = [(name, axis.title.text) for name, axis in (("x", layout.xaxis), ("y", layout.yaxis)) if axis.title.text]
    if axes:
        yield "Axes: " + ", ".join(f"{name} is {_short(text)}" for name, text in axes)
    traces = list(figure.data)
    for number, trace in enumerate(traces[:MAX_LINES], 1):
        yield f"{number}. {trace.type}{f' {_short(trace.name)}' if trace.name else ''}: {_points(trace)}"
    if len(traces) > MAX_LINES:
        yield f"… and {len(traces) - MAX_LINES:,} more traces"


def _points(trace: Any) -> str:
    for member in _LENGTHS:
        if member in trace and trace[member] is not None:
            count = _length(trace[member])
            if member == "z" and count:
                return f"{count:,} rows of {_length(trace[member][0]):,} values" if _is_rows(trace[member]) else f"{count:,} values"
            return f"{count:,} point{'' if count == 1 else 's'}"
    return "no points"


def _is_rows(values: Any) -> bool:
    return not isinstance(values, dict) and hasattr(values[0], "__len__") and not isinstance(values[0], str)


def _length(values: Any) -> int:
    """How many there are; an array read from JSON is still as plotly writes it: its type, and its bytes in base64."""
    if not isinstance(values, dict):
        return len(values)
    digits = re.search(r"\d+", str(values.get("dtype", "")))
    size = len(str(values.get("bdata", ""))) * 3 // 4
    return size // int(digits[0]) if digits and int(digits[0]) else 0


# --- altair ------------------------------------------------------------------------------------------------


def _altair_lines(spec: dict[str, Any]) -> Iterator[str]:
    title = spec.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    yield f"An altair chart{f': {_short(text)}' if text else ''}"
    rows = [len(values) for values in spec.get("datasets", {}).values() if isinstance(values, list)]
    if rows:
        yield f"Data: {', '.join(f'{count:,}' for count in rows[:MAX_LINES])} rows"
    views = list(_views(spec))
    yield from views[:MAX_LINES]
    if len(views) > MAX_LINES:
        yield f"… and {len(views) - MAX_LINES:,} more views"


def _views(spec: dict[str, Any]) -> Iterator[str]:
    """One line for each mark, wherever it is: alone, in a layer, beside others, in facets."""
    if "mark" in spec:
        mark = spec["mark"]
        encodings = ", ".join(_encoding(channel, what) for channel, what in list(spec.get("encoding", {}).items())[:MAX_LINES])
        yield f"{mark.get('type') if isinstance(mark, dict) else mark}: {encodings or 'no encodings'}"
    parts = [part for member in ("layer", "hconcat", "vconcat", "concat") for part in spec.get(member, ())]
    for part in [*parts, *([spec["spec"]] if "spec" in spec else [])]:
        yield from _views(part)


def _encoding(channel: str, what: Any) -> str:
    if not isinstance(what, dict):
        return channel
    field = what.get("field")
    shown = _short(field) if isinstance(field, str) else _short(str(what.get("value", "…")))
    aggregate = what.get("aggregate")
    shown = f"{aggregate}({shown if field else ''})" if isinstance(aggregate, str) else shown
    kind = what.get("type")
    return f"{channel} is {shown}{f' ({kind})' if isinstance(kind, str) else ''}"


def _short(text: object) -> str:
    return shorten(" ".join(str(text).split()))
