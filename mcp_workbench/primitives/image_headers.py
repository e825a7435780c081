"""What the first bytes of an encoded image say: its form and its size, without decoding it.

A picture of a few kilobytes may be a hundred million pixels large, which no model takes and a host may refuse the whole
conversation for. Where a size cannot be found it is unknown, never guessed. Pure arithmetic; making an image smaller is
in `images`.
"""

from __future__ import annotations

_FRAMES = frozenset((*range(0xC0, 0xD0),)) - {0xC4, 0xC8, 0xCC}
"""JPEG's markers of a frame, whose header holds the size; the three are tables."""
_BARE = frozenset((0x01, 0xFF, *range(0xD0, 0xDA)))
"""JPEG's markers that no length follows."""


def image_mime_type(data: bytes) -> str | None:
    """PNG, JPEG, GIF or WebP by their first bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, GIF or WebP; None where its header does not say."""
    size: tuple[int, int] | None = None
    match image_mime_type(data):
        case "image/png" if data[12:16] == b"IHDR":
            size = png_size(data)
        case "image/gif":
            size = _little(data[6:8]), _little(data[8:10])
        case "image/webp":
            size = _webp_size(data)
        case "image/jpeg":
            size = _jpeg_size(data)
    return size if size is not None and min(size) > 0 else None


def has_picture(data: bytes) -> bool:
    """The bytes are an image whose header gives it a width and a height, and a PNG has pixels too; what they are is not decoded."""
    return image_size(data) is not None and (image_mime_type(data) != "image/png" or b"IDAT" in data)


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _webp_size(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8X":
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
        case b"VP8L":
            bits = _little(data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 1 if marker == 0xFF else 2 if marker in _BARE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
