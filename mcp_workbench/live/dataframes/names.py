"""How agents refer to DataFrames, and what to say about a name that is not there.

A reference is what agents send: `flights`, `df://flights`, `df://flights?version=3`, `flights v3`, `_r7`.
No pandas here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.primitives.wording import nearest, quote, shorten
from mcp_workbench.wording import plain

SCHEME = "df"
_RESULT = re.compile(r"_r[1-9][0-9]{0,17}")
_WITH_VERSION = re.compile(r"(\w+)\s+(v[0-9]+)")
_VERSION = re.compile(r"v?([1-9][0-9]{0,17})")
_LISTED = 8
_LABEL_CHARS = 300


class NotFound(WorkbenchError):
    """Nothing of that name, part or version is served; the sentence names what is."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What an agent's text refers to."""

    name: str
    """As sent, percent-decoded; may be unknown."""
    parts: tuple[str, ...] = ()
    """Path after the name: `("rows",)`."""
    options: tuple[tuple[str, str], ...] = ()
    """Query parameters, decoded, in order."""


def is_result(name: str) -> bool:
    """Tell whether a name has the form of a result's: `_r7`."""
    return _RESULT.fullmatch(name) is not None


def parse_uri(uri: str) -> Reference | None:
    """Take a `df://` URI apart; everything is percent-decoded.

    Args:
        uri: Any text.

    Returns:
        The reference, or None when the text is no `df://` URI with a name in it.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.lower() != SCHEME:
        return None
    path, _, query = rest.partition("#")[0].partition("?")
    name, *parts = [unquote(part) for part in path.rstrip("/").split("/")]
    if not name:
        return None
    return Reference(name, tuple(parts), tuple(parse_qsl(query, keep_blank_values=True)))


def parse_reference(text: str) -> Reference:
    """Read what an agent sends for a DataFrame: a URI, a name, or a name with its version."""
    text = text.strip()
    if (reference := parse_uri(text)) is not None:
        return reference
    if match := _WITH_VERSION.fullmatch(text):
        return Reference(match[1], options=(("version", match[2]),))
    return Reference(text)


def parse_version(text: str) -> int | None:
    """Read `17` or `v17`; None when it is neither."""
    match = _VERSION.fullmatch(text.strip())
    return int(match[1]) if match else None


def unknown_name(wanted: str, published: Iterable[str]) -> str:
    """Say that a name is not published, which ones are near, and which there are."""
    names = sorted(published)
    if not names:
        return f"No DataFrame {said(wanted)}: nothing is published yet."
    if near := nearest(wanted, names):
        return f"No DataFrame {said(wanted)} is published. Nearest: {', '.join(near)}."
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"No DataFrame {said(wanted)} is published. Published: {', '.join(names[:_LISTED])}{more}."


def said(text: str) -> str:
    """Quote what an agent wrote: at most 60 characters, control characters escaped."""
    return f"'{quote(text)[1:-1]}'"


def shown_label(label: str) -> str:
    """A column's label in a sentence: one line of at most 300 characters, what is not printable escaped."""
    return shorten(plain(label), _LABEL_CHARS)
