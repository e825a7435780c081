"""Secrets that stand beside their names without a sign between: `--token V`, `("pw", "V")`, `<pw>V</pw>`, `IDENTIFIED BY 'V'`.

First what comes before a value is looked at, which is short; the value is only where that names a secret. So it takes time in
proportion to the text. Neighbour: `secret_texts`, for names that a sign parts from their values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from mcp_workbench.exploring.recording.secret_runs import Hide, lowered

HINTS = ("identified", "-u ", '-u"', "-u\\", "--user")
"""In lower case one of these is in every text of JSON that has one of these shapes by another word than a secret's name."""

_OPTION = re.compile(r"--([A-Za-z][\w\-]{0,60})\s{1,4}(?!-)")
_PAIR = re.compile(r"[(\[]\s{0,4}(?:\\{0,8}[\"'])([\w.\- ]{1,60})(?:\\{0,8}[\"'])\s{0,4},\s{0,4}(?=\\{0,8}[\"'])")
_ELEMENT = re.compile(r"<([A-Za-z_][\w:.\-]{0,60})(?:\s[^<>]{0,200})?>(?=[^<])")
_IDENTIFIED = re.compile(r"identified\s{1,8}by\s{1,8}(?:password\s{1,8}|values\s{1,8})?(?=\\{0,8}[\"'])", re.IGNORECASE)
_PASSWORD = re.compile(
    r"passw(?:or)?d(?:\s{1,8}for\s{1,8}[^=;\r\n]{1,200}=\s{0,8}(?:password\s{0,8}\(\s{0,8})?|\s{1,8})(?=\\{0,8}[\"'])", re.IGNORECASE
)
"""`ALTER ROLE bob PASSWORD 'V'`, `SET PASSWORD FOR bob = 'V'`."""
_USER = re.compile(r"(?<![\w\-])(?:-u|--user)(?:[\"']\s{0,4},)?\s{1,4}[\"']?[^\s:\"'@/‹]{1,80}:(?=[^\s\"'/‹])", re.IGNORECASE)
_PHRASE = re.compile(r"(?:passphrase|mnemonic)[\w.\-]{0,40}\s{0,8}(?:=>|:=|->|:)[ \t]{0,8}+(?![\"'\[{\\|>])", re.IGNORECASE)

_QUOTED = re.compile(r"(\\{0,8}[\"'])((?:(?!\1)(?:\\.|.)){0,65536})(?:\1|\Z)?", re.DOTALL)
_WORD = re.compile(r"[^\s\"']++")
_CLOSED = re.compile(r"\s{0,4}[)\]]")
_CONTENT = re.compile(r"[^<]++(?=</)")
_LINE = re.compile(r"[^\r\n\"'<>]++")


class SecretShapes:
    """Finds them.

    Args:
        is_secret: Whether a name says that what stands beside it is one.
    """

    def __init__(self, is_secret: Callable[[str], bool]) -> None:
        self._is_secret = is_secret

    def hide_in(self, text: str, hide: Hide) -> str:
        """The text with the values hidden."""
        lower = lowered(text)
        if "passphrase" in lower or "mnemonic" in lower:
            text = _each(text, _PHRASE.finditer(text), self._line, hide)
        if "identified" in lower:
            text = _each(text, _IDENTIFIED.finditer(text), _quoted, hide)
        if "passw" in lower:
            text = _each(text, _PASSWORD.finditer(text), _quoted, hide)
        if "-u" in lower:
            text = _each(text, _USER.finditer(text), _word, hide)
        if "--" in text:
            text = _each(text, _OPTION.finditer(text), self._option, hide)
        if "(" in text or "[" in text:
            text = _each(text, _PAIR.finditer(text), self._pair, hide)
        return _each(text, _ELEMENT.finditer(text), self._element, hide) if "</" in text else text

    def _line(self, text: str, found: re.Match[str]) -> tuple[int, int] | None:
        value = _LINE.match(text, found.end())
        return None if value is None or not value[0].strip() else (value.start(), value.start() + len(value[0].rstrip()))

    def _option(self, text: str, found: re.Match[str]) -> tuple[int, int] | None:
        if not self._is_secret(found[1]):
            return None
        return _quoted(text, found) or _word(text, found)

    def _pair(self, text: str, found: re.Match[str]) -> tuple[int, int] | None:
        if not self._is_secret(found[1]) or (value := _QUOTED.match(text, found.end())) is None:
            return None
        return value.span(2) if _CLOSED.match(text, value.end()) and value[2] else None

    def _element(self, text: str, found: re.Match[str]) -> tuple[int, int] | None:
        if not self._is_secret(found[1]):
            return None
        value = _CONTENT.match(text, found.end())
        return None if value is None or not value[0].strip() else value.span()


_Span = Callable[[str, re.Match[str]], tuple[int, int] | None]
"""Given a text and what was found in it, where the value is; None: it is none."""


def _each(text: str, found: Iterable[re.Match[str]], span_of: _Span, hide: Hide) -> str:
    done, begin = [], 0
    for each in found:
        if each.start() >= begin and (span := span_of(text, each)) is not None:
            done += [text[begin : span[0]], hide(text[span[0] : span[1]])]
            begin = span[1]
    return "".join((*done, text[begin:])) if done else text


def _quoted(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    value = _QUOTED.match(text, found.end())
    return value.span(2) if value is not None and value[2] else None


def _word(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    value = _WORD.match(text, found.end())
    return None if value is None else value.span()
