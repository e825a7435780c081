"""Sound in results: bytes that are audio, as MCP audio content."""

from __future__ import annotations

import base64

from mcp_workbench.primitives.keeping import MAX_MEDIA_BYTES, Keep, keep_nothing, size_text
from mcp_workbench.protocol.wire import AudioContent, Content, TextContent

_LAYER_3 = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2")
"""How a frame of MPEG 1, 2 and 2.5, layer III begins, with and without checksum."""


def audio_mime_type(data: bytes) -> str | None:
    """WAV, MP3, OGG or FLAC by their first bytes; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data.startswith(b"OggS"):
        return "audio/ogg"
    if data.startswith(b"fLaC"):
        return "audio/flac"
    return "audio/mpeg" if data.startswith((b"ID3", *_LAYER_3)) else None


def sounds_from_bytes(data: bytes, *, max_bytes: int = MAX_MEDIA_BYTES, keep: Keep = keep_nothing) -> list[Content] | None:
    """Audio content of encoded bytes; a sentence and a link when they are too many.

    Args:
        data: Any bytes.
        max_bytes: Bytes that are sent; default 500,000.
        keep: Keeps what is not sent.

    Returns:
        The content; None when the bytes are no audio.
    """
    mime_type = audio_mime_type(data)
    if mime_type is None:
        return None
    if len(data) <= max_bytes:
        return [AudioContent(data=base64.b64encode(data).decode(), mime_type=mime_type)]
    link = keep(data, mime_type, f"the sound, {size_text(len(data))}")
    advice = "Have the tool return a shorter one." if link is None else f"In full: {link.uri}"
    line = TextContent(text=f"A sound of {size_text(len(data))} ({mime_type}) is not sent: too large for a message. {advice}")
    return [line] if link is None else [line, link]
