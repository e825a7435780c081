"""What a function printed and drew beside its value, as the model sees it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.drawings import drawings_here
from mcp_workbench.execution.output import output_of
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.images import MAX_IMAGE_BYTES, image_content
from mcp_workbench.primitives.rendered import RenderRequest
from mcp_workbench.protocol.wire import Content, ImageContent, TextContent
from mcp_workbench.serving.side_products import MAX_FIGURES, with_side_products
from tests.support.calls import a_call, inside

VALUE: list[Content] = [TextContent(text="the value")]
REQUEST = RenderRequest("draw", 8000, "default")


def printing(*texts: str) -> Call:
    call = a_call()
    for text in texts:
        output_of(call).write("stdout", text)
    output_of(call).write("stderr", "complaints\n")
    return call


def figure(mark: int = 0, noise: int = 0) -> Figure:
    made = Figure(figsize=(1, 1), dpi=50, facecolor=(mark / 255, 0, 0))
    if noise:
        made = Figure(figsize=(noise, noise), dpi=100, facecolor=(mark / 255, 0, 0))
        axes = made.add_axes((0.1, 0.1, 0.8, 0.8))
        axes.imshow(np.random.default_rng(mark).random((300, 300)), cmap="prism", interpolation="nearest")
    else:
        made.add_subplot()
    return made


class Manager:
    """All that is asked of pyplot's."""

    def __init__(self, figure: Figure) -> None:
        self.canvas: Any = figure.canvas


def drawing(*figures: Figure) -> Call:
    call = a_call()

    def draw() -> None:
        drawings = drawings_here()
        assert drawings is not None
        drawings.figures.update({number: Manager(figure) for number, figure in enumerate(figures, 1)})

    inside(call, draw)
    return call


def marks(content: list[Content]) -> list[int]:
    pictures = [Image.open(io.BytesIO(base64.b64decode(item.data))) for item in content if isinstance(item, ImageContent)]
    pixels: list[Any] = [picture.convert("RGB").getpixel((0, 0)) for picture in pictures]
    return [pixel[0] for pixel in pixels]


@pytest.mark.parametrize("call", [None, a_call(), printing("printed\n"), drawing()], ids=["no call", "silent", "prints", "looks at pyplot"])
def test_a_value_stands_alone_where_nothing_was_drawn(call: Call | None) -> None:
    assert with_side_products(VALUE, "the value", call, REQUEST) == VALUE


def test_what_a_function_printed_stands_for_the_value_it_did_not_return() -> None:
    assert with_side_products(VALUE, None, printing("one\n", "two\n\n"), REQUEST) == [TextContent(text="Printed:\none\ntwo")]
    assert with_side_products(VALUE, None, printing(), REQUEST) == VALUE
    assert with_side_products(VALUE, None, printing(" \n"), REQUEST) == VALUE
    assert with_side_products(VALUE, 0, printing("one\n"), REQUEST) == VALUE


def test_what_was_printed_is_cut_in_the_middle_and_says_so() -> None:
    [content] = with_side_products(VALUE, None, printing("a" * 100, "b" * 100), RenderRequest("draw", 20, "default"))
    assert content == TextContent(text=f"Printed:\n{'a' * 10}\n… 180 characters left out …\n{'b' * 10}")


def test_figures_follow_the_value_and_stand_for_it_where_there_is_none() -> None:
    call = drawing(figure(1), figure(2))
    content = with_side_products(VALUE, "the value", call, REQUEST)
    assert (content[0], marks(content), len(content)) == (VALUE[0], [1, 2], 3)
    assert marks(with_side_products(VALUE, None, call, REQUEST)) == [1, 2]
    assert len(with_side_products(VALUE, None, call, REQUEST)) == 2


@pytest.mark.parametrize("returned", [lambda one: one, lambda one: one.axes[0], lambda one: [one], lambda one: {"plot": one.axes[0].xaxis}])
def test_a_figure_that_is_the_value_is_not_shown_twice(returned: Callable[[Figure], object]) -> None:
    one, two = figure(1), figure(2)
    assert marks(with_side_products(VALUE, returned(one), drawing(one, two), REQUEST)) == [2]


def test_of_many_figures_the_first_are_shown_and_the_others_counted() -> None:
    content = with_side_products(VALUE, None, drawing(*(figure(mark) for mark in range(MAX_FIGURES + 2))), REQUEST)
    assert marks(content) == list(range(MAX_FIGURES))
    [note] = [item.text for item in content if isinstance(item, TextContent)]
    assert note.startswith("[Left out: 2 of 10 figures.")


@pytest.mark.parametrize("value_bytes", [0, MAX_IMAGE_BYTES])
def test_together_with_the_images_of_the_value_they_fit_a_message(value_bytes: int) -> None:
    value: list[Content] = [image_content(b"\x89PNG" + b"x" * (value_bytes - 4))] if value_bytes else VALUE
    call = drawing(*(figure(mark, noise=3) for mark in range(MAX_FIGURES)))
    content = with_side_products(value, "the value", call, REQUEST)
    images = [item for item in content if isinstance(item, ImageContent)]
    assert len(images) == MAX_FIGURES + bool(value_bytes)
    texts = [item for item in content if isinstance(item, TextContent)]
    assert all("to fit a message" in item.text for item in texts[-MAX_FIGURES:])
    # The value's own text may take 8,000 characters, and be repeated as structured content.
    assert sum(len(image.data) for image in images) + sum(len(item.text) for item in texts) < Limits().max_result_bytes - 20_000
