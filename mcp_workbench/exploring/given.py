"""Secrets that this workbench was given for other servers, which may say them again: tokens, headers, a command's variables and arguments.

They are kept so that no recording has them, and shown nowhere. What is none, a folder or a language, would be withheld from every text
in which it stands; so where no name says that it is one, it is taken for one by its looks. The latest are kept. From any thread.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from urllib.parse import parse_qsl, unquote, urlsplit

from mcp_workbench.exploring.recording.secret_names import SecretNames
from mcp_workbench.secret import Secret

MAX_GIVEN = 256
LEAST = 6
"""Characters: a shorter one would be found in half of all texts."""

_PIECES = re.compile(r"[\s;,=]+")
_TICKET = re.compile(r"/t/([A-Za-z0-9_-]{40,})")
_FOLDER = re.compile(r"[/~.]|[A-Za-z]:[\\/]")


class GivenSecrets:
    """The latest that were given."""

    def __init__(self) -> None:
        self._names = SecretNames()
        self._given: OrderedDict[Secret, None] = OrderedDict()

    def all(self) -> tuple[Secret, ...]:
        """Each of them."""
        return tuple(self._given)

    def note(
        self,
        where: Secret | Sequence[str] | None = None,
        *,
        token: Secret | None = None,
        headers: Mapping[str, Secret] | None = None,
        env: Mapping[str, Secret] | None = None,
    ) -> None:
        """Keep what is secret of how a server is reached.

        Args:
            where: Its address, or a command.
            token: For it.
            headers: For it.
            env: Variables of the command; those that it shares with this process only where their names say that they are secrets.
        """
        with suppress(TypeError):  # what is no text is complained of by who sends it
            self._keep(() if token is None else _pieces(token.reveal()))
        for name, value in (headers or {}).items():
            self._note_named(name, value)
        for name, value in (env or {}).items():
            self._note_named(name, value, is_ordinary=Secret(os.environ.get(name)) == value)
        self._keep(self._in_address(where) if isinstance(where, Secret) else self._in_command(where or ()))

    def _note_named(self, name: str, value: Secret, *, is_ordinary: bool = False) -> None:
        with suppress(TypeError):  # as above
            if self._is_secret(name):
                self._keep(_pieces(value.reveal()))
            elif not is_ordinary and _looks_secret(value.reveal()):
                self._keep((value.reveal(),))

    def _in_address(self, url: Secret) -> Iterable[str]:
        with suppress(TypeError, ValueError):  # as above
            parts = urlsplit(url.reveal())
            queries = (value for name, value in parse_qsl(parts.query) if self._is_secret(name) or _looks_secret(value))
            return (*_TICKET.findall(parts.path), unquote(parts.password or ""), *queries)
        return ()

    def _in_command(self, command: Sequence[str]) -> Iterable[str]:
        found: list[str] = []
        with suppress(TypeError):  # as above
            for word, following in pairwise((*map(str, command), "")):
                option, given, value = word.partition("=")
                if option.startswith("-") and self._is_secret(option.lstrip("-")):
                    found.append(value if given else following)
        return found

    def _is_secret(self, name: object) -> bool:
        return isinstance(name, str) and self._names.is_secret(name)

    def _keep(self, texts: Iterable[str]) -> None:
        for secret in (Secret(text.strip()) for text in texts if len(text.strip()) >= LEAST):
            self._given[secret] = None
            self._given.move_to_end(secret)
        while len(self._given) > MAX_GIVEN:
            self._given.popitem(last=False)


def _pieces(text: str) -> Iterable[str]:
    """The whole, and what is secret in `Bearer …` and in cookies."""
    pieces = _PIECES.split(text)
    return (text, *(piece for piece in pieces if _looks_secret(piece))) if len(pieces) > 1 else (text,)


def _looks_secret(text: str) -> bool:
    """One word, long, with a digit in it or very long; no folder."""
    if len(text) < 8 or _FOLDER.match(text) or any(map(str.isspace, text)):
        return False
    return len(text) >= 20 or (any(map(str.isdigit, text)) and any(map(str.isalpha, text)))
