"""Which pieces of a text are secrets whatever stands around them, or by what stands right before them.

Everything takes time in proportion to the text, whatever stands in it: no stretch is looked at from each of many beginnings in it.
And no pattern is run over a long text at one go, for that would hold the interpreter, and calls with it: plain searches say where to
look. They rather withhold a word too many than one too few. Neighbours: `secret_runs`, what no pattern can tell in such a time.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from urllib.parse import unquote

from mcp_workbench.exploring.recording.secret_names import KEYS
from mcp_workbench.exploring.recording.secret_runs import STRETCH, Hide, hide_user_infos, hide_web_tokens, lowered
from mcp_workbench.exploring.recording.secret_sentences import SENTENCE, STARTS, hide_said
from mcp_workbench.exploring.recording.secret_shapes import HINTS as SHAPES

VALUES: dict[str, tuple[str, ...]] = {
    "bearer and basic credentials": ("bearer", "basic"),
    "JSON web tokens": ("eyj",),
    "cloud keys (AWS, Google, Azure)": ("akia", "asia", "agpa", "aida", "aroa", "anpa", "aiza", "ya29.", "sig="),
    "tokens of GitHub, GitLab, Slack, Stripe, Hugging Face, npm, PyPI, SendGrid, and sk-": (
        *("pypi-", "sg.", "hooks.slack"),
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk-", "sk_", "rk_", "hf_", "npm_"),
    ),
    "private keys": ("-----begin", "private-lines"),
    "user names and passwords in URLs": ("@",),
    "tickets of this workbench": ("/t/",),
    "passwords in SQL and of users in commands": SHAPES,
    "password=…, token: … in texts": (),
    "passwords in sentences": (),
}
"""What is withheld by its looks, and what in lower case is part of every text that has one; the last two have the hints of names."""

_LOOKS = re.compile(
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{12,}"
    r"|AIza[0-9A-Za-z_-]{30,}"
    r"|ya29\.[A-Za-z0-9_-]{10,}|SG\.[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{10,}|pypi-[A-Za-z0-9_-]{16,}"
    r"|(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk-|[sr]k_(?:live|test)_|hf_|npm_)[A-Za-z0-9_-]{16,}"
    r"|-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY.*?(?:-----END[A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\Z)"
    r"|Private-Lines:[ \t]{0,4}\d.*?(?=Private-(?:MAC|Hash):|\Z)",  # of PuTTY
    re.DOTALL,
)
_LOOK = (
    *("akia", "asia", "agpa", "aida", "aroa", "anpa", "aiza", "-----begin", "private-lines", "ya29.", "sg.", "pypi-"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk-", "sk_", "rk_", "hf_", "npm_"),
)
"""In lower case one of these is the beginning of each of them."""
_SCHEME = re.compile(r"\b(bearer|basic)(\s+)([A-Za-z0-9._~+/=-]{8,}|‹redacted:[0-9a-f]{12}›)", re.IGNORECASE)
_ADDRESS = re.compile(r"(hooks\.slack\.com\\?/services\\?/|[?&;]sig=)([A-Za-z0-9%+/=_\\-]{16,})", re.IGNORECASE)
"""Addresses that are secrets, or have one in their query."""
_TICKET = re.compile(r"(/t/)([A-Za-z0-9_-]{40,})")
_HEADER = re.compile(r"((?:authorization|cookie)\s*:\s*)([^\r\n\"'\\]+)", re.IGNORECASE)
_NAMES = (
    r"pass[_\-. ]?(?:w(?:or)?ds?|phrase|code)|pwd|secret|token|authorization|cookie|credential|jwt|otp|mnemonic|session[_\-]?id|sessid"
    r"|(?:(?<![a-z])|(?<=%3F))(?:auth|pass|pw|psk)(?![a-z])|(?-i:(?<=[A-Z0-9])(?<!PRIMARY)(?<!FOREIGN)(?<!PUBLIC)_KEY(?![A-Za-z]))"
    f"|(?:{'|'.join(sorted(KEYS))})[_\\-. ]?key"
)
_STARTS = (
    *("pass", "pw", "psk", "secret", "token", "auth", "cookie", "credential", "jwt", "otp", "mnemonic", "session", "sessid", "_key"),
    *KEYS,
)
"""In lower case one of these is the beginning of each of the names."""
_SAYS = (
    r"[\w.\-]{0,40}\\*[\"']?\s{0,32}(?:=>|:=|->|(?P<open>:)(?!=)|==?|%3D)\s{0,32}(?:[\w.]{0,40}\(\s{0,8})?"  # a call: SecretStr(
    r"(?:(?:!{1,2}[\w:/.,\-]{0,60}|&[\w\-]{1,60})[ \t]{1,4}){0,2})"  # of YAML: !!str, &name
    r"(?:[brufBRUF]{0,2}(?P<quote>\\{0,64}(?:\"\"\"|'''|[\"']))(?P<quoted>(?:(?!(?P=quote))(?:\\.|.)){0,65536})"
    r"|(?P<structure>[\[{][^\r\n]*)"  # the rest of its line
    r"|(?P<block>[|>][+\-0-9]{0,2}[ \t]{0,8}\r?\n(?:[ \t]++[^\r\n]*+(?:\r?\n|\Z)){1,4096})"  # of YAML
    r"|(?P<scheme>(?:bearer|basic)\s+)?"
    r"(?P<word>(?(open)[^\s\"'<>]*[^\s\"'<>,;)}\]]|[^\s\"'<>&;]*[^\s\"'<>&;,)}\]])))"
)
_COUNT = re.compile(r"tokens\W", re.IGNORECASE)


_OPAQUE = re.compile(r"[A-Za-z0-9+/\r\n]{4096,}+={0,2}+\s*+")
"""Pictures and sounds in base64."""


class SecretTexts:
    """Finds them.

    Args:
        further: Names that are secrets too, each as its words.
    """

    def __init__(self, further: Iterable[Sequence[str]] = ()) -> None:
        written = [r"[_\-. ]?".join(map(re.escape, words)) for words in further]
        self._starts = (*_STARTS, *(words[0] for words in further))
        self._named = re.compile(f"(?P<before>(?<!progress)(?:{'|'.join((_NAMES, *written))}){_SAYS}", re.IGNORECASE | re.DOTALL)

    def hide_in(self, text: str, hide: Hide) -> str:
        """The text with every piece hidden that is a secret by its looks or by the name before it."""
        if is_opaque(text):
            return text
        text = _at(text, _LOOK, _LOOKS, lambda found: hide(found[0]))
        text = hide_web_tokens(text, hide)
        text = hide_user_infos(text, hide)
        if "/t/" in text:
            text = _TICKET.sub(lambda found: found[1] + hide(found[2]), text)
        text = _at(text, ("hooks.slack", "?sig=", "&sig=", ";sig="), _ADDRESS, lambda found: found[1] + hide(found[2]))
        text = _at(text, ("bearer", "basic"), _SCHEME, lambda found: _hide_scheme(found, hide))
        text = _at(text, ("authorization", "cookie"), _HEADER, lambda found: found[1] + hide_value(found[2], hide))
        text = _at(text, self._starts, self._named, lambda found: _hide_named(found, hide))
        return _at(text, STARTS, SENTENCE, lambda found: hide_said(found, hide))


def is_opaque(text: str) -> bool:
    """Whether it is a picture or a sound in base64, which may spell anything by chance."""
    return len(text) > 4096 and _OPAQUE.fullmatch(text) is not None


def _at(text: str, starts: Iterable[str], pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str | None]) -> str:
    """As `pattern.sub`, where every match begins with one of these, in whatever case, and is none where `replace` gives None.

    Stretch by stretch, for to sort and to join what is in all of a long text would hold the interpreter.
    """
    lower = lowered(text)
    if len(lower) != len(text):  # there are letters of which lower case makes two
        return pattern.sub(lambda found: found[0] if (instead := replace(found)) is None else instead, text)
    there = [start for start in starts if start in lower]
    done, begin = list[str](), 0
    for first in range(0, len(text) if there else 0, STRETCH):
        replaced = list[str]()
        for place in _places(lower, there, first) if begin < first + STRETCH else ():
            if place < begin or (found := pattern.match(text, place)) is None or (instead := replace(found)) is None:
                continue
            replaced += [text[begin:place], instead]
            begin = found.end()
        done.append("".join(replaced))
    return "".join((*done, text[begin:])) if begin else text


def _places(lower: str, starts: Iterable[str], first: int) -> list[int]:
    """Where one of these begins, within a stretch of the text from there on."""
    places: set[int] = set()
    for start in starts:
        end = first + STRETCH + len(start) - 1
        at = lower.find(start, first, end)
        while at >= 0:
            places.add(at)
            at = lower.find(start, at + 1, end)
    return sorted(places)


def hide_value(text: str, hide: Hide) -> str:
    """A text that is a secret as a whole; a scheme before it stays, so that the same token is equal with and without."""
    found = _SCHEME.fullmatch(text.strip())
    return found[1] + found[2] + hide(found[3]) if found else hide(text)


def _hide_named(found: re.Match[str], hide: Hide) -> str:
    before, quoted, word = found["before"], found["quoted"], found["word"]
    if quoted is not None:
        begin, end = found.start("quoted") - found.start(), found.end("quoted") - found.start()
        return found[0][:begin] + hide_value(quoted, hide) + found[0][end:] if quoted else str(found[0])
    if found["block"] is not None:
        first, *lines = found["block"].splitlines(keepends=True)
        return f"{before}{first}{''.join(line.replace(line.strip(), hide(line.strip())) if line.strip() else line for line in lines)}"
    if found["structure"] is not None:
        return str(before) + hide(found["structure"])
    if word.isdigit() and _COUNT.search(before):
        return str(found[0])
    hidden = hide(word)
    if "%" in word:  # equal to what it is elsewhere
        hidden = hide(unquote(word))
    return f"{before}{found['scheme'] or ''}{hidden}"


def _hide_scheme(found: re.Match[str], hide: Hide) -> str:
    return f"{found[1]}{found[2]}{hide(found[3])}" if _is_credential(found[1], found[3]) else str(found[0])


def _is_credential(scheme: str, text: str) -> bool:
    """Whether what follows is one: any word after `Bearer`; after `Basic`, which is English too, a user and a password."""
    if scheme.lower() == "bearer":
        return True
    with suppress(binascii.Error, ValueError):
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    return False
