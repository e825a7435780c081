"""Long texts, plot specifications and large pictures that calls returned: `result://_r8`, read in slices.

They are results like any other (`results`): numbered with the DataFrames, each its principal's own, bounded together, the
oldest going first. A text is sliced by characters, bytes by bytes; the slices of a document put side by side are
the document. What a slice leaves out is said beside it, in a text of its own, because a model sees only texts; and a part
of a picture is sent as bytes, a part of JSON as text, because a host would take the document's own type at its word.
"""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mcp_workbench.limits import MIB
from mcp_workbench.live.dataframes.names import NotFound, Reference, is_result, parse_uri, said
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.keeping import MAX_MEDIA_BYTES
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.protocol.wire import Json, ResourceContents, ResourceLink, ResourceTemplate

if TYPE_CHECKING:
    from mcp_workbench.live.results import Results

# Inside a class with a method `templates`, and for symmetry with `dataframes.reading`.
Templates: TypeAlias = list[ResourceTemplate]
Contents: TypeAlias = list[ResourceContents]

SCHEME = "result"
OPTIONS = ("offset", "limit")
DEFAULT_CHARS = 8_000
"""Characters of a slice when nobody says how many: what the thriftiest hosts show a model."""
MAX_CHARS = 100_000
"""Characters of one slice; escaped as JSON they may take six bytes each."""
MAX_BYTES = 48 * MIB
"""Bytes of one slice of a picture, where a connection takes as much."""
_LARGEST_OFFSET = 2**53


@dataclass(frozen=True, slots=True)
class Document:
    """A kept text or picture."""

    name: str
    """`_r8`."""
    data: str | bytes
    mime_type: str
    description: str

    @property
    def uri(self) -> str:
        """Where it is read."""
        return f"{SCHEME}://{self.name}"

    @property
    def unit(self) -> str:
        """What its length counts."""
        return "characters" if isinstance(self.data, str) else "bytes"

    @property
    def kind(self) -> str:
        """What it is, in a word: `text`, `image`, `audio`."""
        return "text" if isinstance(self.data, str) else self.mime_type.partition("/")[0]

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return sys.getsizeof(self.data)

    @property
    def link(self) -> ResourceLink:
        """The link to it."""
        return ResourceLink(
            uri=self.uri, name=self.name, description=self.description, mime_type=self.mime_type, size=_wire_size(self.data)
        )


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a document."""

    document: Document
    offset: int
    data: str | bytes
    """From the offset on; empty past the end."""
    limit: int | None = None
    """How many were asked for; None: as many as the reader's budget says."""

    @property
    def end(self) -> int:
        """Where the next slice begins."""
        return self.offset + len(self.data)

    @property
    def whole(self) -> bool:
        """It leaves nothing out."""
        return not self.offset and self.end == len(self.document.data)

    @property
    def mime_type(self) -> str:
        """The document's own for the whole of it; for a part, plain text or bytes."""
        if self.whole:
            return self.document.mime_type
        return "text/plain" if isinstance(self.data, str) else "application/octet-stream"

    @property
    def next_uri(self) -> str | None:
        """Where the next slice is read; None at the end."""
        limit = "" if self.limit is None else f"&limit={self.limit}"
        return f"{self.document.uri}?offset={self.end}{limit}" if self.data and self.end < len(self.document.data) else None

    @property
    def note(self) -> str | None:
        """What the slice leaves out, and where that is; None when it is the whole."""
        total, unit, name = len(self.document.data), self.document.unit, self.document.name
        if self.whole:
            return None
        if not self.data:
            return f"[Nothing at offset {self.offset:,}: {name} has {total:,} {unit}.]"
        more = "These are the last." if self.next_uri is None else f"More: {self.next_uri}"
        return f"[{unit.capitalize()} {self.offset:,}-{self.end - 1:,} of {total:,} of {name}. {more}]"


