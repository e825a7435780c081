"""Python values -> JSON values, by one documented table and nothing else.

================================================  =====================================================
value                                             JSON
================================================  =====================================================
None, bool, str                                   the same; a lone surrogate becomes U+FFFD
int                                               the same within 64 bits (JavaScript rounds past 2**53);
                                                  decimal text beyond, where most parsers give up
float                                             the same; NaN -> null; infinities -> "Infinity", "-Infinity"
Decimal, UUID, Path                               text; Decimal's NaN -> null
datetime, date, time                              ISO 8601 text; NaT -> null
timedelta                                         ISO 8601 duration, `P1DT2H`
Enum                                              its value
list, tuple, deque, range, dict views             array
set, frozenset                                    array, sorted (by JSON text when the items have no order)
dict and other mappings                           object; keys that are int, float, bool, None, Enum, date,
                                                  UUID … become text, two that become the same are an error
dataclass, attrs class, msgspec Struct            object of its fields; names that begin with _ are private
pydantic model                                    what `model_dump(mode="json", by_alias=True)` says
numpy scalar, array                               as the Python value, nested arrays; NaT, masked -> null, and
                                                  so is a float that is no double's
what a room registered (`register`)               as its converter says
================================================  =====================================================

Everything else - bytes, complex, functions, arbitrary objects - is refused by `UnsupportedResult`, which
names the type and never shows the object. So are cycles, nesting deeper than `MAX_DEPTH`, more than
`MAX_VALUES` values and more than `MAX_CHARS` characters of text.
Bytes are refused on purpose: base64 tells a model nothing and costs it a third more.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import sys
import uuid
from collections import deque
from collections.abc import Callable, ItemsView, KeysView, Mapping, ValuesView
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.durations import numpy_duration_text, timedelta_text
from mcp_workbench.primitives.wording import a_type, quote, type_name
from mcp_workbench.protocol.wire import Json

MAX_DEPTH = 100
"""Levels of nesting; the codec of this package reads 128, a result adds a few of its own."""
MAX_VALUES = 1_000_000
"""Values in one result, containers included: far more than the largest message can hold."""

MAX_CHARS = 100_000_000
"""Characters of all texts in one result, keys included; a text by itself may be longer, and is cut where it is shown."""

Converter = Callable[[Any], Any]
"""Value -> something the table knows."""

_SHOWN = ("matplotlib", "seaborn", "plotly", "altair", "PIL")
"""Whose objects are pictures; what shows them (`rendering`) looks no deeper than into one list or dict."""
_SUPPORTED = "JSON types, dates, Decimal, UUID, Path, Enum, sets, dataclasses, attrs, pydantic models, numpy values"


class UnsupportedResult(ToolError):
    """A value has no JSON form; names its type, never shows it."""


class JsonForms:
    """The table above, and what was registered beside it.

    Registering happens on import of the rooms that bring types; converting happens on any thread.
    """

    def __init__(self) -> None:
        self._registered: tuple[tuple[Callable[[type], bool], Converter], ...] = ()

    def register(self, type_predicate: Callable[[type], bool], converter: Converter) -> None:
        """Teach one family of types.

        Args:
            type_predicate: Says of a type whether it belongs; asked before every rule but the exact
                JSON types, the latest registered first.
            converter: Makes of a value something the table knows; may return containers.
        """
        self._registered = ((type_predicate, converter), *self._registered)

    def has_json_form(self, kind: type) -> bool:
        """Whether the table knows a type, whatever its objects hold."""
        if any(type_predicate(kind) for type_predicate, _converter in self._registered):
            return True
        return issubclass(kind, _KNOWN) or _is_numpy(kind) or _field_names(kind) is not None

    def to_jsonable(self, value: object) -> Json:
        """The JSON form of a value.

        Returns:
            None, bool, int, float, str, list and dict with str keys, of exactly these types: always
            encodable, and equal when decoded again.

        Raises:
            UnsupportedResult: No form in the table, a cycle, too deep, too large, or colliding keys.
        """
        return _Walk(self._registered).convert(value, 0)


class _Walk:
    """One conversion: where it is and how much it has seen."""

    __slots__ = ("_chars", "_path", "_registered", "_seen")

    def __init__(self, registered: tuple[tuple[Callable[[type], bool], Converter], ...]) -> None:
        self._registered = registered
        self._path: set[int] = set()
        self._seen = self._chars = 0

    def convert(self, value: Any, depth: int) -> Json:
        self._seen += 1
        if self._seen > MAX_VALUES:
            raise UnsupportedResult(f"The result holds more than {MAX_VALUES:,} values; return a part or a summary of it.")
        kind = type(value)
        if kind is bool or value is None:
            return value
        if kind is str:
            return _text(value) if depth == 0 else self._inner_text(value)
        if kind is int:
            return _integer(value)
        if kind is float:
            return _number(value)
        if depth > MAX_DEPTH:
            raise UnsupportedResult(f"The result is nested deeper than {MAX_DEPTH} levels; return something flatter.")
        if id(value) in self._path:
            raise UnsupportedResult(f"The result contains itself, through {a_type(kind)}; return something without cycles.")
        self._path.add(id(value))
        try:
            return self._convert_family(value, kind, depth)
        finally:
            self._path.discard(id(value))

    def _convert_family(self, value: Any, kind: type, depth: int) -> Json:
        """By family; asked of the type, because an instance may lie about its class."""
        if kind is list or kind is tuple:
            return [self.convert(item, depth + 1) for item in value]
        if kind is dict:
            return self._object(value.items(), depth)
        for type_predicate, converter in self._registered:
            if type_predicate(kind):
                return self.convert(converter(value), depth + 1)
        if issubclass(kind, Enum):
            return self.convert(value.value, depth + 1)
        if _is_numpy(kind):
            return self.convert(_numpy_as_python(value), depth + 1)
        if issubclass(kind, _SCALARS):
            scalar = _scalar(value, kind)
            return self._inner_text(scalar) if depth and isinstance(scalar, str) else scalar
        if issubclass(kind, set | frozenset):
            return _sorted([self.convert(item, depth + 1) for item in value])
        if issubclass(kind, list | tuple | deque | range | KeysView | ValuesView | ItemsView):
            return [self.convert(item, depth + 1) for item in value]
        if issubclass(kind, Mapping):
            return self._object(value.items(), depth)
        if issubclass(kind, BaseModel):
            return self.convert(self._model(value), depth + 1)
        names = _field_names(kind)
        if names is not None:
            return self._object(((name, getattr(value, name)) for name in names), depth)
        raise unsupported(kind)

    def _object(self, items: Any, depth: int) -> dict[str, Json]:
        converted: dict[str, Json] = {}
        for key, value in items:
            name = self._inner_text(key) if type(key) is str else self._key(key, depth)
            if name in converted:
                raise UnsupportedResult(f"Two keys of the result are both {quote(name)} as JSON; make the keys text that differs.")
            converted[name] = self.convert(value, depth + 1)
        return converted

    def _inner_text(self, text: str) -> str:
        # A list of a million times the same long text is small; what is made of it is not.
        self._chars += len(text)
        if self._chars > MAX_CHARS:
            raise UnsupportedResult(f"The result holds more than {MAX_CHARS:,} characters of text; return a part or a summary of it.")
        return _text(text)

    def _key(self, key: Any, depth: int) -> str:
        name = self.convert(key, depth + 1)
        if isinstance(name, str):
            return name
        if isinstance(name, list | dict):
            raise UnsupportedResult(
                f"A key of the result is {a_type(type(key))}; JSON keys are text. Join its parts, or return a list of rows."
            )
        return msgspec.json.encode(name).decode()

    def _model(self, value: BaseModel) -> Any:
        refusals: list[UnsupportedResult] = []

        def fallback(inner: Any) -> Json:
            try:
                return self.convert(inner, 0)
            except UnsupportedResult as error:
                refusals.append(error)
                raise

        try:
            return value.model_dump(mode="json", by_alias=True, warnings=False, fallback=fallback)
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            reason = refusals[0] if refusals else UnsupportedResult(f"The {type_name(type(value))} in the result cannot be dumped as JSON.")
            raise reason from error


def unsupported(kind: type) -> UnsupportedResult:
    """The refusal of a type."""
    shown = kind.__module__.partition(".")[0] in _SHOWN
    advice = "Return it by itself, in a list or as a member of a dict: there it is shown." if shown else "Return its parts or a text."
    return UnsupportedResult(f"The result holds {a_type(kind)}, which has no JSON form. Supported: {_SUPPORTED}. {advice}")


def _text(value: str) -> str:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _integer(value: int) -> Json:
    if -(2**63) <= value < 2**64:
        return value
    try:
        return str(value)
    except ValueError:  # the interpreter's bound on digits, against quadratic conversion
        raise UnsupportedResult("The result holds an integer of more than 4,300 digits; return it in hexadecimal text.") from None


def _number(value: float) -> Json:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"


_CONTAINERS = (set, frozenset, list, tuple, deque, range, KeysView, ValuesView, ItemsView)
_SCALARS = (bool, int, float, str, Decimal, uuid.UUID, PurePath, datetime.date, datetime.time, datetime.timedelta)
_KNOWN = (type(None), Enum, *_SCALARS, *_CONTAINERS, Mapping, BaseModel)


def _scalar(value: Any, kind: type) -> Json:
    """A scalar that is not exactly a JSON type; subclasses are read by the base's own methods, not by theirs."""
    if issubclass(kind, str):
        return _text(str.__str__(value))
    if issubclass(kind, int):
        return _integer(int.__int__(value))
    if issubclass(kind, float):
        return _number(float.__float__(value))
    if issubclass(kind, datetime.timedelta):
        return timedelta_text(value)
    if issubclass(kind, datetime.date | datetime.time):
        # NaT is a datetime, and differs from itself as NaN does.
        return None if value != value else value.isoformat()
    if issubclass(kind, Decimal):
        return None if Decimal.is_nan(value) else Decimal.__str__(value)
    return _text(PurePath.__str__(value)) if issubclass(kind, PurePath) else uuid.UUID.__str__(value)


