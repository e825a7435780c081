"""The table of JSON forms, row by row, and its bounds."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import itertools
import math
import sys
import types
import uuid
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import attrs
import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mcp_workbench.primitives.jsonable import MAX_CHARS, MAX_DEPTH, MAX_VALUES, JsonForms, UnsupportedResult

to_jsonable = JsonForms().to_jsonable
"""The table alone: what other rooms taught the process's own table is tested where they teach it."""


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None
    _secret: str = "s"


@attrs.define
class Box:
    side: float
    _secret: str = "s"


class Packet(msgspec.Struct):
    size: int


class Reading(BaseModel):
    at: datetime.datetime
    value: float
    anything: Any = None


class Name(str):
    def __str__(self) -> str:
        raise AssertionError("str was called")

    __repr__ = __str__


class Whole(int):
    def __int__(self) -> int:
        raise AssertionError("int was called")


class Secretive:
    value = 1

    def __repr__(self) -> str:
        raise AssertionError("repr was called")

    __str__ = __repr__

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"attribute {name} was read")


MOMENT = datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.UTC)
IDENTITY = uuid.UUID(int=5)

TABLE: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    ("text", "text"),
    ("\ud800", "\ufffd"),
    ("\ud83d\ude00", "😀"),
    (Name("n"), "n"),
    (2**53 + 1, 2**53 + 1),
    (2**64 - 1, 2**64 - 1),
    (-(2**63), -(2**63)),
    (2**64, "18446744073709551616"),
    (Whole(7), 7),
    (1.5, 1.5),
    (math.nan, None),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    (Decimal("1.10"), "1.10"),
    (Decimal("NaN"), None),
    (Decimal("-Infinity"), "-Infinity"),
    (IDENTITY, str(IDENTITY)),
    (PurePosixPath("a/b"), "a/b"),
    (MOMENT, "2026-01-31T12:30:00+00:00"),
    (MOMENT.date(), "2026-01-31"),
    (datetime.time(1, 2, 3), "01:02:03"),
    (datetime.timedelta(days=1, hours=2), "P1DT2H"),
    (Colour.RED, "red"),
    (Level.LOW, 1),
    ((1, [2]), [1, [2]]),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({"b", 1}), ["b", 1]),
    (range(3), [0, 1, 2]),
    (collections.deque([1]), [1]),
    ({"a": 1}.values(), [1]),
    (types.MappingProxyType({"a": (1,)}), {"a": [1]}),
    (Point(1, {2}), {"x": 1, "y": [2]}),
    (Box(2.0), {"side": 2.0}),
    (Packet(3), {"size": 3}),
    (Reading(at=MOMENT, value=math.nan, anything=np.int64(3)), {"at": "2026-01-31T12:30:00Z", "value": None, "anything": 3}),
    (np.int8(3), 3),
    (np.float64(1.5), 1.5),
    (np.float32("nan"), None),
    (np.longdouble(2.5), 2.5),
    (np.bool_(True), True),
    (np.str_("s"), "s"),
    (np.array(3), 3),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([1.5, np.inf]), [1.5, "Infinity"]),
    (np.array([1, "a", None], dtype=object), [1, "a", None]),
    (np.datetime64("2026-01-31T12:30:00", "ns"), "2026-01-31T12:30:00.000000000"),
    (np.array(["2026-01-31", "NaT"], dtype="M8[D]"), ["2026-01-31", None]),
    (np.timedelta64(90, "m"), "PT1H30M"),
    (np.timedelta64("NaT", "s"), None),
    (np.timedelta64(2, "M"), "2 months"),
    (np.timedelta64(5, "ns"), "PT0.000000005S"),
    (np.timedelta64(5, "ps"), "5 picoseconds"),
    (np.longdouble("1e4000"), None),
    (np.longdouble("inf"), "Infinity"),
    (np.array(["1e4000", "1.5", "-inf"], dtype=np.longdouble), [None, 1.5, "-Infinity"]),
    (np.array([["2026-01-31", "NaT"]], dtype="M8[D]").view(np.matrix), [["2026-01-31", None]]),
    (np.array([[1, 2]]).view(np.matrix), [[1, 2]]),
    (np.ma.masked, None),
    (np.ma.masked_array([1, 2], [False, True]), [1, None]),
    (np.ma.masked_array(np.array(["2026-01-31"] * 2, dtype="M8[D]"), [True, False]), [None, "2026-01-31"]),
    (np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), [[1, 2.5]]),
    (pd.Timestamp("2026-01-31"), "2026-01-31T00:00:00"),
    (pd.Timedelta(hours=1), "PT1H"),
    (pd.NaT, None),
]


