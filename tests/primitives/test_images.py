"""Images by their bytes, and Pillow images made to fit."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

import pytest
from PIL import Image

from mcp_workbench.primitives.images import (
    MAX_CONVERTED_PIXELS,
    MAX_IMAGE_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    images_from_bytes,
    images_from_pillow,
    is_pillow,
)
from mcp_workbench.protocol.wire import Content, ImageContent, ResourceLink, TextContent
from tests.support.shelf import Shelf


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, format=form)
    return buffer.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 100).convert("RGB")


def opened(content: object) -> Image.Image:
    assert isinstance(content, ImageContent)
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


def sent(data: bytes, **options: Any) -> list[Content]:
    content = images_from_bytes(data, **options)
    assert content
    return content


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_are_known_by_their_first_bytes(form: str) -> None:
    data = encoded(form)
    (content,) = sent(data)
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


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16", "I", "F"])
def test_a_large_picture_is_made_smaller_before_its_colours_are_converted(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[int] = []
    convert = Image.Image.convert

    def counted(self: Image.Image, *arguments: Any, **options: Any) -> Image.Image:
        converted.append(self.width * self.height)
        return convert(self, *arguments, **options)

    original = Image.new(mode, (5_000, 4_000))
    monkeypatch.setattr(Image.Image, "convert", counted)
    content, note = images_from_pillow(original)
    assert MAX_PIXELS < max(converted) <= 4 * MAX_PIXELS
    assert max(converted) < MAX_CONVERTED_PIXELS < 20_000_000
    assert opened(content).width / opened(content).height == pytest.approx(1.25, rel=0.01)
    assert isinstance(note, TextContent)


def test_a_large_drawing_in_black_and_white_is_still_averaged() -> None:
    drawing = Image.new("1", (5_000, 4_000))
    drawing.paste(1, (0, 0, 2_501, 4_000))
    content, _ = images_from_pillow(drawing)
    shown = opened(content)
    assert (shown.getpixel((10, 10)), shown.getpixel((shown.width - 10, 10))) == ((255, 255, 255), (0, 0, 0))


@pytest.mark.parametrize("size", [(0, 0), (3, 0), (0, 3)])
def test_an_image_without_pixels_is_a_sentence(size: tuple[int, int]) -> None:
    (line,) = images_from_pillow(Image.new("RGB", size))
    assert line == TextContent(text=f"The image is {size[0]} x {size[1]} pixels large: there is nothing to see.")


def test_an_encoded_image_without_pixels_is_none() -> None:
    data = png(Image.new("L", (3, 3)))
    assert sent(data)
    assert images_from_bytes(data[:16] + bytes(8) + data[24:]) is None
    assert images_from_bytes(data[:33]) is None
    assert images_from_bytes(b"GIF89a" + bytes(20)) is None


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


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def test_an_encoded_image_of_too_many_bytes_is_sent_smaller_and_kept_whole() -> None:
    shelf = Shelf()
    data = png(noise(300, 300))
    image, line, link = sent(data, max_bytes=20_000, keep=shelf.for_one)
    assert isinstance(image, ImageContent)
    assert len(base64.b64decode(image.data)) <= 20_000
    assert isinstance(line, TextContent)
    assert line.text.startswith(f"The image of 300 x 300 pixels, {len(data) / 1000:.0f} kB, was sent as ")
    assert line.text.endswith(" pixels to fit a message. In full: result://_r1")
    assert isinstance(link, ResourceLink)
    assert shelf.only == (data, "image/png")


@pytest.mark.parametrize("size", [(2_500, 1_000), (8_100, 100)])
def test_few_bytes_of_too_many_pixels_are_sent_smaller(size: tuple[int, int]) -> None:
    shelf = Shelf()
    data = png(Image.new("L", size))
    image, line, _ = sent(data, keep=shelf.for_one)
    shown = opened(image)
    assert shown.width * shown.height <= MAX_PIXELS
    assert max(shown.size) <= MAX_SIDE
    assert abs(shown.width / shown.height - size[0] / size[1]) < 0.05 * size[0] / size[1]
    assert isinstance(line, TextContent)
    assert shelf.only == (data, "image/png")


def test_a_photo_is_turned_as_its_metadata_says() -> None:
    upright = Image.new("RGB", (60, 20))
    exif = upright.getexif()
    exif[274] = 6  # turned by a quarter
    buffer = io.BytesIO()
    upright.save(buffer, format="JPEG", exif=exif, quality=100)
    image, *_ = sent(buffer.getvalue(), max_bytes=1)
    assert opened(image).width < opened(image).height


def test_of_an_animation_the_first_picture_is_sent_and_the_line_says_so() -> None:
    buffer = io.BytesIO()
    noise(200, 200).save(buffer, format="GIF", save_all=True, append_images=[noise(200, 200)])
    image, line = sent(buffer.getvalue(), max_bytes=5_000)
    assert isinstance(image, ImageContent)
    assert isinstance(line, TextContent)
    assert line.text.endswith("to fit a message, the first picture where it is an animation.")


def test_without_pillow_what_does_not_fit_is_its_link(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(Image.new("L", (30, 40))).ljust(2_000, b"\0")
    monkeypatch.setitem(sys.modules, "PIL", None)
    shelf = Shelf()
    line, link = sent(data, max_bytes=1_000, keep=shelf.for_one)
    assert line == TextContent(text="An image of 30 x 40 pixels, 2 kB, is not shown: too large for a message. In full: result://_r1")
    assert isinstance(link, ResourceLink)
    (alone,) = sent(data, max_bytes=1_000)
    assert alone == TextContent(
        text="An image of 30 x 40 pixels, 2 kB, is not shown: too large for a message. Have the tool return a smaller one."
    )


@pytest.mark.parametrize("data", [png(Image.new("L", (3, 3)))[:33] + b"IDAT" + b"broken" * 300, png(Image.new("L", (9_000, 9_000)))])
def test_what_cannot_be_made_smaller_is_its_link(data: bytes) -> None:
    line, link = sent(data, max_bytes=1_000, keep=Shelf().for_one)
    assert isinstance(line, TextContent)
    assert "is not shown: too large for a message. In full: result://_r1" in line.text
    assert isinstance(link, ResourceLink)


def test_a_shrunk_pillow_image_is_kept_in_full_up_to_a_size() -> None:
    shelf = Shelf()
    _, line, link = images_from_pillow(Image.new("L", (2_000, 1_500)), keep=shelf.for_one)
    assert isinstance(line, TextContent)
    assert line.text.endswith("pixels to fit a message. In full: result://_r1")
    assert isinstance(link, ResourceLink)
    data, mime_type = shelf.only
    assert isinstance(data, bytes)
    assert (Image.open(io.BytesIO(data)).size, mime_type) == ((2_000, 1_500), "image/png")
    assert len(images_from_pillow(Image.new("1", (5_000, 4_000)), keep=shelf.for_one)) == 2