def _sorted(items: list[Json]) -> list[Json]:
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=msgspec.json.encode)


def _field_names(kind: type) -> list[str] | None:
    """Public fields of a dataclass, attrs class or Struct; None for any other type."""
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif issubclass(kind, msgspec.Struct):
        names = list(kind.__struct_fields__)
    elif "__attrs_attrs__" in kind.__dict__:
        names = [attribute.name for attribute in kind.__dict__["__attrs_attrs__"]]
    else:
        return None
    return [name for name in names if not name.startswith("_")]


def _is_numpy(kind: type) -> bool:
    # Looked up, not imported: who returns a numpy value has imported numpy.
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.generic | numpy.ndarray)


def _numpy_as_python(value: Any) -> Any:
    if value is sys.modules["numpy"].ma.masked:
        return None
    if getattr(value, "size", 1) > MAX_VALUES:
        raise UnsupportedResult(f"The result holds an array of {value.size:,} values; return a part or a summary of it.")
    if value.ndim and value.dtype.kind in "mMgO":
        # `tolist()` turns nanosecond times into bare integers; one by one they keep their meaning.
        return _rows(value)
    if value.ndim:
        return value.tolist()
    match value.dtype.kind:
        case "b":
            return bool(value)
        case "i" | "u":
            return int(value)
        case "f":
            return _double(value)
        case "U":
            return str(value)
        case "M":
            return None if value != value else str(value)
        case "m":
            return None if value != value else numpy_duration_text(value)
        case "O":
            return value.item()
    raise unsupported(type(value))


def _rows(array: Any) -> list[Any]:
    numpy = sys.modules["numpy"]
    if isinstance(array, numpy.matrix):  # whose rows are matrices again, without end
        array = numpy.asarray(array)
    return [array[index] for index in range(len(array))]


def _double(value: Any) -> float | None:
    """None for an extended float past the largest double, which is a number and no infinity."""
    number = float(value)
    return None if math.isinf(number) and sys.modules["numpy"].isfinite(value) else number


FORMS = JsonForms()
"""The process's table: like `copyreg`, a fact about types, not about one workbench."""
to_jsonable = FORMS.to_jsonable
has_json_form = FORMS.has_json_form
register = FORMS.register