@pytest.mark.parametrize(("value", "expected"), TABLE)
def test_every_row_of_the_table(value: Any, expected: Any) -> None:
    converted = to_jsonable(value)
    assert converted == expected
    assert type(converted) is type(expected)


def test_keys_become_text() -> None:
    day = datetime.date(2026, 1, 31)
    value = {2: "a", Colour.RED: 2, None: 3, True: 4, day: 5, 2.5: 6, np.int64(7): 8, IDENTITY: 9}
    assert to_jsonable(value) == {"2": "a", "red": 2, "null": 3, "true": 4, "2026-01-31": 5, "2.5": 6, "7": 8, str(IDENTITY): 9}


def test_two_keys_that_become_the_same_text_are_refused() -> None:
    with pytest.raises(UnsupportedResult, match='Two keys of the result are both "1"'):
        to_jsonable({1: "a", "1": "b"})


def test_a_key_that_is_a_tuple_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedResult, match=r"A key of the result is a tuple; JSON keys are text. Join its parts"):
        to_jsonable({("JFK", "LAX"): 3})


@pytest.mark.parametrize("value", [b"x", bytearray(b"x"), 1j, np.complex128(1), object(), len, iter([]), int, pd.DataFrame({"a": [1]})])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], lambda value: {"a": value}, lambda value: Point(1, value)])
def test_anything_else_is_refused_by_the_name_of_its_type(value: object, wrap: Any) -> None:
    with pytest.raises(UnsupportedResult, match=rf"The result holds an? \S*{type(value).__name__}, which has no JSON form\. Supported: "):
        to_jsonable(wrap(value))


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], lambda value: {"a": value}, lambda value: {value: 1}])
def test_a_foreign_object_is_neither_shown_nor_read(wrap: Any) -> None:
    with pytest.raises(UnsupportedResult, match="Secretive"):
        to_jsonable(wrap(Secretive()))


def test_what_is_inside_a_model_is_refused_by_name_too() -> None:
    with pytest.raises(UnsupportedResult, match="Secretive"):
        to_jsonable(Reading(at=MOMENT, value=1, anything=Secretive()))


def test_an_object_that_lies_about_its_class_is_judged_by_its_type() -> None:
    class Liar:
        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            return dict

    with pytest.raises(UnsupportedResult, match="Liar"):
        to_jsonable(Liar())


def cyclic_list() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def cyclic_dataclass() -> Any:
    value = Point(1)
    value.y = {"self": value}
    return value


def cyclic_array() -> Any:
    value = np.array([None], dtype=object)
    value[0] = value
    return value


def cyclic_model() -> Any:
    value = Reading(at=MOMENT, value=1)
    value.anything = [value]
    return value


@pytest.mark.parametrize("make", [cyclic_list, cyclic_dataclass, cyclic_array, cyclic_model])
def test_cycles_are_a_sentence(make: Any) -> None:
    with pytest.raises(UnsupportedResult, match=r"contains itself|nested deeper|cannot be dumped"):
        to_jsonable(make())


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def test_depth_is_bounded_exactly() -> None:
    to_jsonable(nested(MAX_DEPTH + 1))
    with pytest.raises(UnsupportedResult, match=f"nested deeper than {MAX_DEPTH} levels"):
        to_jsonable(nested(MAX_DEPTH + 2))
    with pytest.raises(UnsupportedResult, match="nested deeper"):
        to_jsonable(nested(100_000))


