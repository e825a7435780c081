"""URI templates of RFC 6570, the part that resources need, in both directions.

Understood: literal text, `{var}` (one or more characters but `/ ? #`), `{+var}` (one or more characters
but `? #`), and one `{?a,b}` at the end. Everything else of the RFC is refused at registration, with the
position. Two variables need literal text between them.

Decided here, and tested:

* URIs are compared percent-decoded, except for reserved characters: `%20` equals a blank, `%2F` is never
  a `/`. The scheme's case does not count. `+` is a plus sign, never a blank.
* Query variables are optional and come in any order. A key the template does not name, or a key given
  twice, is no match: to ignore `limt=5` would answer a question nobody asked.
* Matching is a table of positions x pieces, filled once: linear in the URI, whatever the URI. It was a
  regular expression first; `{+a}-{+b}-{+c}` against dashes took seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote as percent_encode
from urllib.parse import unquote, unquote_to_bytes

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.wording import quote

MAX_URI = 8192
"""Characters of a URI that is matched; a longer one matches nothing."""
MAX_PATH = 2048
"""Characters of it before the query, where matching costs a step for each character and piece."""
MAX_TEMPLATE = 1024
_MAX_PIECES = 32
_RESERVED = ":/?#[]@!$&'()*+,;="

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_ENCODED_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    stops: str
    """Characters it never holds, unless percent-encoded."""


_Piece = str | _Variable


class UriTemplate:
    """One parsed template.

    Attributes:
        text: The template as written.
        variables: Names of all variables, in order.
        optional: Names of the query variables: the ones a URI may leave out.
    """

    __slots__ = ("_pieces", "_query", "optional", "text", "variables")

    def __init__(self, text: str) -> None:
        """Parse.

        Args:
            text: For instance `weather://{station}{?days}`.

        Raises:
            RegistrationError: Not a URI, or an expression not understood; names the position from 0.
        """
        self.text = text
        if not _SCHEME.match(text) or len(text) > MAX_TEMPLATE:
            raise RegistrationError(
                f"Expected a URI with a scheme and at most {MAX_TEMPLATE:,} characters, such as notes://today; got {quote(text)}."
            )
        pieces, query = _parse(text)
        self._pieces = pieces
        self._query = query
        self.optional = tuple(query)
        self.variables = (*(piece.name for piece in pieces if isinstance(piece, _Variable)), *query)
        for name in self.variables:
            if self.variables.count(name) > 1:
                raise RegistrationError(f"{quote(text)}: the variable {name} stands there twice; give each its own name.")

    def __repr__(self) -> str:
        return f"UriTemplate({self.text!r})"

    @property
    def literal_length(self) -> int:
        """Characters that are no variable: of two templates that match, the more literal one is meant."""
        return sum(len(piece) for piece in self._pieces if isinstance(piece, str))

    def match(self, uri: str) -> dict[str, str] | None:
        """The variables' values in a URI.

        Args:
            uri: As a client sent it.

        Returns:
            Percent-decoded values, query variables only where given; None when it does not match.
        """
        if len(uri) > MAX_URI:
            return None
        path, mark, query = uri.partition("?") if self._query else (uri, "", "")
        if len(path) > MAX_PATH:
            return None
        try:
            values = _match_pieces(self._pieces, _comparable(path))
            if values is None or not mark:
                return values
            asked = _match_query(self._query, query)
        except UnicodeDecodeError:
            return None
        return None if asked is None else values | asked

    def expand(self, **values: str) -> str:
        """The URI for some values.

        Args:
            values: One text per variable; query variables may be left out.

        Raises:
            ValueError: A variable of the path has no value, or a name is no variable.
        """
        unknown = values.keys() - set(self.variables)
        missing = [name for name in self.variables if name not in self._query and not values.get(name)]
        if unknown or missing:
            needed = ", ".join(self.variables) or "no variable"
            raise ValueError(f"{self.text} needs a value for each of {needed}; got {', '.join(sorted(values)) or 'none'}.")
        path = "".join(piece if isinstance(piece, str) else _encode(piece, values[piece.name]) for piece in self._pieces)
        query = "&".join(f"{name}={percent_encode(values[name], safe='')}" for name in self._query if name in values)
        return f"{path}?{query}" if query else path


def _parse(text: str) -> tuple[tuple[_Piece, ...], tuple[str, ...]]:
    pieces: list[_Piece] = []
    query: tuple[str, ...] = ()
    position = 0
    while position < len(text):
        opening = text.find("{", position)
        literal = text[position : opening if opening >= 0 else len(text)]
        if "}" in literal:
            raise _error(text, position + literal.index("}"), "a } without its {")
        if query:
            raise _error(text, position, "something after the query expression")
        if literal:
            pieces.append(literal)
        if opening < 0:
            break
        closing = text.find("}", opening)
        if closing < 0:
            raise _error(text, opening, "a { without its }")
        query = _add_expression(text, opening, text[opening + 1 : closing], pieces)
        position = closing + 1
    if len(pieces) > _MAX_PIECES:
        raise _error(text, 0, f"more than {_MAX_PIECES} pieces")
    try:
        others = (_decoded(piece) if isinstance(piece, str) else piece for piece in pieces[1:])
        return (_comparable(str(pieces[0])), *others), query
    except UnicodeDecodeError:
        raise _error(text, text.index("%"), "percent-encoded bytes that are not UTF-8") from None


def _add_expression(text: str, opening: int, expression: str, pieces: list[_Piece]) -> tuple[str, ...]:
    """Append the variable of one expression; a query expression returns its names instead."""
    operator = expression[:1] if expression[:1] in ("+", "?") else ""
    names = tuple(expression[len(operator) :].split(",")) if operator == "?" else (expression[len(operator) :],)
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise _error(text, opening, f"{{{expression}}}, but only {{var}}, {{+var}} and {{?a,b}} with plain names are understood")
    if operator == "?":
        if any("?" in piece for piece in pieces if isinstance(piece, str)):
            raise _error(text, opening, "a query expression after a literal ?")
        return names
    if pieces and isinstance(pieces[-1], _Variable):
        raise _error(text, opening, "two variables with no text between them")
    pieces.append(_Variable(names[0], "?#" if operator == "+" else "/?#"))
    return ()


def _error(text: str, position: int, what: str) -> RegistrationError:
    return RegistrationError(f"URI template {quote(text)}, position {position}: found {what}.")


def _encode(variable: _Variable, value: str) -> str:
    return percent_encode(value, safe="" if "/" in variable.stops else _RESERVED.replace("?", "").replace("#", ""))


def _comparable(uri: str) -> str:
    """The form in which URIs are compared (RFC 3986 section 6.2.2): decoded except where decoding would change the structure."""
    scheme = _SCHEME.match(uri)
    # A scheme is never percent-encoded: without one in plain letters this is no URI, and equals nothing.
    return scheme.group().lower() + _decoded(uri[scheme.end() :]) if scheme else ""


def _decoded(text: str) -> str:
    return _ENCODED_RUN.sub(_decode_run, text)


def _decode_run(run: re.Match[str]) -> str:
    decoded = unquote_to_bytes(run.group()).decode()
    return "".join(f"%{ord(character):02X}" if character in _RESERVED or character == "%" else character for character in decoded)


def _match_pieces(pieces: tuple[_Piece, ...], text: str) -> dict[str, str] | None:
    # Most URIs belong to another template: the first literal says so at once.
    if not pieces or not isinstance(pieces[0], str) or not text.startswith(pieces[0]):
        return None
    fits = _table(pieces, text)
    if not fits[0][0]:
        return None
    values: dict[str, str] = {}
    position = 0
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            position += len(piece)
            continue
        end = fits[index + 1].index(1, position + 1)
        values[piece.name] = unquote(text[position:end], errors="strict")
        position = end
    return values


def _table(pieces: tuple[_Piece, ...], text: str) -> list[bytearray]:
    """`fits[i][p]` is 1 where `pieces[i:]` matches `text[p:]`; filled from the end."""
    size = len(text)
    fits = [bytearray(size + 1) for _ in range(len(pieces) + 1)]
    fits[-1][size] = 1
    for index in range(len(pieces) - 1, -1, -1):
        piece, here, after = pieces[index], fits[index], fits[index + 1]
        for position in range(size - 1, -1, -1):
            if isinstance(piece, str):
                end = position + len(piece)
                here[position] = end <= size and after[end] and text.startswith(piece, position)
            elif text[position] not in piece.stops:
                here[position] = after[position + 1] or here[position + 1]
    return fits


def _match_query(names: tuple[str, ...], query: str) -> dict[str, str] | None:
    values: dict[str, str] = {}
    pairs = query.split("&", len(names) + 1) if query else []
    for pair in pairs:
        name, _, value = pair.partition("=")
        name = unquote(name, errors="strict")
        if name not in names or name in values or "#" in value:
            return None
        values[name] = unquote(value, errors="strict")
    return values


def best_match(templates: Mapping[str, UriTemplate], uri: str) -> tuple[str, dict[str, str]] | None:
    """Of several templates the one a URI means: the most literal of those that match.

    Args:
        templates: Key -> template; the key of the best is returned, ties go to the first.
        uri: As a client sent it.

    Returns:
        The key and the variables' values; None when none matches.
    """
    matches = [(key, values) for key, template in templates.items() if (values := template.match(uri)) is not None]
    return max(matches, key=lambda match: templates[match[0]].literal_length) if matches else None
