"""Images by their bytes, and Pillow images made to fit."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from mcp_workbench.primitives.images import MAX_IMAGE_BYTES, MAX_PIXELS, images_from_bytes, images_from_pillow, is_pillow
from mcp_workbench.protocol.wire import ImageContent, TextContent


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, format=form)
    return buffer.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 100).convert("RGB")


def opened(content: object) -> Image.Image:
    assert isinstance(content, ImageContent)
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_are_known_by_their_first_bytes(form: str) -> None:
    data = encoded(form)
    (content,) = images_from_bytes(data) or ()
    assert isinstance(content, ImageContent)
    assert content.mime_type == f"image/{form.lower()}"
    assert base64.b64decode(content.data) == data


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF1234WAVE", b"\x89PNG", b"BM", b"<svg/>"])
def test_other_bytes_are_no_image(data: bytes) -> None:
    assert images_from_bytes(data) is None


def test_pillow_images_are_known_by_their_type() -> None:
    class Mine(Image.Image):
        pass

    class Other:
        pass

    assert is_pillow(Image.Image)
    assert is_pillow(Mine)
    assert is_pillow(type(Image.open(io.BytesIO(encoded("PNG")))))
    assert not is_pillow(Other)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "F"])
def test_every_mode_becomes_an_image(mode: str) -> None:
    (content,) = images_from_pillow(Image.new(mode, (3, 2)))
    assert opened(content).size == (3, 2)


@pytest.mark.parametrize(
    ("values", "greys"), [((0.0, 1.0), (0, 255)), ((-5.0, 5.0), (0, 255)), ((10.0, 200.0), (10, 200)), ((3.0, 3.0), (3, 3))]
)
def test_numbers_become_greys_that_can_be_seen(values: tuple[float, float], greys: tuple[int, int]) -> None:
    image = Image.new("F", (2, 1))
    image.putpixel((0, 0), values[0])
    image.putpixel((1, 0), values[1])
    (content,) = images_from_pillow(image)
    shown = opened(content)
    assert (shown.getpixel((0, 0)), shown.getpixel((1, 0))) == greys


def test_a_picture_with_too_many_pixels_is_shrunk_and_says_so() -> None:
    original = Image.new("P", (4000, 1000))
    content, note = images_from_pillow(original)
    shown = opened(content)
    assert shown.width * shown.height <= MAX_PIXELS
    assert abs(shown.width / shown.height - 4) < 0.05
    assert isinstance(note, TextContent)
    assert note.text == f"The image was shrunk from 4,000 x 1,000 to {shown.width:,} x {shown.height:,} pixels to fit a message."
    assert original.size == (4000, 1000)


@pytest.mark.parametrize("mode", ["1", "LA", "I;16", "RGBA", "CMYK", "F"])
def test_every_mode_can_be_shrunk(mode: str) -> None:
    content, _ = images_from_pillow(Image.new(mode, (3000, 1000)))
    assert opened(content).width < 3000


def test_a_noisy_picture_is_sent_as_jpeg_or_smaller() -> None:
    (content,) = images_from_pillow(noise(600, 600))
    assert isinstance(content, ImageContent)
    assert content.mime_type == "image/jpeg"
    small, note = images_from_pillow(noise(1400, 1400).convert("RGBA"))
    assert isinstance(small, ImageContent)
    assert len(base64.b64decode(small.data)) <= MAX_IMAGE_BYTES
    assert isinstance(note, TextContent)


def test_a_very_long_picture_ends() -> None:
    content, _ = images_from_pillow(Image.new("L", (3_000_000, 1)))
    assert opened(content).height == 1