def test_shared_parts_are_no_cycle_but_count_each_time() -> None:
    shared = [1]
    assert to_jsonable([shared, shared]) == [[1], [1]]
    doubled: Any = [1]
    for _ in range(60):
        doubled = [doubled, doubled]
    with pytest.raises(UnsupportedResult, match=f"more than {MAX_VALUES:,} values"):
        to_jsonable(doubled)


class Endless(list[Any]):
    """Iterates over its first item without end."""

    def __iter__(self) -> Any:
        return itertools.repeat(self[0])


class Named(str):
    """Text of another type."""


LONG = "x" * (MAX_CHARS // 100)


@pytest.mark.parametrize("large", [[LONG] * 101, Endless([LONG]), [{LONG: 1}] * 101, [[Named(LONG)]] * 101, [{Named(LONG): 1}] * 101])
def test_more_text_than_any_message_takes_is_refused_before_it_is_written(large: Any) -> None:
    with pytest.raises(UnsupportedResult, match=r"more than 100,000,000 characters of text; return a part"):
        to_jsonable(large)


def test_text_within_the_bound_is_kept_and_one_text_has_none() -> None:
    assert to_jsonable([LONG] * 100) == [LONG] * 100
    assert to_jsonable(LONG * 101) == LONG * 101


def test_a_large_array_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(UnsupportedResult, match="an array of 2,000,000 values"):
        to_jsonable(np.zeros(2_000_000, dtype=np.int8))


def test_an_integer_of_thousands_of_digits_is_a_sentence() -> None:
    with pytest.raises(UnsupportedResult, match="4,300 digits"):
        to_jsonable(10**5000)


def test_a_registered_converter_answers_for_its_types_and_subtypes() -> None:
    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

    class Euro(Money):
        pass

    forms = JsonForms()
    forms.register(lambda kind: issubclass(kind, Money), lambda money: {"cents": money.cents, "at": MOMENT})
    assert forms.to_jsonable([Euro(5)]) == [{"cents": 5, "at": "2026-01-31T12:30:00+00:00"}]
    forms.register(lambda kind: kind is Euro, lambda money: f"EUR {money.cents}")
    assert forms.to_jsonable([Euro(5), Money(1)])[0] == "EUR 5"
    with pytest.raises(UnsupportedResult):
        JsonForms().to_jsonable(Euro(5))


def test_a_converter_that_never_ends_is_stopped() -> None:
    class Again:
        pass

    forms = JsonForms()
    forms.register(lambda kind: kind is Again, lambda value: [Again()])
    with pytest.raises(UnsupportedResult, match="nested deeper"):
        forms.to_jsonable(Again())


def test_numpy_is_looked_up_and_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numpy")
    assert to_jsonable({"a": (1, MOMENT.date())}) == {"a": [1, "2026-01-31"]}


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.sampled_from(Colour)
    | st.builds(np.float32, st.floats(width=32))
    | st.builds(np.int64, st.integers(-(2**63), 2**63 - 1))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(SCALARS, max_size=4)
        | st.dictionaries(st.text() | st.dates() | st.uuids(), inner, max_size=4)
        | st.builds(Point, st.integers(), inner)
    ),
    max_leaves=12,
)


def only_json_types(value: Any) -> bool:
    if type(value) is list:
        return all(map(only_json_types, value))
    if type(value) is dict:
        return all(type(key) is str and only_json_types(item) for key, item in value.items())
    return value is None or type(value) in (bool, int, float, str)


@given(VALUES)
def test_what_comes_out_is_json_and_survives_the_wire(value: Any) -> None:
    try:
        converted = to_jsonable(value)
    except UnsupportedResult as error:
        assert str(error).startswith("Two keys of the result are both ")  # noqa: PT017
        return
    assert only_json_types(converted)
    assert msgspec.json.decode(msgspec.json.encode(converted)) == converted


def test_a_figure_is_refused_with_the_way_to_have_it_shown() -> None:
    figure = type("Figure", (), {"__module__": "matplotlib.figure"})
    with pytest.raises(UnsupportedResult, match=r"Return it by itself, in a list or as a member of a dict"):
        to_jsonable(figure())
