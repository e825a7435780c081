"""Which names say that what they name is a secret: `password`, `apiKey`, `X-Auth-Token`.

By words, so that `author` and `monkey` are none. Knows only names; what becomes of the values is `redaction`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

ALONE = frozenset(
    (
        "apikey",
        "apikeys",
        "accesskey",
        "authorization",
        "bearer",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "jwt",
        "mnemonic",
        "otp",
        "passcode",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "privatekey",
        "psk",
        "pw",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "token",
        "tokens",
    )
)
"""Words that say so wherever they stand in a name."""
KEYS = frozenset(
    (
        *("access", "account", "admin", "anthropic", "api", "app", "auth", "aws", "azure", "client", "consumer", "decryption", "deploy"),
        *("encryption", "gemini", "google", "hmac", "license", "master", "mistral", "openai", "private", "root", "secret", "service"),
        *("session", "shared", "signing", "ssh", "storage", "stripe", "subscription"),
    )
)
"""Words that make a `key` one."""
PASSES = frozenset(("word", "words", "phrase", "code"))
"""Words that make a `pass` before them one."""
ENDINGS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "credentials")
SESSIONS = ("sessionid", "session_id", "session-id", "sessid")
OPEN_KEYS = frozenset(("primary", "foreign", "public", "sort", "partition", "unique", "index"))
"""Words that make a `_KEY` of capital letters none."""
"""Ends of names that are written as one word: `userpassword`."""
COUNTED = frozenset(
    (
        "budget",
        "completion",
        "count",
        "input",
        "limit",
        "max",
        "min",
        "n",
        "num",
        "output",
        "prompt",
        "total",
        "usage",
        "used",
    )
)
"""Beside these a `token` is a piece of text, and a number that counts them no secret."""
HARMLESS = frozenset(("progresstoken", "tokenizer"))
"""MCP's own, by which notifications find their request."""
HINTS = ("pass", "pw", "psk", "mnemonic", "secret", "token", "auth", "cookie", "credential", "key", "jwt", "bearer", "otp", *SESSIONS)
"""In lower case one of these is part of every name that is one: where none is, nobody needs to look."""

SHORT_HINTS = tuple(f"pin{behind}" for behind in "\"\\,|;> *`'")
"""A `pin` is one only where it stands alone, as the name of a member or a column: it is a part of too many words."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class SecretNames:
    """Names that say so, and further ones.

    Args:
        further: Names that are secrets too, in any way of writing them: `ssn` is `SSN`, `home_address` is `homeAddress`.

    Raises:
        TypeError: Something among them is no text.
        ValueError: One is empty.
    """

    def __init__(self, further: str | Iterable[str] = ()) -> None:
        self.further = _checked(further)
        self._further = frozenset(words_of(name) or (name.lower(),) for name in self.further)
        self.is_secret = lru_cache(maxsize=4096)(self._is_secret)
        """Whether the value under a name is to be withheld."""

    @property
    def hints(self) -> tuple[str, ...]:
        """As `HINTS`, for all of its names; a name without any letter of the alphabet says nothing in lower case: empty text."""
        return HINTS + tuple(max(words, key=len) if all(map(str.isascii, words)) else "" for words in self._further)

    def _is_secret(self, name: str) -> bool:
        words = words_of(name)
        lower = name.lower()
        if (words or (lower,)) in self._further:
            return True
        if words and words[-1] == "pin" and lower.endswith("pin"):
            return True
        if "".join(words) in HARMLESS:
            return False
        if not ALONE.isdisjoint(words) or lower.endswith((*ENDINGS, *SESSIONS)) or (words and words[-1] in ("auth", "pass")):
            return True
        if name.isupper() and len(words) > 1 and words[-1] == "key" and words[-2] not in OPEN_KEYS:
            return True
        return any(
            (word in ("key", "keys") and before in KEYS) or (before == "pass" and word in PASSES) for before, word in pairwise(words)
        )


def _checked(names: str | Iterable[str]) -> tuple[str, ...]:
    if not isinstance(names, Iterable):
        raise TypeError(f'redact takes True, False, or names of members, for instance ["ssn"]; got {type(names).__name__}')
    checked = (names,) if isinstance(names, str) else tuple(names)
    for name in checked:
        if not isinstance(name, str):
            raise TypeError(f'redact takes names of members, for instance ["ssn"]; got {type(name).__name__} among them')
        if not name.strip():
            raise ValueError('redact takes names of members, for instance ["ssn"]; got one that is empty')
    return checked


def counts_tokens(name: str) -> bool:
    """Whether a number under this name tells how many tokens: `max_tokens`, `tokens`."""
    words = words_of(name)
    return "tokens" in words or not COUNTED.isdisjoint(words)


def words_of(name: str) -> tuple[str, ...]:
    """`apiKey`, `API_KEY` and `api-key` are `api`, `key`."""
    return tuple(word.lower() for word in _WORDS.findall(name))
