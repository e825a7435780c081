"""Images in results: bytes that are an image, and Pillow images, as MCP image content within bounds of pixels and bytes.

Who returns one of Pillow's images has imported it; it is imported here only to make encoded images smaller that
would not fit, and where it is missing a sentence and a link take their place. A picture is shrunk until it fits a
message, and a line of text says so: models look at about 1.5 megapixels, whatever they are sent.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from mcp_workbench.primitives.image_headers import has_picture, image_mime_type, image_size
from mcp_workbench.primitives.image_headers import png_size as png_size
from mcp_workbench.primitives.keeping import MAX_MEDIA_BYTES, Keep, keep_nothing, size_text
from mcp_workbench.primitives.wording import quote
from mcp_workbench.protocol.wire import Content, ImageContent, TextContent

MAX_PIXELS = 2_000_000
"""Pixels of an image that are sent."""
MAX_SIDE = 8_000
"""Pixels of its longer side; Anthropic's API refuses more, and with them the request."""
MAX_IMAGE_BYTES = MAX_MEDIA_BYTES
"""Encoded bytes of an image that are sent."""
MAX_KEPT_PIXELS = 16_000_000
"""Pixels of a picture that is kept in full behind a link: encoding more takes seconds."""
MAX_DECODED_PIXELS = 64_000_000
"""Pixels of an encoded image that is decoded to make it smaller: four bytes of memory each."""
MAX_CONVERTED_PIXELS = 16_000_000
"""Pixels of a Pillow image whose colours are converted before it is made smaller: four bytes of memory each, and more on the way."""
_SMALLEST_SIDE = 16

_MAY_MOVE = ("image/gif", "image/webp")
_AVERAGED = ("L", "RGB")
"""Modes that Pillow makes smaller as they are."""
_PNG_MODES = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")


def image_content(data: bytes, mime_type: str = "image/png") -> ImageContent:
    """Image content of encoded bytes."""
    return ImageContent(data=base64.b64encode(data).decode(), mime_type=mime_type)


def images_from_bytes(data: bytes, *, max_bytes: int = MAX_IMAGE_BYTES, keep: Keep = keep_nothing) -> list[Content] | None:
    """Image content of encoded bytes: as they are where they fit, else smaller where Pillow is installed, else their link.

    Too many pixels are too much as well: 2 million, or a side of 8,000.

    Args:
        data: Any bytes.
        max_bytes: Bytes of the image that is sent; default 500,000.
        keep: Keeps the whole when less is sent.

    Returns:
        The image, a line of text and a link when it is not the whole; None when the bytes are no image, or one without pixels.
    """
    mime_type, size = image_mime_type(data), image_size(data)
    if mime_type is None or size is None or not has_picture(data):
        return None
    if len(data) <= max_bytes and _fits(*size, MAX_PIXELS):
        return [image_content(data, mime_type)]
    of = f"{_pixels(*size)} pixels, {size_text(len(data))},"
    link = keep(data, mime_type, f"the image as it was returned, {of.rstrip(',')}")
    whole = "" if link is None else f" In full: {link.uri}"
    smaller = smaller_image(data, max_bytes=max_bytes)
    if smaller is None:
        advice = whole or " Have the tool return a smaller one."
        content: list[Content] = [TextContent(text=f"An image of {of} is not shown: too large for a message.{advice}")]
    else:
        image, shown = smaller
        moving = ", the first picture where it is an animation" if mime_type in _MAY_MOVE else ""
        content = [image, TextContent(text=f"The image of {of} was sent as {shown} pixels to fit a message{moving}.{whole}")]
    return content if link is None else [*content, link]


def smaller_image(data: bytes, *, max_bytes: int = MAX_IMAGE_BYTES, max_pixels: int = MAX_PIXELS) -> tuple[ImageContent, str] | None:
    """Make an encoded image fit.

    Args:
        data: A PNG, JPEG, GIF or WebP; of an animation the first picture is taken.
        max_bytes: Bytes of the result.
        max_pixels: Pixels of the result.

    Returns:
        The image and its size as `640 x 480`; None where Pillow is not installed, cannot read it, or would take hundreds of megabytes to.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return None
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_DECODED_PIXELS:
                return None
            # A photo may say in its metadata, which goes, that it is to be turned.
            shown, encoded, mime_type = _fitted(ImageOps.exif_transpose(image), max_pixels, max_bytes)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None  # broken or outlandish: whoever reads the whole finds out more
    return image_content(encoded, mime_type), _pixels(shown.width, shown.height)


def is_pillow(kind: type) -> bool:
    """The type is Pillow's image, or made from it."""
    return any(base.__name__ == "Image" and base.__module__.startswith("PIL.") for base in kind.__mro__)


