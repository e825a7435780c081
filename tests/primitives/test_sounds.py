"""Sounds by their first bytes, and what becomes of long ones."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import pytest

from mcp_workbench.primitives.sounds import audio_mime_type, sounds_from_bytes
from mcp_workbench.protocol.wire import AudioContent, Content, ResourceLink, TextContent
from tests.support.shelf import Shelf


def wav(frames: int = 8) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"\x00\x01" * frames)
    return buffer.getvalue()


def sent(data: bytes, **options: Any) -> list[Content]:
    content = sounds_from_bytes(data, **options)
    assert content
    return content


def test_a_wav_is_audio_as_it_is() -> None:
    data = wav()
    (content,) = sent(data)
    assert isinstance(content, AudioContent)
    assert (content.mime_type, base64.b64decode(content.data)) == ("audio/wav", data)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (b"OggS\x00", "audio/ogg"),
        (b"fLaC\x00", "audio/flac"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf3\x90", "audio/mpeg"),
        (b"\xff\xd8\xff\xe0", None),
        (b"RIFF1234WEBP", None),
        (b"\xff\xfe<\x00", None),
        (b"", None),
    ],
)
def test_forms_are_known_by_their_first_bytes(data: bytes, mime_type: str | None) -> None:
    assert audio_mime_type(data) == mime_type
    assert (sounds_from_bytes(data) is None) == (mime_type is None)


def test_a_long_sound_is_kept_and_linked() -> None:
    shelf = Shelf()
    data = wav(600)
    line, link = sent(data, max_bytes=1_000, keep=shelf.for_one)
    assert line == TextContent(text="A sound of 1 kB (audio/wav) is not sent: too large for a message. In full: result://_r1")
    assert isinstance(link, ResourceLink)
    assert shelf.only == (data, "audio/wav")


def test_where_nothing_is_kept_the_line_says_what_to_do() -> None:
    (line,) = sent(wav(600), max_bytes=1_000)
    assert isinstance(line, TextContent)
    assert line.text.endswith("too large for a message. Have the tool return a shorter one.")
