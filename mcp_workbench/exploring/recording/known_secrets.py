"""What is known to be a secret by now, wherever it appears again, and the marks that stand in the place of secrets.

Known are this workbench's own, and the latest of those that stood somewhere under a telling name: what was a secret once is one in a
result, an error's text, a traceback. A mark is the same for the same secret, and nobody can count back. What tells secrets from other
texts is decided elsewhere (`redaction`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from mcp_workbench.exploring.recording.written import Written
from mcp_workbench.secret import Secret

MAX_REMEMBERED = 256
"""Secrets of the recorded conversations that are looked for wherever they appear again; the latest."""
MAX_REMEMBERED_CHARACTERS = 4_000_000
"""Of all of them."""
LEAST_REMEMBERED = 6
"""Characters of such a secret: a shorter one would be found in half of all texts."""

MARK = re.compile(r"‹redacted:[0-9a-f]{12}›")
_ORDINARY = frozenset(
    ("string", "number", "integer", "boolean", "object", "password", "secret", "authorization", "default", "required", "redacted")
)
"""Words that stand in everything and are seldom a secret."""


def could_have_been(written: str, text: str) -> bool:
    """Whether a text of a recording, secrets in it withheld, could be this one."""
    first, *between = MARK.split(written)
    if not between or not text.startswith(first):
        return False
    last, at = between.pop(), len(first)
    for piece in between:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)


class KnownSecrets:
    """Of one redactor. One thread at a time."""

    def __init__(self) -> None:
        self._salt = Secret.random()
        self._own: dict[Secret, Written] = {}
        self._remembered: OrderedDict[str, Written] = OrderedDict()
        self._characters = 0
        """Of what is remembered."""
        self.learned = 0
        """Goes up whenever there is something new to look for: what was clean before may not be now."""

    def mark_with(self, salt: Secret) -> None:
        """Make the marks with this: equal secrets have equal ones wherever it is the same. Until then there is a salt of its own."""
        self._salt = salt

    def own(self, secrets: Iterable[Secret]) -> None:
        """These are this workbench's own, from now on."""
        self._own = {secret: self._own.get(secret) or Written(secret.reveal()) for secret in secrets}

    def parts(self) -> Iterator[Secret]:
        """Of each a part that is in every way to write it."""
        for written in (*self._own.values(), *self._remembered.values()):
            yield Secret(written.part)

    def any_in(self, text: str) -> bool:
        """Whether one of them may be in a text."""
        return any(written.part in text for written in (*self._own.values(), *self._remembered.values()))

    def is_one(self, text: str) -> bool:
        """Whether a text was a secret elsewhere."""
        return text in self._remembered

    def without(self, text: str) -> str:
        """A text with marks in the place of those that are in it."""
        for own, written in self._own.items():
            if written.part in text:
                text = written.replaced_in(text, self.mark(own.reveal()))
        for known, written in self._remembered.items() if len(text) >= LEAST_REMEMBERED else ():
            if written.part in text:
                text = written.replaced_in(text, self.mark(known))
        return text

    def mark(self, text: str) -> str:
        """What stands in the place of a secret."""
        if MARK.fullmatch(text):
            return text
        digest = hmac.new(self._salt.reveal().encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"‹redacted:{digest.hexdigest()[:12]}›"

    def mark_and_remember(self, text: str) -> str:
        """The same; it is one wherever it appears from now on."""
        self.remember(text)
        return self.mark(text)

    def remember(self, text: str) -> None:
        """It is one wherever it appears, but for what is too short or too ordinary to be looked for."""
        if len(text) < LEAST_REMEMBERED or text.lower() in _ORDINARY or MARK.search(text):
            return
        if text in self._remembered:
            self._remembered.move_to_end(text)
            return
        self.learned += 1
        self._remembered[text] = Written(text)
        self._characters += len(text)
        while len(self._remembered) > MAX_REMEMBERED or (self._characters > MAX_REMEMBERED_CHARACTERS and len(self._remembered) > 1):
            self._characters -= len(self._remembered.popitem(last=False)[0])
