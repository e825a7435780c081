"""What the client's calls return: the server's results, checked, and as Python wants them.

A result of the wrong shape is the server's fault and becomes one sentence; nothing half-read gets out.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import UNSET

from mcp_workbench.client import tables
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T", bound=wire.Result)

META_ROWS = "mcp-workbench/rows"
"""In `_meta`: rows of the whole table of which the result may be a part."""


def read_result(method: str, result: dict[str, Any], shape: type[T]) -> T:
    """Check a result.

    Args:
        method: What was asked, for the sentence.
        result: The result object as it came.
        shape: The Struct it must fit.

    Raises:
        RemoteProtocolError: It does not fit.
    """
    try:
        return msgspec.convert(result, shape)
    except msgspec.ValidationError as error:
        raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"The server's result of {method} has the wrong shape: {error}") from None


@dataclass(frozen=True, slots=True, repr=False)
class CallResult:
    """What a tool returned."""

    content: tuple[wire.Content, ...]
    """Everything, in order."""
    structured: Any = None
    """Structured content: any JSON value; None also when there is none."""
    is_error: bool = False
    """The tool failed; `text` says why."""
    meta: dict[str, Any] = field(default_factory=dict)
    """The result's `_meta`."""

    @classmethod
    def of(cls, result: dict[str, Any]) -> CallResult:
        """Read the result of `tools/call`.

        Raises:
            RemoteProtocolError: It has the wrong shape.
        """
        read = read_result("tools/call", result, wire.CallToolResult)
        structured = None if read.structured_content is UNSET else read.structured_content
        return cls(tuple(read.content), structured, read.is_error, read.meta or {})

    @property
    def text(self) -> str:
        """All text content, one below the other; empty when there is none."""
        return "\n".join(self._texts())

    @property
    def images(self) -> list[bytes]:
        """All images, decoded.

        Raises:
            RemoteProtocolError: One is not valid base64.
        """
        return [_decode_base64(item.data, "image") for item in self.content if isinstance(item, wire.ImageContent)]

    @property
    def links(self) -> list[wire.ResourceLink]:
        """Resources the tool points to; read them with `read_resource(link.uri)`."""
        return [item for item in self.content if isinstance(item, wire.ResourceLink)]

    def dataframe(self) -> pd.DataFrame:
        """The table in this result.

        Returns:
            The rows the result carries. Where they are only a part of the whole table, a UserWarning says so and
            `df.attrs` has `preview` (True) and `total_rows`.

        Raises:
            ValueError: There is no table in this result.
        """
        total = self.meta.get(META_ROWS)
        total = total if isinstance(total, int) else None
        blocks = [block for block in map(tables.find_csv, self._texts()) if block is not None]
        known = total if total is not None or not blocks else blocks[0].total_rows
        if (split := tables.split_table(self.structured)) is not None:
            return tables.from_split(split, known)
        if not blocks or self.is_error:
            raise ValueError("There is no table in this result: expected structured content with columns and data, or CSV text")
        return tables.from_csv(tables.CsvBlock(blocks[0].text, blocks[0].rows, known))

    def _texts(self) -> list[str]:
        return [item.text for item in self.content if isinstance(item, wire.TextContent)]

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= 500 else f"{self.text[:500]} … ({len(self.text):,} characters)"
        others = [type(item).__name__ for item in self.content if not isinstance(item, wire.TextContent)]
        return f"<CallResult{' (error)' if self.is_error else ''}{''.join(f' +{name}' for name in others)}: {shown}>"


@dataclass(frozen=True, slots=True, repr=False)
class ReadResult:
    """What reading a resource gave."""

    contents: tuple[wire.ResourceContents, ...]
    """Everything, in order: each has text or blob."""
    meta: dict[str, Any] = field(default_factory=dict)
    """The result's `_meta`."""

    @classmethod
    def of(cls, result: dict[str, Any]) -> ReadResult:
        """Read the result of `resources/read`.

        Raises:
            RemoteProtocolError: It has the wrong shape.
        """
        read = read_result("resources/read", result, wire.ReadResourceResult)
        return cls(tuple(read.contents), read.meta or {})

    @property
    def text(self) -> str:
        """All text contents, one below the other; empty when there is none."""
        return "\n".join(item.text for item in self.contents if item.text is not UNSET)

    @property
    def blob(self) -> bytes:
        """The first binary contents, decoded; empty when there are none.

        Raises:
            RemoteProtocolError: It is not valid base64.
        """
        return next((_decode_base64(item.blob, "blob") for item in self.contents if item.blob is not UNSET), b"")

    def json(self) -> Any:
        """The text read as JSON.

        Raises:
            ValueError: It is none.
        """
        return json.loads(self.text)

    def __repr__(self) -> str:
        uris = ", ".join(item.uri for item in self.contents[:3])
        return f"<ReadResult of {uris}: {len(self.text):,} characters, {len(self.contents)} contents>"


def _decode_base64(data: str, what: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, f"The server sent {what} data that is not valid base64") from None
