"""What return annotations promise, and results held against it."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
from typing import Annotated, Any

import altair as alt
import msgspec
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import HTML, Audio
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.jsonable import UnsupportedResult
from mcp_workbench.primitives.output import Output, output_of
from mcp_workbench.primitives.rendered import Rendered
from mcp_workbench.primitives.signature import MISSING
from mcp_workbench.protocol.wire import ResourceLink, TextContent


@dataclasses.dataclass
class Route:
    origin: str
    flights: int


class Tree(BaseModel):
    size: float
    branches: list[Tree] = []


LOOSE = dict[str, int | Any]
"""An object of whatever there is."""


class Row(TypedDict):
    day: datetime.date


class Kind(enum.Enum):
    A = "a"


class Numbers(RootModel[list[int]]):
    pass


class Renamed(BaseModel):
    from_: str = Field(alias="from")


def promised(annotation: Any) -> Output:
    output = output_of(annotation)
    assert output is not None
    return output


@pytest.mark.parametrize(
    "annotation",
    [
        MISSING, None, int, str, float, bool, bytes, Any, object, Kind, pd.DataFrame, Route | None, list, dict, tuple, list[Any],
        dict[str, Any], dict[str, object], collections.abc.Mapping[str, Any],
        list[bytes], dict[str, bytes], tuple[str, bytes], list[str | bytes],
        dict[int, str], dict[str, pd.DataFrame], list[pd.DataFrame], list[TextContent], TextContent, Numbers, collections.abc.Iterator[int],
    ],
)  # fmt: skip
def test_what_is_not_object_like_promises_nothing(annotation: Any) -> None:
    assert output_of(annotation) is None


def test_what_is_shown_and_not_written_as_json_promises_nothing() -> None:
    shown = (Figure, Axes, go.Figure, alt.Chart, alt.LayerChart, Image.Image, Styler, Audio, HTML, ResourceLink, Rendered)
    for kind in shown:
        for annotation in (kind, kind | None, list[kind], dict[str, kind], tuple[str, kind], Annotated[kind, "x"], list[str | kind]):  # type: ignore[valid-type]  # the types are values here
            assert output_of(annotation) is None, annotation


def test_a_model_that_writes_its_bytes_as_base64_promises_them() -> None:
    class Report(BaseModel):
        model_config = ConfigDict(ser_json_bytes="base64")
        picture: bytes

    assert promised(Report).schema["properties"]["picture"] == {"type": "string", "format": "base64url"}


def test_object_like_annotations_promise_an_object() -> None:
    assert promised(dict[str, int]).schema == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert promised(Row).schema == {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"]}
    assert promised(Route).schema["required"] == ["origin", "flights"]
    assert promised(Annotated[Route, "x"]).schema == promised(Route).schema
    assert promised(Tree).schema["type"] == "object"
    assert promised(Tree).schema["$ref"] == "#/$defs/Tree"


@pytest.mark.parametrize("annotation", [list[Route], tuple[Route, ...], set[int], collections.abc.Sequence[int]])
def test_arrays_are_wrapped_into_an_object(annotation: Any) -> None:
    output = promised(annotation)
    assert output.wrapped
    assert output.schema["properties"]["result"]["type"] == "array"
    assert output.schema["required"] == ["result"]


def test_a_result_that_keeps_the_promise_is_structured() -> None:
    assert promised(Route).structured("f", Route("JFK", 3)) == {"origin": "JFK", "flights": 3}
    assert promised(list[Route]).structured("f", [Route("JFK", 3)]) == {"result": [{"origin": "JFK", "flights": 3}]}
    assert promised(Row).structured("f", {"day": datetime.date(2026, 1, 31)}) == {"day": "2026-01-31"}
    assert promised(Tree).structured("f", Tree(size=1, branches=[Tree(size=2)]))["branches"][0]["size"] == 2
    assert promised(Renamed).structured("f", Renamed(**{"from": "x"})) == {"from": "x"}


def test_numpy_values_keep_the_promise() -> None:
    assert promised(dict[str, int]).structured("f", {"a": np.int64(3)}) == {"a": 3}
    assert promised(list[float]).structured("f", np.array([1.5, np.nan])) == {"result": [1.5, None]}
    assert promised(Route).structured("f", Route("JFK", np.int32(3))) == {"origin": "JFK", "flights": 3}  # type: ignore[arg-type]
    assert promised(LOOSE).structured("f", {"a": np.float32(1.5)}) == {"a": 1.5}


def test_a_promised_number_is_a_number_or_null() -> None:
    structured = promised(dict[str, float]).structured("f", {"nan": float("nan"), "inf": float("inf"), "one": 1.0})
    assert structured == {"nan": None, "inf": None, "one": 1.0}
    assert promised(dict[str, float]).schema["additionalProperties"] == {"type": ["number", "null"]}


def test_a_broken_promise_is_a_sentence_with_both_sides() -> None:
    with pytest.raises(ToolError) as caught:
        promised(dict[str, int]).structured("top_routes", [1])
    assert str(caught.value) == (
        "top_routes returned a list, its annotation promises dict[str, int]: expected an object, got an array of 1 item. "
        "The tool's author can correct this."
    )


def test_a_wrong_field_of_a_dataclass_is_found() -> None:
    with pytest.raises(ToolError, match=r'promises Route: flights: expected a valid integer, got text "many"'):
        promised(Route).structured("f", Route("JFK", "many"))  # type: ignore[arg-type]


def test_none_does_not_keep_a_promise() -> None:
    with pytest.raises(ToolError, match="returned a NoneType, its annotation promises Route"):
        promised(Route).structured("f", None)


class Secretive:
    def __repr__(self) -> str:
        raise AssertionError("repr was called")


@pytest.mark.parametrize("annotation", [LOOSE, dict[str, int], list[int]])
def test_a_foreign_object_is_named_and_never_shown(annotation: Any) -> None:
    with pytest.raises(UnsupportedResult, match="Secretive"):
        promised(annotation).structured("f", {"a": Secretive()})


def test_cycles_and_depth_are_sentences() -> None:
    cycle: dict[str, Any] = {}
    cycle["again"] = cycle
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(UnsupportedResult, match="contains itself"):
        promised(LOOSE).structured("f", cycle)
    for value in ({"deep": deep}, {"deep": deep[0][0]}):
        with pytest.raises(UnsupportedResult, match="nested"):
            promised(LOOSE).structured("f", value)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.lists(st.floats())))
def test_structured_content_always_encodes_and_decodes_equal(value: dict[str, list[float]]) -> None:
    structured = promised(dict[str, list[float]]).structured("f", value)
    assert msgspec.json.decode(msgspec.json.encode(structured)) == structured
