"""Figures as images, and the figures that other parts of plots belong to; the author's figure stays as it is."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives import figures
from mcp_workbench.primitives.figures import figures_of, images_from_figure, is_figure
from mcp_workbench.protocol.wire import ImageContent, ResourceLink, TextContent


class Mine(Figure):
    """Made from matplotlib's."""


def plotted(kind: type[Figure] = Figure, **options: Any) -> tuple[Figure, Axes]:
    figure = kind(**options)
    axes = figure.add_subplot()
    axes.plot([1, 2, 3])
    return figure, axes


def opened(content: object) -> Image.Image:
    assert isinstance(content, ImageContent)
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


def noisy(inches: float, **options: Any) -> Figure:
    """A figure that compresses badly."""
    figure = Figure(figsize=(inches, inches), **options)
    figure.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(1).random((400, 400)), cmap="prism", interpolation="nearest")
    return figure


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    plt.switch_backend("agg")
    yield
    plt.close("all")


# --- whose figure --------------------------------------------------------------------------------------------


def test_a_figure_is_known_by_its_type() -> None:
    assert is_figure(Figure)
    assert is_figure(Mine)
    assert not is_figure(Axes)
    assert not is_figure(type("Figure", (), {}))


def test_what_belongs_to_a_figure_stands_for_it_once() -> None:
    figure, axes = plotted(Mine)
    other, beside = plotted()
    parts: Any = other.subfigures(1, 2)
    part = parts[0]
    bars = beside.bar([1, 2], [3, 4])
    inset = part.add_subplot()
    for value in (figure, axes, axes.lines[0], [figure], (axes, axes.title), {"a": axes}, [[axes], [figure]]):
        assert figures_of(value) == [figure]
    for value in (bars, list(bars), part, inset, inset.xaxis):
        assert figures_of(value) == [other]
    array = np.empty((1, 2), dtype=object)
    array[0, 0], array[0, 1] = axes, beside
    assert figures_of(array) == [figure, other]


@pytest.mark.parametrize("value", [None, "text", [], {}, [1, 2], [[[[[[]]]]]], np.arange(3), object()])
def test_anything_else_belongs_to_none(value: object) -> None:
    assert figures_of(value) == []


def test_a_mixture_and_more_artists_than_anybody_looks_through_belong_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    figure, axes = plotted()
    assert figures_of([axes, 3]) == []
    monkeypatch.setattr(figures, "MAX_ARTISTS", 3)
    assert figures_of([axes] * 3) == [figure]
    assert figures_of([axes] * 4) == []


def test_a_part_without_a_figure_is_refused_with_what_to_return() -> None:
    _, axes = plotted()
    axes.remove()
    for value in (Line2D([0], [0]), axes):
        with pytest.raises(ToolError, match="belongs to no figure; return the Figure itself"):
            figures_of(value)


# --- pictures ------------------------------------------------------------------------------------------------


def test_a_figure_is_drawn_as_the_notebook_draws_it_and_stays_as_it_is() -> None:
    figure, axes = plt.subplots(figsize=(4, 3), dpi=80, facecolor="red", layout="constrained")
    axes.plot([1, 2])
    axes.text(1.2, 0.5, "outside", transform=axes.transAxes)
    before = figure.canvas, figure.dpi, tuple(figure.get_size_inches()), figure.stale_callback, plt.get_fignums()
    [content] = images_from_figure(figure)
    assert (figure.canvas, figure.dpi, tuple(figure.get_size_inches()), figure.stale_callback, plt.get_fignums()) == before
    picture = opened(content)
    assert picture.width > 4 * 80  # what is beside the axes is in the picture
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_a_figure_with_nothing_on_it_is_a_sentence() -> None:
    assert images_from_figure(Figure()) == [TextContent(text="The figure is empty: nothing was drawn on it.")]


def test_a_picture_that_does_not_fit_is_smaller_and_says_so_and_the_whole_is_kept() -> None:
    kept: list[bytes] = []

    def keep(data: str | bytes, mime_type: str, description: str) -> ResourceLink:
        assert isinstance(data, bytes)
        kept.append(data)
        return ResourceLink(name="r1", uri="result://r1", description=description, mime_type=mime_type)

    for max_pixels, max_bytes in ((20_000, 500_000), (90_000, 30_000)):
        figure = noisy(3, dpi=100)
        image, line, link = images_from_figure(figure, keep=keep, max_pixels=max_pixels, max_bytes=max_bytes)
        picture = opened(image)
        assert picture.width * picture.height <= max_pixels
        assert isinstance(image, ImageContent)
        assert len(base64.b64decode(image.data)) <= max_bytes
        assert isinstance(line, TextContent)
        assert f"drawn at {picture.width} x {picture.height} pixels" in line.text
        assert line.text.endswith("In full: result://r1")
        assert isinstance(link, ResourceLink)
        full = Image.open(io.BytesIO(kept.pop()))
        assert full.width > picture.width
        image, line = images_from_figure(figure, max_pixels=max_pixels, max_bytes=max_bytes)
        assert isinstance(line, TextContent)
        assert "In full" not in line.text
        assert figure.dpi == 100


def test_what_is_far_outside_does_not_make_the_rest_tiny() -> None:
    figure, axes = plotted(figsize=(3, 2), dpi=50)
    axes.text(60, 1, "lost", transform=axes.transAxes)
    image, line = images_from_figure(figure)
    assert opened(image).size == (150, 100)
    assert line == TextContent(text="What is drawn far outside the figure is not shown.")


def test_a_figure_that_fits_no_memory_is_refused() -> None:
    figure, _ = plotted(figsize=(10_000, 10_000))
    with pytest.raises(ToolError, match="10,000 x 10,000 inches large"):
        images_from_figure(figure)


def test_an_artist_that_fails_is_the_authors_to_correct_and_the_next_figure_is_drawn() -> None:
    class Broken(Line2D):
        def draw(self, renderer: Any) -> None:
            raise ValueError("no\nsuch colour")

    figure, axes = plotted()
    axes.add_line(Broken([0, 1], [0, 1]))
    canvas = figure.canvas
    with pytest.raises(ToolError, match="could not draw the figure: ValueError: no such colour") as caught:
        images_from_figure(figure)
    assert isinstance(caught.value.__cause__, ValueError)
    assert figure.canvas is canvas
    assert isinstance(images_from_figure(plotted()[0])[0], ImageContent)


def test_one_figure_is_drawn_at_a_time_and_who_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, order = threading.Event(), threading.Event(), []

    class Slow(Line2D):
        def draw(self, renderer: Any) -> None:
            begun.set()
            go_on.wait(10)
            order.append("slow")

    class Quick(Line2D):
        def draw(self, renderer: Any) -> None:
            order.append("quick")

    (slow, slow_axes), (quick, quick_axes) = plotted(), plotted()
    slow_axes.add_line(Slow([0], [0]))
    quick_axes.add_line(Quick([0], [0]))
    first, second = [threading.Thread(target=images_from_figure, args=(figure,)) for figure in (slow, quick)]
    first.start()
    assert begun.wait(10)
    with monkeypatch.context() as impatient:
        impatient.setattr(figures, "TURN_S", 0.0)
        with pytest.raises(ToolError, match="only one can be at a time; try again later"):
            images_from_figure(quick)
    second.start()
    go_on.set()
    first.join(20)
    second.join(20)
    assert order == sorted(order, reverse=True)
    assert set(order) == {"slow", "quick"}