class Documents:
    """Keeps and reads the documents of one workbench; any thread.

    Args:
        results: Where they are kept, beside the DataFrames.
    """

    def __init__(self, results: Results) -> None:
        self._results = results

    def keep(self, data: str | bytes, mime_type: str, description: str, principal: str) -> ResourceLink | None:
        """Keep one; see `mcp_workbench.primitives.keeping.Keeper`."""
        document = self._results.keep_document(data, mime_type, description, principal)
        return None if document is None else document.link

    def templates(self) -> Templates:
        """List the form of URI."""
        return [
            ResourceTemplate(
                uri_template=f"{SCHEME}://{{name}}{{?{','.join(OPTIONS)}}}",
                name="result",
                description="What was too long for a call's result (text, JSON, a picture): the whole, in slices of characters or bytes.",
            )
        ]

    def resolve(self, uri: str) -> Reference | None:
        """Take a `result://` URI apart.

        Returns:
            The reference, whether or not it exists; None when no document can have that URI.
        """
        scheme, separator, rest = uri.partition("://")
        reference = parse_uri(f"df://{rest}") if separator and scheme.lower() == SCHEME else None
        return None if reference is None or reference.parts else reference

    def read(self, uri: str, principal: str | None, default_chars: int = DEFAULT_CHARS, default_bytes: int = MAX_MEDIA_BYTES) -> Contents:
        """Read a slice.

        Args:
            uri: `result://_r8?offset=8000&limit=2000`.
            principal: Who asks; None: the notebook's author, who sees all.
            default_chars: Characters of a text when the URI gives no limit.
            default_bytes: The same for a picture.

        Returns:
            The slice, exactly; and where it is not the whole, a text that says what it is of.

        Raises:
            NotFound: No such document is kept for this principal.
            ArgumentError: A parameter that does not fit.
        """
        reference = self.resolve(uri)
        if reference is None:
            raise NotFound(f"No resource {said(uri)}: results are read as {SCHEME}://_r8 or {SCHEME}://_r8?offset=8000.")
        options = _options(reference)
        document = self._results.document(reference.name, principal)
        found = slice_of(document, options.get("offset", "0"), options.get("limit"), default_chars, default_bytes)
        facts: dict[str, Json] = {
            "offset": found.offset,
            "returned": len(found.data),
            "total": len(found.document.data),
            "next": found.next_uri,
        }
        meta: dict[str, Json] = {f"mcp-workbench/{key}": value for key, value in facts.items() if value is not None}
        if isinstance(found.data, str):
            contents = [ResourceContents(uri=uri, mime_type=found.mime_type, text=found.data, meta=meta)]
        else:
            encoded = base64.b64encode(found.data).decode()
            contents = [ResourceContents(uri=uri, mime_type=found.mime_type, blob=encoded, meta=meta)]
        if found.note is not None:
            contents.append(ResourceContents(uri=uri, mime_type="text/plain", text=found.note))
        return contents


def slice_of(
    document: Document, offset: int | str, limit: int | str | None, default_chars: int = DEFAULT_CHARS, default_bytes: int = MAX_MEDIA_BYTES
) -> Slice:
    """Find a part of a document.

    Args:
        document: Of which.
        offset: First character (of a text) or byte, from 0; as a number or as text.
        limit: How many; None: as many as the defaults say.
        default_chars: For a text.
        default_bytes: For bytes.

    Returns:
        The part.

    Raises:
        ArgumentError: Offset or limit is no number that fits.
    """
    greatest, default = (MAX_CHARS, default_chars) if isinstance(document.data, str) else (MAX_BYTES, default_bytes)
    start = _whole("offset", offset, 0, _LARGEST_OFFSET)
    asked = None if limit is None else _whole("limit", limit, 1, greatest)
    count = min(max(default, 1), greatest) if asked is None else asked
    return Slice(document, start, document.data[start : start + count], asked)


def _wire_size(data: str | bytes) -> int:
    return len(data.encode(errors="surrogatepass")) if isinstance(data, str) else len(data)


def _options(reference: Reference) -> dict[str, str]:
    if not is_result(reference.name):
        raise NotFound(f"No result {said(reference.name)}: results have names like _r8.")
    for key, _value in reference.options:
        if key not in OPTIONS:
            near = nearest(key, OPTIONS, 1)
            hint = f"Nearest: {near[0]}." if near else "There are: offset, limit."
            raise ArgumentError(f"No parameter {said(key)} for {SCHEME}://{reference.name}. {hint}")
    return dict(reference.options)


def _whole(name: str, given: int | str, low: int, high: int) -> int:
    text = str(given).strip()
    number = int(text) if text.lstrip("-").isdecimal() and text.isascii() and len(text) < 20 and "--" not in text else None
    if number is None:
        raise ArgumentError(f"{name} is a whole number from {low:,} to {high:,}, not {said(text)}.")
    if not low <= number <= high:
        raise ArgumentError(f"{name} is a whole number from {low:,} to {high:,}, not {number:,}. Nearest: {min(max(number, low), high)}.")
    return number
