"""plotly and altair: words and the specification, or a picture where something draws one."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import json
from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from mcp_workbench.primitives.plots import content_of_altair, content_of_plotly, is_altair, is_plotly
from mcp_workbench.primitives.rendered import RenderRequest
from mcp_workbench.protocol.wire import ImageContent, ResourceLink, TextContent
from tests.support.shelf import Shelf

CARS = pd.DataFrame({"power": [1, 2, 3], "price": [3.5, 4.0, 5.5], "kind": list("abc")})


@pytest.fixture(autouse=True)
def nothing_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this environment has installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("kaleido", "vl_convert") else find(name))


def draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.machinery.ModuleSpec(name, None))


def request(shelf: Shelf | None = None, max_chars: int = 8_000) -> RenderRequest:
    return RenderRequest("plot", max_chars, "alice", shelf)


def words(content: list[Any]) -> list[str]:
    assert isinstance(content[0], TextContent)
    return content[0].text.splitlines()


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3)).save(buffer, format="PNG")
    return buffer.getvalue()


def figure() -> Any:
    traces = [
        go.Scatter(x=[1, 2], y=[3, 4], name="delays"),
        go.Bar(x=np.arange(5), y=np.arange(5)),
        go.Heatmap(z=np.zeros((3, 4))),
        go.Pie(labels=["one"]),
        go.Scatter(),
    ]
    return go.Figure(traces, layout={"title": "Routes", "xaxis": {"title": "month"}})


def test_each_library_is_known_by_its_types() -> None:
    assert is_plotly(go.Figure)
    assert not is_plotly(go.Scatter)
    assert all(map(is_altair, (alt.Chart, alt.LayerChart, alt.HConcatChart, alt.VConcatChart, alt.FacetChart, alt.RepeatChart)))
    assert not is_altair(alt.X)
    assert not is_plotly(dict)
    assert not is_altair(dict)


def test_a_plotly_figure_is_titles_axes_traces_and_its_specification() -> None:
    shelf = Shelf()
    content = content_of_plotly(figure(), request(shelf))
    assert words(content) == [
        "A plotly figure: Routes",
        "Axes: x is month",
        "1. scatter delays: 2 points",
        "2. bar: 5 points",
        "3. heatmap: 3 rows of 4 values",
        "4. pie: 1 point",
        "5. scatter: no points",
        "Specification with the data: result://_r1",
    ]
    assert isinstance(content[1], ResourceLink)
    spec, mime_type = shelf.only
    assert mime_type == "application/vnd.plotly.v1+json"
    assert json.loads(spec)["data"][0]["name"] == "delays"


def test_arrays_of_a_figure_that_was_read_from_json_are_counted() -> None:
    read: Any = go.Figure(json.loads(go.Figure([go.Scatter(y=np.arange(50.0)), go.Bar(y=np.arange(9, dtype="i2"))]).to_json()))
    assert words(content_of_plotly(read, request()))[1:] == ["1. scatter: 50 points", "2. bar: 9 points"]


def test_many_traces_are_counted() -> None:
    lines = words(content_of_plotly(go.Figure([go.Scatter(y=[1])] * 25), request()))
    assert (len(lines), lines[-1]) == (22, "… and 5 more traces")


def test_a_figure_that_has_no_json_is_words_alone() -> None:
    odd: Any = go.Figure([go.Scatter(y=[1], customdata=[object()])])
    shelf = Shelf()
    assert words(content_of_plotly(odd, request(shelf))) == ["A plotly figure", "1. scatter: 1 point"]
    assert shelf.kept == []


def test_a_title_is_text_whatever_is_in_it() -> None:
    odd: Any = go.Figure(layout={"title": "<script>\n\ud800" + "x" * 100})
    (line, *_) = words(content_of_plotly(odd, request()))
    assert line.startswith("A plotly figure: <script> \ufffdxxx")
    assert line.endswith("x…")


def test_a_chart_is_its_marks_encodings_and_specification() -> None:
    shelf = Shelf()
    chart = alt.Chart(CARS, title="Cars").mark_point().encode(x="power", y="mean(price)", color=alt.value("red"), tooltip=["kind", "price"])
    content = content_of_altair(chart, request(shelf))
    assert words(content) == [
        "An altair chart: Cars",
        "Data: 3 rows",
        "point: color is red, tooltip, x is power (quantitative), y is mean(price) (quantitative)",
        "Specification with the data: result://_r1",
    ]
    assert isinstance(content[1], ResourceLink)
    spec, mime_type = shelf.only
    assert mime_type.startswith("application/vnd.vegalite.v")
    assert json.loads(spec)["mark"] == {"type": "point"}


@pytest.mark.parametrize(
    "compose",
    [
        lambda a, b: a + b,
        lambda a, b: a | b,
        lambda a, b: a & b,
        lambda a, b: alt.concat(a, b),
        lambda a, b: (a + b).facet("kind:N", data=CARS),
    ],
)
def test_every_view_of_a_composed_chart_is_a_line(compose: Callable[[Any, Any], Any]) -> None:
    point, bar = alt.Chart(CARS).mark_point().encode(x="power:Q"), alt.Chart(CARS).mark_bar().encode(x="price:Q")
    lines = words(content_of_altair(compose(point, bar), request()))
    assert lines[-2:] == ["point: x is power (quantitative)", "bar: x is price (quantitative)"]


def test_many_views_are_counted() -> None:
    lines = words(content_of_altair(alt.hconcat(*[alt.Chart(CARS).mark_bar()] * 23), request()))
    assert lines[-2:] == ["bar: no encodings", "… and 3 more views"]


def test_what_altair_refuses_is_told_in_its_words() -> None:
    many = alt.Chart(pd.DataFrame({"a": range(6_000)})).mark_point().encode(x="a")
    (line, *_) = words(content_of_altair(many, request()))
    assert line.startswith("An altair chart that altair could not write: MaxRowsError: ")


def test_words_that_are_too_many_are_cut_and_kept() -> None:
    shelf = Shelf()
    content = content_of_altair(alt.Chart(CARS).mark_point().encode(x="power", y="price"), request(shelf, max_chars=20))
    assert "[Cut: " in "\n".join(words(content))
    assert len(shelf.kept) == 2
    assert sum(isinstance(part, ResourceLink) for part in content) == 2


def test_where_something_draws_it_a_plot_is_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    draws(monkeypatch)
    monkeypatch.setattr(go.Figure, "to_image", lambda _figure, format: png())  # noqa: A006  # plotly's name
    monkeypatch.setattr(alt.Chart, "save", lambda _chart, buffer, format: buffer.write(png()))  # noqa: A006  # altair's name
    shelf = Shelf()
    for (content,) in (content_of_plotly(figure(), request(shelf)), content_of_altair(alt.Chart(CARS).mark_bar(), request(shelf))):
        assert isinstance(content, ImageContent)
    assert shelf.kept == []


def test_when_drawing_fails_the_words_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    draws(monkeypatch)

    def no_browser(_figure: object, format: str) -> bytes:  # noqa: A002  # plotly's name
        raise RuntimeError("no browser was found")

    monkeypatch.setattr(go.Figure, "to_image", no_browser)
    assert words(content_of_plotly(figure(), request()))[0] == "A plotly figure: Routes"
