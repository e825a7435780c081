"""Secrets whose end says what they are: JSON web tokens, and users and passwords in URLs.

A pattern for them begins wherever they may begin, and runs to the end of the stretch each time to find that it is none, which takes
time in proportion to the square of it. So they are told by plain searches here: what one beginning has found out of a stretch holds
for the others in it. Neighbour: `secret_texts`, which has patterns for all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Hide = Callable[[str], str]
"""A secret -> what stands in its place."""

STRETCH = 32_768
"""Characters of a long text that are worked through at one go."""

_RUN = re.compile(r"[A-Za-z0-9_-]*+")
_REST = re.compile(r"\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+)*")
_LEAST_HEAD = len("eyJ") + 8

_SLASHES = re.compile(r":\\*+/\\*+/")
_USER = re.compile(r"[^\s/?#\"'<>@:]*+")
_FURTHER = re.compile(r"[^\s/?#\"'<>@]++@")
"""More of a password that has an @ in it."""
_END = re.compile(r"[\s\"'<>]")
_COLON = re.compile(r":(?![0-9a-f]{12}›)")
"""Between user and password; there is one in every mark too."""


def lowered(text: str) -> str:
    """A text in lower case, as long as before where every letter of it is; not at one go, which would hold the interpreter."""
    if len(text) <= STRETCH:
        return text.lower()
    return "".join(text[begin : begin + STRETCH].lower() for begin in range(0, len(text), STRETCH))


def hide_web_tokens(text: str, hide: Hide) -> str:
    """The text with JSON web tokens hidden: `eyJ….….…`."""
    done, begin, place = [], 0, text.find("eyJ")
    while place >= 0:
        dot = _RUN.match(text, place).end()  # type: ignore[union-attr]  # it may match nothing, but it matches
        rest = _REST.match(text, dot) if dot - place >= _LEAST_HEAD else None
        if rest is not None:
            done += [text[begin:place], hide(text[place : rest.end()])]
            begin = rest.end()
        place = text.find("eyJ", dot if rest is None else begin)
    return "".join((*done, text[begin:])) if done else text


def hide_user_infos(text: str, hide: Hide) -> str:
    """The text with users and passwords of URLs hidden: `://user:password@`, slashes escaped or not."""
    if "@" not in text:
        return text
    done, begin, spans = [], 0, _Spans(text)
    for slashes in _SLASHES.finditer(text):
        if slashes.start() < begin or (end := spans.user_info(slashes.end())) is None:
            continue
        info = text[slashes.end() : end]
        done += [text[begin : slashes.end()], ":".join(hide(part) if part else "" for part in _COLON.split(info, maxsplit=1))]
        begin = end
    return "".join((*done, text[begin:])) if done else text


class _Spans:
    """Where users and passwords end in a text; asked for places that go up."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._end = -1
        """The next @, and the end of the stretch: they hold for every place before them."""

    def user_info(self, start: int) -> int | None:
        """Where the @ is behind the user and the password that begin here; None: here are none."""
        at = self._next_at(start)
        user = _USER.match(self._text, start).end()  # type: ignore[union-attr]  # it may match nothing, but it matches
        if at > self._end or user == len(self._text) or at == start or (user != at and self._text[user] != ":"):
            return None
        if user != at and at > user + 1:  # a password: it may have a slash before its first @, and an @ before its last
            while (further := _FURTHER.match(self._text, at + 1)) is not None:
                at = further.end() - 1
        return at

    def _next_at(self, start: int) -> int:
        if self._at < start:
            at = self._text.find("@", start)
            self._at = len(self._text) + 1 if at < 0 else at
        if self._end < start:
            end = _END.search(self._text, start)
            self._end = len(self._text) if end is None else end.start()
        return self._at
