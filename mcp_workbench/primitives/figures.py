"""matplotlib figures, and whatever belongs to one, as MCP image content.

matplotlib is imported only once it is known to be there: who returns a figure has imported it. A figure is drawn as
the notebook draws it (its own dpi and colours, cut to what is drawn on it), on a canvas of ours that is taken off
again: canvas, dpi and size of the author's figure stay as they are, and no window and no cell shows anything.
matplotlib is not made for threads. One lock lets one figure be drawn at a time, because two drawings of the same
one would each restore what the other had set.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.images import MAX_IMAGE_BYTES, MAX_KEPT_PIXELS, MAX_PIXELS, image_content, png_size, smaller_image
from mcp_workbench.primitives.keeping import Keep, keep_nothing
from mcp_workbench.primitives.wording import shorten
from mcp_workbench.protocol.wire import Content, ResourceLink, TextContent

MAX_ARTISTS = 10_000
"""Artists of one result that are looked through for their figures."""
_FAR_OUTSIDE = 16.0
"""Times its own area that a figure may grow to show what is drawn outside of it."""
_LEAST_DPI = 16.0
"""FreeType refuses letters of less than a pixel."""
TURN_S = 60.0
"""How long a figure waits for the one that is being drawn; an artist of the author's may never end."""
_drawing = threading.Lock()


def is_figure(kind: type) -> bool:
    """The type is matplotlib's figure, or made from it."""
    return _made_from(kind, "matplotlib.figure", "Figure")


def figures_of(value: object) -> list[Any]:
    """The figures that a value is, or that it belongs to.

    Args:
        value: A figure, axes, any other artist, a container of artists, a seaborn grid, or a list, dict or array of nothing else.

    Returns:
        Each figure once; empty when the value is none of these.

    Raises:
        ToolError: An artist that belongs to no figure (any more).
    """
    if "matplotlib" not in sys.modules or not _is_drawn(type(_first(value))):
        return []
    artists: list[object] = []
    for artist in _leaves(value):
        if not _is_drawn(type(artist)) or len(artists) == MAX_ARTISTS:
            return []
        artists.append(artist)
    return list({id(figure): figure for figure in map(_figure_of, artists)}.values())


def images_from_figure(
    figure: Any, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_IMAGE_BYTES, keep: Keep = keep_nothing
) -> list[Content]:
    """Draw a figure.

    Args:
        figure: A `matplotlib.figure.Figure`; may be used by other threads as little as in any other drawing.
        max_pixels: Pixels of the picture; default 2 million.
        max_bytes: Bytes of the PNG; default 500,000.
        keep: Keeps the picture in full resolution when a smaller one is sent.

    Returns:
        A PNG; a line of text when its resolution was lowered, and the link to the full one where it is kept. A
        figure with nothing on it is a line of text.

    Raises:
        ToolError: matplotlib could not draw it, or was drawing another one all the time; says so.
    """
    if not any(child is not figure.patch for child in figure.get_children()):
        return [TextContent(text="The figure is empty: nothing was drawn on it.")]
    try:
        with _turn():
            return _drawn(figure, max_pixels, max_bytes, keep)
    except ToolError:
        raise
    except Exception as error:  # artists, formatters and style functions are the author's code
        reason = shorten(f"{type(error).__name__}: {error}".replace("\n", " "), 300)
        raise ToolError(f"matplotlib could not draw the figure: {reason}. Correct it, or return its data instead of the figure.") from error


@contextmanager
def _turn() -> Iterator[None]:
    if not _drawing.acquire(timeout=TURN_S):
        raise ToolError(f"Another figure has been drawn for more than {TURN_S:g} s, and only one can be at a time; try again later.")
    try:
        yield
    finally:
        _drawing.release()


def _drawn(figure: Any, max_pixels: int, max_bytes: int, keep: Keep) -> list[Content]:
    own_dpi = float(figure.dpi)
    width, height = figure.get_size_inches()
    if width * height * _LEAST_DPI**2 > MAX_KEPT_PIXELS:
        raise ToolError(f"The figure is {width:,.0f} x {height:,.0f} inches large, which no message takes; make figsize smaller.")
    with _on_our_canvas(figure, _fitting_dpi(own_dpi, width, height, max_pixels)):
        area, left_out = _area(figure)
        dpi = _fitting_dpi(own_dpi, area.width, area.height, max_pixels)
        first = data = _png(figure, dpi, area)
        while len(data) > max_bytes and dpi > _LEAST_DPI:
            dpi = max(_LEAST_DPI, dpi * min(0.9, (max_bytes / len(data)) ** 0.5))
            data = _png(figure, dpi, area)
        content: list[Content] = [TextContent(text="What is drawn far outside the figure is not shown.")] if left_out else []
        if data is first and dpi == own_dpi:
            return [image_content(data), *content]
        pixels = own_dpi * own_dpi * area.width * area.height
        can_be_kept = keep is not keep_nothing and pixels <= MAX_KEPT_PIXELS
        full = (first if pixels <= max_pixels else _png(figure, own_dpi, area)) if can_be_kept else None
    size = f"{area.width * own_dpi:,.0f} x {area.height * own_dpi:,.0f}"
    link = None if full is None else keep(full, "image/png", f"the figure, {size} pixels")
    return [*_smaller(data, size, max_pixels, max_bytes, link), *content]


