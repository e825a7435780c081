"""Images in results: bytes that are an image, and Pillow images, as MCP image content.

Pillow is not imported: who returns one of its images has imported it. A picture is shrunk until it fits a
message, and a line of text says so: models look at about 1.5 megapixels, whatever they are sent.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from mcp_workbench.primitives.wording import quote
from mcp_workbench.protocol.wire import Content, ImageContent, TextContent

MAX_PIXELS = 2_000_000
"""Pixels of a Pillow image that are sent."""
MAX_IMAGE_BYTES = 500_000
"""Encoded bytes of a Pillow image; base64 makes a third more of them, the message bound is 768 KiB."""
_SMALLEST_SIDE = 16

_PNG_MODES = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")


def image_mime_type(data: bytes) -> str | None:
    """PNG, JPEG, GIF or WebP by their first bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def image_from_bytes(data: bytes) -> ImageContent | None:
    """Image content of encoded bytes, as they are; None when they are no image."""
    mime_type = image_mime_type(data)
    return None if mime_type is None else ImageContent(data=base64.b64encode(data).decode(), mime_type=mime_type)


def is_pillow(kind: type) -> bool:
    """The type is Pillow's image, or made from it."""
    return any(base.__name__ == "Image" and base.__module__.startswith("PIL.") for base in kind.__mro__)


def images_from_pillow(image: Any) -> list[Content]:
    """Image content of a Pillow image, and a line of text when it had to be changed.

    Args:
        image: Any mode, any size; never changed.

    Returns:
        PNG where it fits `MAX_IMAGE_BYTES`, else JPEG, else smaller.
    """
    original = f"{image.width:,} x {image.height:,}"
    shown = _shrunk(image, MAX_PIXELS) if image.width * image.height > MAX_PIXELS else image
    data, mime_type = _encoded(shown)
    while len(data) > MAX_IMAGE_BYTES and min(shown.width, shown.height) > _SMALLEST_SIDE:
        shown = _shrunk(shown, shown.width * shown.height // 2)
        data, mime_type = _encoded(shown)
    content: list[Content] = [ImageContent(data=base64.b64encode(data).decode(), mime_type=mime_type)]
    if shown is not image:
        content.append(
            TextContent(text=f"The image was shrunk from {original} to {shown.width:,} x {shown.height:,} pixels to fit a message.")
        )
    return content


def _encoded(image: Any) -> tuple[bytes, str]:
    drawable = image if image.mode in _PNG_MODES else _as_rgb(image)
    png = _saved(drawable, "PNG", optimize=False)
    # JPEG has no transparency: only pictures without it may change their look this little.
    if len(png) <= MAX_IMAGE_BYTES or drawable.mode not in ("L", "RGB"):
        return png, "image/png"
    jpeg = _saved(drawable, "JPEG", quality=85)
    return (jpeg, "image/jpeg") if len(jpeg) < len(png) else (png, "image/png")


def _as_rgb(image: Any) -> Any:
    return _as_grey(image) if image.mode in ("F", "I", "I;16") else image.convert("RGB")


def _as_grey(image: Any) -> Any:
    """Numbers as grey: as they are where they look like 0 … 255, else from the least to the greatest."""
    low, high = image.getextrema()
    if low == high or (low >= 0 and 1 < high <= 255):
        return image.convert("L")
    scale = 255 / (high - low)
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _saved(image: Any, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def _shrunk(image: Any, pixels: int) -> Any:
    scale = (pixels / (image.width * image.height)) ** 0.5
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    # Palettes and 16-bit greys cannot be averaged.
    drawable = image if image.mode in ("L", "LA", "RGB", "RGBA") else _as_rgb(image)
    return drawable.resize(size)


def not_an_image(data: bytes) -> str:
    """The sentence for bytes that are no image."""
    return f"{len(data):,} bytes that begin with {quote(data[:8].hex(' '))} and are no PNG, JPEG, GIF or WebP"
