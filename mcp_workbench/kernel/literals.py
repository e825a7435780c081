"""The arguments of `%mcp_call` as they are typed: `n=3 origin="JFK" only=[1, 2]` -> names and JSON values.

Values are Python literals, so nothing that is typed here is run. One kind of bare word is let through: what an
agent would write as text too, the name of something published, a result (`_r7`) or a URI. Pure: text in, values
or one sentence out.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Container

from mcp_workbench.protocol.wire import Json

_ASSIGNED = re.compile(r"([^\W\d][\w.-]*)\s*=\s*")
_PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|.""", re.DOTALL)
_BETWEEN = re.compile(r"[\s,]*")
_REFERENCE = re.compile(r"_r[1-9][0-9]*|[A-Za-z][A-Za-z0-9+.-]*://\S*")
_BARE_WORD = re.compile(r"[\w.-]+")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_JSON_WORDS = {"true": "True", "false": "False", "null": "None"}
_SHOWN = 60


class LineError(ValueError):
    """What was typed cannot be read; the text is one sentence for whoever typed it."""


def read_arguments(text: str, published: Container[str] = ()) -> dict[str, Json]:
    """Read `name=value` pairs, which spaces or commas separate.

    Args:
        text: What was typed after the tool's name.
        published: Names that stand for themselves, without quotes.

    Raises:
        LineError: Something is no pair, no literal, or nothing that JSON can carry.
    """
    arguments: dict[str, Json] = {}
    at = _skip(text, 0)
    while at < len(text):
        assigned = _ASSIGNED.match(text, at)
        if assigned is None:
            raise LineError(f'expected name=value, got {_cut(text[at:])}; for instance n=3 origin="JFK"')
        name, end = assigned[1], _end_of_value(text, assigned.end())
        if name in arguments:
            raise LineError(f"{name} is given twice")
        arguments[name] = _value(name, text[assigned.end() : end], published)
        at = _skip(text, end)
    return arguments


def _skip(text: str, at: int) -> int:
    between = _BETWEEN.match(text, at)
    return at if between is None else between.end()


def _end_of_value(text: str, start: int) -> int:
    """Where the value ends: at a space or comma that stands in no quotes and no brackets."""
    depth = 0
    for piece in _PIECE.finditer(text, start):
        if piece[0] in _OPENING:
            depth += 1
        elif piece[0] in _CLOSING:
            depth -= 1
        elif depth <= 0 and (piece[0].isspace() or piece[0] == ","):
            return piece.start()
    return len(text)


def _value(name: str, written: str, published: Container[str]) -> Json:
    if written in published or _REFERENCE.fullmatch(written):
        return written
    try:
        value = ast.literal_eval(written)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise LineError(f"{name}={_cut(written)} is no Python literal{_instead(name, written)}") from None
    return _as_json(name, value)


def _instead(name: str, written: str) -> str:
    if not written:
        return f"; write for instance {name}=3"
    if written in _JSON_WORDS:
        return f"; write {name}={_JSON_WORDS[written]}"
    if _BARE_WORD.fullmatch(written):
        return f'; a text needs quotes: {name}="{_cut(written)}"'
    return "; numbers, texts in quotes, lists, dicts, True, False and None are"


def _as_json(name: str, value: object) -> Json:
    match value:
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return value
        case list() | tuple():
            return [_as_json(name, item) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _as_json(name, item) for key, item in value.items()}
        case dict():
            raise LineError(f"{name}: the keys of a dict are texts, as in JSON")
        case float():
            raise LineError(f"{name}: JSON has no number {value}")
    raise LineError(f"{name}: JSON has no {type(value).__name__}; numbers, texts, lists, dicts, True, False and None can be sent")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
