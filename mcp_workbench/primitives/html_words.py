"""The words of an HTML text: what a browser would show of it, without anything that is HTML.

A reader of one pass: every step begins where the last one ended and searches forward only, so that no text, however
broken, takes longer than its length. What is not closed (a comment, a tag, a script) reaches to the end, as in a browser.
The standard library's parser is not used because it looks again, from every tag that is not closed, for its end.
Who shows objects that have HTML is `representations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from mcp_workbench.primitives.jsonable import to_jsonable

MAX_HTML_CHARS = 2_000_000
"""Characters of HTML that are read; what is more is counted in a last line."""

_UNSEEN = frozenset(("script", "style", "head", "template", "noscript"))
_LINES = frozenset(
    (
        *("address", "article", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary"),
        *("table", "tr", "ul"),
    )
)
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"\s+")
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_STOP = re.compile(r""">|=\s*["']""")
_COMMENT_END = re.compile("--!?>")
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style")}
"""Where nothing but its own end tag is a tag."""
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
# Python refuses numbers of thousands of digits; no character has more than seven.
_NO_CHARACTER = re.compile("&#[xX]?[0-9a-fA-F]{10,};?")


def words_of_html(html: str) -> str:
    """The words of an HTML text, one line for each paragraph or row of a table; no script and no style is among them.

    Args:
        html: Any text; of one longer than `MAX_HTML_CHARS` the beginning is read, and a last line says so.

    Returns:
        The words; nothing where there are none to read.
    """
    reader = _Reader(_to_unicode(html))
    lines = [*_collapsed("".join(reader.parts).splitlines())]
    if len(html) > MAX_HTML_CHARS:
        lines.append(f"[Of {len(html):,} characters of HTML the first {MAX_HTML_CHARS:,} were read. Have the tool return a part.]")
    return "\n".join(lines)


def _to_unicode(html: str) -> str:
    text = to_jsonable(str.__getitem__(html, slice(MAX_HTML_CHARS)))
    return text if isinstance(text, str) else ""


def _collapsed(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if shown := " ".join(line.split()).removeprefix("| ").strip(" |"):
            yield shown


class _Reader:
    """Reads a text once, and collects the words, with line breaks where a browser would have them and bars between cells."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._unseen: list[str] = []
        """What is open of `_UNSEEN`, each once: the first to be opened is the one that an end tag closes."""
        self._pre = 0
        self.parts: list[str] = []
        self._read()

    def _read(self) -> None:
        at = 0
        while (opening := self._html.find("<", at)) >= 0:
            self._add(self._html[at:opening])
            at = self._after_markup(opening)
        self._add(self._html[at:])

    def _after_markup(self, at: int) -> int:
        """Take what begins with this `<`; where the text goes on."""
        if self._html.startswith("<!--", at):
            # `<!-->` is a comment too.
            comment = _COMMENT_END.search(self._html, at + 2)
            return len(self._html) if comment is None else comment.end()
        if (name := _NAME.match(self._html, at)) is not None:
            return self._after_tag(at, name)
        if self._html[at + 1 : at + 2] in ("!", "?", "/"):
            end = self._html.find(">", at + 2)
            return len(self._html) if end < 0 else end + 1
        self._add("<")
        return at + 1

    def _after_tag(self, at: int, name: re.Match[str]) -> int:
        end = self._end_of_tag(name.end())
        if end is None:
            return len(self._html)
        tag, is_end = name[1].lower(), self._html[at + 1] == "/"
        if is_end:
            self._close(tag)
            return end
        self._open(tag, name.end(), end)
        if self._html[end - 2] == "/":
            self._close(tag)
        elif tag in _RAW_END:
            raw = _RAW_END[tag].search(self._html, end)
            return len(self._html) if raw is None else raw.start()
        return end

    def _end_of_tag(self, at: int) -> int | None:
        """Behind the `>` of a tag; one in a quoted value is none."""
        while (stop := _STOP.search(self._html, at)) is not None:
            if stop[0] == ">":
                return stop.end()
            closing = self._html.find(stop[0][-1], stop.end())
            if closing < 0:
                return None
            at = closing + 1
        return None

    def _open(self, tag: str, begin: int, end: int) -> None:
        if tag in _UNSEEN:
            if tag not in self._unseen:
                self._unseen.append(tag)
        elif tag in _LINES:
            self._pre += tag == "pre"
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" | ")
        elif tag == "img" and (alternative := self._alternative(begin, end)):
            self._add(f"[image: {alternative}]")

    def _close(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag in _LINES:
            self._pre -= tag == "pre" and self._pre > 0
            self.parts.append("\n")

    def _alternative(self, begin: int, end: int) -> str:
        """The words that an image's tag gives for it."""
        found = (each for each in _ATTRIBUTE.finditer(self._html, begin, end) if each[1].lower() == "alt")
        attribute = next(found, None)
        return "" if attribute is None else attribute[2] or attribute[3] or attribute[4] or ""

    def _add(self, text: str) -> None:
        if text and not self._unseen:
            text = unescape(_NO_CHARACTER.sub("\ufffd", text)) if "&" in text else text
            self.parts.append(text if self._pre else _SPACES.sub(" ", text))
