"""Forms and sizes of encoded images from their first bytes, compared with what Pillow says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mcp_workbench.primitives.image_headers import image_mime_type, image_size

FORMS: list[tuple[str, dict[str, Any]]] = [
    ("PNG", {}),
    ("GIF", {}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "comment": b"\xff" * 300}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"lossless": False}),
    ("WEBP", {"lossless": False, "exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"}),
]


def encoded(form: str, width: int, height: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, format=form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("form", "options"), FORMS)
def test_form_and_size_are_what_was_encoded(form: str, options: dict[str, Any]) -> None:
    for width, height in ((1, 1), (3, 700), (1025, 2)):
        data = encoded(form, width, height, **options)
        assert image_mime_type(data) == f"image/{form.lower()}"
        assert image_size(data) == (width, height)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF1234WAVE", b"\x89PNG", b"BM", b"<svg/>"])
def test_other_bytes_are_no_image(data: bytes) -> None:
    assert image_mime_type(data) is None
    assert image_size(data) is None


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\nrest", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x04ab\x00", b"GIF89a", b"RIFF1234WEBPVP9 "]
)
def test_a_header_that_ends_too_soon_has_no_size(data: bytes) -> None:
    assert image_size(data) is None


@given(st.sampled_from(FORMS), st.integers(0, 200), st.binary(max_size=40))
def test_broken_headers_give_a_size_or_none_and_end(form: tuple[str, dict[str, Any]], at: int, other: bytes) -> None:
    data = encoded(form[0], 9, 7, **form[1])
    size = image_size(data[:at] + other)
    assert size is None or (min(size) > 0 and max(size) < 2**32)