def images_from_pillow(image: Any, *, max_bytes: int = MAX_IMAGE_BYTES, keep: Keep = keep_nothing) -> list[Content]:
    """Image content of a Pillow image, and a line of text when it had to be changed.

    Args:
        image: Any mode, any size; never changed.
        max_bytes: Encoded bytes; default 500,000.
        keep: Keeps the whole, up to 16 million pixels, when a smaller one is sent.

    Returns:
        PNG where it fits `max_bytes`, else JPEG, else smaller with a line of text, and a link where the whole is kept. An
        image without pixels is a line of text.
    """
    if not image.width or not image.height:
        return [TextContent(text=f"The image is {_pixels(image.width, image.height)} pixels large: there is nothing to see.")]
    shown, data, mime_type = _fitted(image, MAX_PIXELS, max_bytes)
    content: list[Content] = [image_content(data, mime_type)]
    if shown is image:
        return content
    original = _pixels(image.width, image.height)
    can_be_kept = keep is not keep_nothing and image.width * image.height <= MAX_KEPT_PIXELS
    link = keep(_png(image), "image/png", f"the image in full, {original} pixels") if can_be_kept else None
    whole = "" if link is None else f" In full: {link.uri}"
    line = TextContent(text=f"The image was shrunk from {original} to {_pixels(shown.width, shown.height)} pixels to fit a message.{whole}")
    return [*content, line] if link is None else [*content, line, link]


def _fits(width: int, height: int, max_pixels: int) -> bool:
    return width * height <= max_pixels and max(width, height) <= MAX_SIDE


def _pixels(width: int, height: int) -> str:
    return f"{width:,} x {height:,}"


def _fitted(image: Any, max_pixels: int, max_bytes: int) -> tuple[Any, bytes, str]:
    """The image itself or a smaller one, encoded within the bounds."""
    shown = image if _fits(image.width, image.height, max_pixels) else _shrunk(image, max_pixels)
    data, mime_type = _encoded(shown, max_bytes)
    while len(data) > max_bytes and min(shown.width, shown.height) > _SMALLEST_SIDE:
        shown = _shrunk(shown, shown.width * shown.height // 2)
        data, mime_type = _encoded(shown, max_bytes)
    return shown, data, mime_type


def _png(image: Any) -> bytes:
    return _saved(image if image.mode in _PNG_MODES else _as_rgb(image), "PNG", optimize=False)


def _encoded(image: Any, max_bytes: int) -> tuple[bytes, str]:
    drawable = image if image.mode in _PNG_MODES else _as_rgb(image)
    png = _saved(drawable, "PNG", optimize=False)
    # JPEG has no transparency: only pictures without it may change their look this little.
    if len(png) <= max_bytes or drawable.mode not in ("L", "RGB"):
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
    scale = min((pixels / (image.width * image.height)) ** 0.5, MAX_SIDE / max(image.width, image.height))
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    # Palettes and 16-bit greys cannot be averaged, and Pillow converts what is transparent, too, before it averages.
    drawable = image if image.mode in _AVERAGED else _thinned(image, size)
    return (drawable if drawable.mode in ("L", "LA", "RGB", "RGBA") else _as_rgb(drawable)).resize(size)


def _thinned(image: Any, size: tuple[int, int]) -> Any:
    """The image, or of one that is too large to be converted every so many pixels: twice the size that is wanted."""
    if image.width * image.height <= MAX_CONVERTED_PIXELS:
        return image
    return image.resize((min(image.width, 2 * size[0]), min(image.height, 2 * size[1])), 0)  # 0: Pillow's NEAREST


def not_an_image(data: bytes) -> str:
    """The sentence for bytes that are no image."""
    return f"{len(data):,} bytes that begin with {quote(data[:8].hex(' '))} and are no whole PNG, JPEG, GIF or WebP"
