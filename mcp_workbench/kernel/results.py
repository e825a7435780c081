"""What a tool answered, shown in the cell: tables as DataFrames, images and sounds as such, everything else as text.

Only kinds of data that a front end draws without running anything become more than text; no markup comes from a result.
"""

from __future__ import annotations

import base64
import binascii
import sys
from typing import Any

from IPython.display import Audio, display
from msgspec import UNSET

from mcp_workbench.client import tables
from mcp_workbench.client.results import CallResult
from mcp_workbench.protocol import wire
from mcp_workbench.wording import plain

_IMAGES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
_SOUNDS = frozenset(("audio/wav", "audio/x-wav", "audio/mpeg", "audio/ogg", "audio/flac"))


def show_result(result: CallResult) -> None:
    """Show a result in the cell that runs, in its order."""
    for item in result.content:
        match item:
            case wire.TextContent():
                _show_text(item.text)
            case wire.ImageContent():
                _show_image(item)
            case wire.AudioContent():
                _show_sound(item)
            case wire.ResourceLink():
                say(f"link: {item.uri}{f' ({item.description})' if item.description else ''}")
            case wire.EmbeddedResource():
                _show_embedded(item.resource)


def say(text: str) -> None:
    """Print text that others wrote, line by line, its control characters as escapes."""
    sys.stdout.write("".join(f"{plain(line)}\n" for line in text.split("\n")))


def _show_text(text: str) -> None:
    block = tables.find_csv(text)
    if block is None or block.total_rows is None:
        say(text)
        return
    before, _, after = text.partition(block.text)
    say(before.rstrip())
    # Without the total: the line above says that it is a part, and pandas' warning would say so again.
    _display(tables.from_csv(tables.CsvBlock(block.text, block.rows, None)))
    if after.strip():
        say(after.strip())


def _show_image(image: wire.ImageContent) -> None:
    what = _described(image.mime_type, image.data)
    if image.mime_type in _IMAGES:
        _display({image.mime_type: image.data, "text/plain": what}, raw=True)
    else:
        say(f"{what}: not a kind that is shown here")


def _show_sound(sound: wire.AudioContent) -> None:
    if sound.mime_type in _SOUNDS:
        try:
            _display(Audio(data=base64.b64decode(sound.data, validate=True)))  # type: ignore[no-untyped-call]  # IPython's
        except binascii.Error:
            say(f"{_described(sound.mime_type, sound.data)}: not valid base64")
    else:
        say(f"{_described(sound.mime_type, sound.data)}: not a kind that is played here")


def _show_embedded(resource: wire.ResourceContents) -> None:
    say(f"{resource.uri}:")
    say(resource.text if resource.text is not UNSET else _described(resource.mime_type or "data", resource.blob or ""))


def _described(kind: str, data: str) -> str:
    return f"{kind}, {len(data) * 3 // 4 - data[-2:].count('='):,} bytes"


def _display(value: Any, **options: Any) -> None:
    display(value, **options)  # type: ignore[no-untyped-call]  # IPython's
