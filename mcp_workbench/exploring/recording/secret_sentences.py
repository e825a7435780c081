"""Secrets that people say: `my password is hunter2`, `as bob with the password hunter2`.

Most sentences about passwords hold none ("is required", "was changed"), so what follows the words must look like something
that somebody has chosen: quoted, or with letters and digits in one word. A password that is a word of a language is not found
here. Every stretch that is looked at has a bound. Neighbour: `secret_texts`, which says where to look.
"""

from __future__ import annotations

import re

from mcp_workbench.exploring.recording.secret_runs import Hide

STARTS = ("pass", "pwd", "secret", "token", "pin", "key")
"""In lower case one of these is the beginning of each of them."""

_VALUE = r"(?:(?P<quote>\\{0,8}[\"'`])(?P<quoted>[^\"'`\r\n\\]{1,200})(?P=quote)|(?P<word>[^\s\"'`<>‹›]{4,200}))"
SENTENCE = re.compile(
    r"(?P<before>(?:(?P<password>pass(?:word|wd|phrase|code)|pwd)"
    r"|(?<![a-z])(?:secret|token|pin(?:\s{1,4}code)?)|(?:(?<=api[ _-])|(?<=access[ _-])|(?<=secret[ _-])|(?<=private[ _-]))key)"
    r"(?:(?P<says>(?:\s{1,4}(?:for|of|to)(?:\s{1,4}\S{1,60}){1,4}?)?\s{1,4}(?:is|was)"
    r"(?:\s{1,4}(?:now|still|currently|just|set|changed|reset|called|to)){0,3}\s{0,2}:?\s{1,4})|\s{1,4}))"
    rf"{_VALUE}(?P<unit>\s{{1,4}}(?:bit|byte|char|digit|letter|time|second|minute|hour|day|week|month|year))?",
    re.IGNORECASE,
)
_TECHNICAL = ("sha", "md5", "base64", "oauth", "utf", "argon", "bcrypt", "pbkdf", "http", "rfc")
_NUMBER = re.compile(r"[0-9]{4,12}")


def hide_said(found: re.Match[str], hide: Hide) -> str | None:
    """What a match of `SENTENCE` becomes; None: it holds no secret."""
    quoted = found["quoted"]
    if quoted is not None:
        if not found["says"] or not (found["password"] or _is_chosen(quoted)):
            return None
        return f"{found['before']}{found['quote']}{hide(quoted)}{found['quote']}{found['unit'] or ''}"
    if not (found["says"] or found["password"]):
        return None
    word = found["word"].rstrip(".,;:!?)]}*_")
    is_number = found["says"] and not found["unit"] and _NUMBER.fullmatch(word)
    if not (is_number or _is_chosen(word)):
        return None
    return f"{found['before']}{hide(word)}{found['word'][len(word) :]}{found['unit'] or ''}"


def _is_chosen(word: str) -> bool:
    """Whether it is a word of no language."""
    core = word.strip("*_(")
    if len(core) < 4 or core.lower().startswith(_TECHNICAL):
        return False
    letters, digits = any(map(str.isalpha, core)), any(map(str.isdigit, core))
    return letters and (digits or not set("!@#$%^&+=~").isdisjoint(core))
