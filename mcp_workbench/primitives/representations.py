"""Objects that know how notebooks show them (`_repr_png_`, `_repr_mimebundle_` …), as content for models.

The first form an object has is taken, in the order of `_FORMS`: a picture, then Markdown, plain text, JSON, LaTeX, a drawing,
and HTML last. HTML is never sent, only the words in it (`html_words`); SVG is sent as the text of a resource, for programs.
The methods are asked of the type, as Python does with its own special methods: an object may answer every name.
They are the author's code, and run where tools run. A method that raises counts as one that has nothing to show; when
none has, the first exception is told.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mcp_workbench.errors import ToolError
from mcp_workbench.primitives.html_words import words_of_html
from mcp_workbench.primitives.images import images_from_bytes
from mcp_workbench.primitives.jsonable import to_jsonable
from mcp_workbench.primitives.rendered import RenderRequest, text_content
from mcp_workbench.primitives.sounds import sounds_from_bytes
from mcp_workbench.primitives.wording import a_type, shorten
from mcp_workbench.protocol.wire import Content, EmbeddedResource, ResourceContents, TextContent

_METHODS = {
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/markdown": "_repr_markdown_",
    "application/json": "_repr_json_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "text/html": "_repr_html_",
}
_BUNDLE = "_repr_mimebundle_"
_NAMES = (_BUNDLE, *_METHODS.values())
_FORMS = (
    *("image/png", "image/jpeg", "image/webp", "image/gif"),
    *("text/markdown", "text/plain", "application/json", "text/latex", "image/svg+xml", "text/html"),
)


def has_representation(kind: type) -> bool:
    """The type says how a notebook shows its objects."""
    return any(callable(getattr(kind, name, None)) for name in _NAMES)


def is_ipython_audio(kind: type) -> bool:
    """The type is `IPython.display.Audio`."""
    return any(base.__name__ == "Audio" and base.__module__ == "IPython.lib.display" for base in kind.__mro__)


def content_of_ipython_audio(audio: Any, request: RenderRequest) -> list[Content]:
    """What `IPython.display.Audio` holds: its sound, or the address of it."""
    if isinstance(audio.data, bytes):
        sounds = sounds_from_bytes(audio.data, max_bytes=request.media_bytes, keep=request.keep)
        if sounds is not None:
            return sounds
    if isinstance(audio.url, str):
        return text_content(to_unicode(f"A sound at {audio.url}"), request)
    raise ToolError("The result is a sound that is no WAV, MP3, OGG or FLAC; return the bytes of one of these.")


def content_of_representation(value: object, request: RenderRequest) -> list[Content] | None:
    """Show an object as it shows itself.

    Args:
        value: An object of a type that `has_representation`.
        request: How many characters, and who keeps what is longer.

    Returns:
        The content; None when none of its methods has anything to show.

    Raises:
        ToolError: Its methods raised; names the first exception.
    """
    asked = _Asked(value)
    for mime_type in _FORMS:
        shown = asked.form(mime_type)
        if shown is not None and (content := _content(mime_type, shown, asked, request)) is not None:
            return content
    if asked.failure is not None:
        reason = shorten(f"{type(asked.failure).__name__}: {asked.failure}".replace("\n", " "), 300)
        raise ToolError(
            f"The result, {a_type(type(value))}, could not show itself: {reason}. Return its parts or a text."
        ) from asked.failure
    return None


class _Asked:
    """What an object answered so far; each method is called at most once."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self.failure: Exception | None = None
        bundle = self._called(_BUNDLE, lambda method: method(value, include=None, exclude=None))
        self._bundle: Mapping[str, object] = bundle if isinstance(bundle, Mapping) else {}

    def form(self, mime_type: str) -> object:
        if (shown := self._bundle.get(mime_type)) is not None:
            return shown
        return self._called(_METHODS[mime_type], lambda method: method(self._value)) if mime_type in _METHODS else None

    @property
    def has_html(self) -> bool:
        return "text/html" in self._bundle or callable(getattr(type(self._value), "_repr_html_", None))

    def _called(self, name: str, call: Callable[[Any], object]) -> object:
        method = getattr(type(self._value), name, None)
        if not callable(method):
            return None
        try:
            shown = call(method)
        except Exception as error:  # noqa: BLE001  # the author's code; told when nothing else shows the object
            self.failure = self.failure or error
            return None
        # IPython's protocol: the data alone, or with its metadata.
        return shown[0] if isinstance(shown, tuple) and shown else shown


def _content(mime_type: str, shown: object, asked: _Asked, request: RenderRequest) -> list[Content] | None:
    """Content of one form; None when what came is not what its name says."""
    if mime_type == "application/json":
        return text_content(msgspec.json.encode(to_jsonable(shown)).decode(), request, mime_type)
    if mime_type == "image/svg+xml":
        return _svg(shown, request) if isinstance(shown, str) else None
    if mime_type.startswith("image/"):
        data = _decoded(shown)
        return None if data is None else images_from_bytes(data, max_bytes=request.media_bytes, keep=request.keep)
    if not isinstance(shown, str) or not shown:
        return None
    if mime_type == "text/html":
        words = words_of_html(shown)
        return text_content(words, request) if words else None  # a frame, a script: nothing a model can read
    if mime_type == "text/plain" and shown.startswith("<") and asked.has_html:
        return None  # `<mine.Table object at 0x…>`, where there is more to say
    return text_content(to_unicode(shown), request, mime_type)


def _decoded(shown: object) -> bytes | None:
    if isinstance(shown, bytes | bytearray | memoryview):
        return bytes(shown)
    try:
        return base64.b64decode(shown) if isinstance(shown, str) else None
    except binascii.Error:
        return None


def to_unicode(text: str) -> str:
    """A plain str without lone surrogates, which no JSON can carry."""
    plain = to_jsonable(text)
    return plain if isinstance(plain, str) else ""


def _svg(text: str, request: RenderRequest) -> list[Content]:
    text = to_unicode(text)
    link = request.keep(text, "image/svg+xml", "an SVG drawing, as text")
    if len(text) <= request.max_chars:
        uri = f"result://{request.tool}.svg" if link is None else link.uri
        return [EmbeddedResource(resource=ResourceContents(uri=uri, mime_type="image/svg+xml", text=text))]
    if link is None:
        return [TextContent(text=f"An SVG drawing of {len(text):,} characters is not shown. Have the tool return a PNG.")]
    return [TextContent(text=f"An SVG drawing of {len(text):,} characters: {request.where(link)}"), link]