def _smaller(data: bytes, own_size: str, max_pixels: int, max_bytes: int, link: ResourceLink | None) -> list[Content]:
    width, height = png_size(data)
    image, size = image_content(data), f"{width:,} x {height:,}"
    if (len(data) > max_bytes or width * height > max_pixels) and (
        shrunk := smaller_image(data, max_bytes=max_bytes, max_pixels=max_pixels)
    ):
        image, size = shrunk
    whole = "" if link is None else f" In full: {link.uri}"
    line = TextContent(text=f"The figure was drawn at {size} pixels instead of {own_size} to fit a message.{whole}")
    return [image, line] if link is None else [image, line, link]


def _fitting_dpi(dpi: float, width: float, height: float, max_pixels: int) -> float:
    """The dpi at which so many inches have no more pixels than allowed, if letters can be drawn at it."""
    inches = width * height
    return dpi if dpi * dpi * inches <= max_pixels else max(_LEAST_DPI, float((max_pixels / inches) ** 0.5))


@contextmanager
def _on_our_canvas(figure: Any, dpi: float) -> Iterator[None]:
    """Lend the figure a canvas without window and manager, at a dpi that fits in memory; then give back its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas, own_dpi, stale_callback = figure.canvas, figure.dpi, figure.stale_callback
    figure.stale_callback = None  # pyplot's would draw again for every change of dpi
    try:
        FigureCanvasAgg(figure)
        figure.dpi = dpi
        yield
    finally:
        figure.dpi = own_dpi  # while ours is on it: with a manager's canvas this would resize a window
        figure.set_canvas(canvas)
        figure.stale_callback = stale_callback


def _area(figure: Any) -> tuple[Any, bool]:
    """What is drawn, in inches; the figure alone, and True, when something is drawn so far outside that all would be tiny."""
    import matplotlib as mpl

    figure.draw_without_rendering()  # layouts and positions of texts are found by drawing
    area = figure.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])
    own = figure.bbox_inches
    reasonable = 0 < area.width * area.height <= _FAR_OUTSIDE * own.width * own.height
    return (area, False) if reasonable else (own, True)


def _png(figure: Any, dpi: float, area: Any) -> bytes:
    buffer = io.BytesIO()
    colours = {"facecolor": figure.get_facecolor(), "edgecolor": figure.get_edgecolor()}
    figure.canvas.print_figure(buffer, format="png", dpi=dpi, bbox_inches=area, **colours)
    return buffer.getvalue()


# --- whose figure ----------------------------------------------------------------------------------------


def _made_from(kind: type, module: str, name: str) -> bool:
    return any(base.__name__ == name and base.__module__ == module for base in kind.__mro__)


def _is_drawn(kind: type) -> bool:
    return any(
        _made_from(kind, module, name)
        for module, name in (("matplotlib.artist", "Artist"), ("matplotlib.container", "Container"), ("seaborn.axisgrid", "_BaseGrid"))
    )


def _figure_of(artist: Any) -> Any:
    if _made_from(type(artist), "matplotlib.container", "Container"):
        artist = next(iter(artist.get_children()), None)
    figure = getattr(artist, "figure", None)
    while figure is not None and not is_figure(type(figure)):  # a part of a figure is in a figure
        figure = figure.figure
    if figure is None:
        raise ToolError("The result is a part of a plot that belongs to no figure; return the Figure itself.")
    return figure


def _members(value: Any) -> Iterable[object] | None:
    """What is in a list, dict or array of objects; None for anything that is not exactly one of these."""
    kind = type(value)
    if kind is list or kind is tuple:
        return value  # type: ignore[no-any-return]  # it is a list or tuple
    if kind is dict:
        return value.values()  # type: ignore[no-any-return]
    numpy = sys.modules.get("numpy")
    return value.flat if numpy is not None and kind is numpy.ndarray and value.dtype == object else None


def _first(value: object) -> object:
    """The first thing that is no list, dict or array: enough to see that a value is not about plots."""
    for _level in range(4):
        if (members := _members(value)) is None:
            return value
        value = next(iter(members), None)
    return value


def _leaves(value: object, level: int = 0) -> Iterator[object]:
    members = _members(value) if level < 4 else None
    if members is None:
        yield value
        return
    for member in members:
        yield from _leaves(member, level + 1)
