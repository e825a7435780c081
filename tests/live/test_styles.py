"""Styles are shown as the tables they style."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mcp_workbench.live.dataframes.rendering import DataFrameRenderer
from mcp_workbench.live.results import Results
from mcp_workbench.live.styles import StyleRenderer, is_style, styled_table
from mcp_workbench.primitives.rendered import RenderRequest
from mcp_workbench.protocol.wire import ResourceLink, TextContent

pytest.importorskip("jinja2", reason="pandas' styles need it")

ROUTES: Any = pd.DataFrame({"route": ["JFK-LAX", "LGA-ATL"], "n": [3, 2], "fuel": [0.5, 0.25]}, index=["a", "b"])


def test_styles_are_known_by_their_type() -> None:
    assert is_style(type(ROUTES.style))
    assert not is_style(pd.DataFrame)
    assert StyleRenderer(DataFrameRenderer(Results())).render(ROUTES, RenderRequest("t", 8_000, "alice")) is None


def test_rows_and_columns_are_shown_and_kept_and_no_html() -> None:
    results = Results()
    style = ROUTES.style.highlight_max(axis=0).format(lambda value: f"<b>{value}</b>").set_caption("<i>caption</i>")
    rendered = StyleRenderer(DataFrameRenderer(results)).render(style, RenderRequest("t", 8_000, "alice"))
    assert rendered is not None
    text, link = rendered.content
    assert isinstance(text, TextContent)
    assert text.text.startswith("2 rows x 3 columns · _r1\n")
    assert text.text.endswith("index,route,n,fuel\na,JFK-LAX,3,0.5\nb,LGA-ATL,2,0.25\n")
    assert "<" not in text.text
    assert isinstance(link, ResourceLink)
    pd.testing.assert_frame_equal(results.snapshot("_r1", "alice").df, ROUTES)


def test_what_is_hidden_stays_hidden() -> None:
    assert styled_table(ROUTES.style.hide(["fuel"], axis="columns")).columns.tolist() == ["route", "n"]
    assert styled_table(ROUTES.style.hide(["a"])).index.tolist() == ["b"]
    assert styled_table(ROUTES.style.hide()).index.tolist() == [0, 1]
    assert styled_table(ROUTES.style) is ROUTES


def test_of_duplicate_labels_only_those_hidden_are() -> None:
    twice = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])
    style: Any = twice.style
    style.hidden_columns = [0]
    assert styled_table(style).columns.tolist() == ["b", "a"]
