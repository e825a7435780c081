"""What of a message may stand in a file: secrets become `‹redacted:7f3a91c204d1›`, equal ones the same, and nobody can count back.

A secret is known by the name it stands under (`secret_names`), by its looks (`secret_texts`), because a tool's author says so, or
because it is this workbench's own. What was one once is one wherever it appears again: in a result, an error's text, a traceback.
Texts that are JSON themselves are looked into. What cannot be read is withheld as a whole.

Most messages have nothing in them that could be a secret, and are told apart by a few searches over many of them at once
(`Redactor.clean`); a property test holds the quick way to the thorough one.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from mcp_workbench.exploring.recording.format import Redaction
from mcp_workbench.exploring.recording.hunting import Hunt
from mcp_workbench.exploring.recording.known_secrets import MARK, MAX_REMEMBERED, KnownSecrets
from mcp_workbench.exploring.recording.secret_html import hide_in_html
from mcp_workbench.exploring.recording.secret_names import SHORT_HINTS, SecretNames, counts_tokens, words_of
from mcp_workbench.exploring.recording.secret_shapes import SecretShapes
from mcp_workbench.exploring.recording.secret_tables import hide_columns, hide_in_tables
from mcp_workbench.exploring.recording.secret_texts import VALUES, SecretTexts, hide_value, is_opaque
from mcp_workbench.exploring.recording.tool_rules import ToolRules, read_inner
from mcp_workbench.exploring.recording.written import plain_part
from mcp_workbench.limits import MIB
from mcp_workbench.secret import Secret
from mcp_workbench.transports.credentials import Credentials

MAX_DEPTH = 100
"""Levels of JSON, and of JSON within texts of JSON, that are looked into; what is deeper is withheld."""

LONGEST = 16 * MIB
"""Bytes of a message that is looked into: to read one holds the interpreter, and with it those who call."""
MOST_TEXT = 4 * MIB
"""Characters of texts in it, pictures and sounds apart: it takes a second or two for each million where everything is a secret."""
_EACH_TEXT = 20
"""A short text is as much work as one that is longer by so much."""
TOO_DEEP = "nested too deep to be looked into"
_SCHEMAS = frozenset(("inputSchema", "outputSchema", "requestedSchema"))
_SCHEMA_TEXTS = frozenset(("type", "format", "title", "description", "$ref", "pattern", "$comment", "contentEncoding", "contentMediaType"))
_SCHEMA_PARTS = frozenset(("items", "properties", "anyOf", "oneOf", "allOf", "not", "additionalProperties", "$defs", "definitions"))
CAPABILITIES = frozenset(("taskId", "taskIds", "requestState"))
"""Who knows the text under one of these names of MCP may go on where another was. Equal ones stay equal, as their readers need."""
_VALUES = frozenset(("arguments", "structuredContent", "content", "default", "examples", "enum", "const"))
"""Under these names stand values, though there be schemas around them."""
_NAMES = frozenset(
    (
        *("name", "key", "k", "header", "field", "column", "param", "parameter", "property", "argument", "option", "variable", "setting"),
        *("label", "id"),
    )
)
_NAMED = frozenset(("value", "v", "default", "values", "val", "current", "example", "examples"))
"""Under these stands what such a name names."""
_REMEMBERED_CELLS = 32
"""Cells of a secret column that are remembered: in a long table are more than are kept."""


class Unreadable(ValueError):
    """A text that cannot be looked into, and why."""


class TooLong(Unreadable):
    """More texts than can be looked into without holding up those who call meanwhile."""

    def __init__(self) -> None:
        super().__init__("too long to be looked into")


class Redactor:
    """Of one recording. One thread at a time.

    Args:
        names: Names of members that are secrets, beside those that say so.
        tools: Asked for the `redact=` of each tool: its name -> names of arguments, or paths of JSON in them.
        credentials: This workbench's tokens and tickets; None: it has none.
        own: Further secrets of its own.
    """

    def __init__(
        self,
        names: str | Iterable[str] = (),
        *,
        tools: Callable[[], Mapping[str, Sequence[str]]] = dict,
        credentials: Credentials | None = None,
        own: Callable[[], Iterable[Secret]] = tuple,
    ) -> None:
        self._names = SecretNames(names)
        self._tools, self._credentials, self._own = tools, credentials, own
        self._rules = ToolRules()
        self._use_words()
        self._known = KnownSecrets()
        values = (hint for each in VALUES.values() for hint in each)
        hints = (*self._names.hints, *values, *CAPABILITIES, *SHORT_HINTS, *_DISGUISES)
        self._hunt, self._hunt_inside = Hunt(hints, _ROOTS), Hunt(hints, _ROOTS)
        """In messages, and in texts of them that are JSON: there beside the words alone, which change seldom."""
        self._shapes = SecretShapes(self._is_secret)
        self._cells = 0
        """Of secret columns, remembered in this text."""
        self._asked_secrets: OrderedDict[str, None] = OrderedDict()
        """Fields in which people were asked for secrets."""
        self._hunted_at = -1
        """What was learned when it was last put together what is looked for."""
        self._hunted_now: tuple[Secret, ...] = ()
        self._looked_into = 0
        """Characters of texts, at this moment."""
        self._here: frozenset[str] = frozenset()
        """Names that are secrets in the message at hand."""

    def rules(self) -> Redaction:
        """What is withheld, for the header."""
        keys = (
            "password",
            "token",
            "secret",
            "authorization",
            "cookie",
            "credential",
            "apiKey",
            "accessKey",
            "privateKey",
            "jwt",
            "otp",
            "taskId",
            "requestState",
        )
        return Redaction(
            on=True,
            keys=keys + self._names.further,
            values=tuple(VALUES),
            tools={tool: tuple(paths) for tool, paths in self._tools().items()},
            hash="HMAC-SHA-256 with a random salt, its first 48 bits",
        )

    def mark_with(self, salt: Secret) -> None:
        """See `KnownSecrets.mark_with`."""
        self._known.mark_with(salt)

    @property
    def learned(self) -> int:
        """See `KnownSecrets.learned`."""
        return self._known.learned

    # --- the quick way -----------------------------------------------------------------------------------------

    def forget(self, session: str) -> None:
        """It has ended."""
        self._rules.forget(session)

    def begin(self) -> None:
        """A batch: whose secrets are to be kept may have changed since the last."""
        credentials = self._credentials
        self._known.own((*self._own(), *(() if credentials is None else credentials.all())))
        self._hunted_at = -1
        if self._rules.learn(self._tools()):
            self._use_words()

    def _use_words(self) -> None:
        """Further names by which a text may call a secret: those that were given, and arguments that tools withhold."""
        words = self._words_now = [found for name in (*self._names.further, *self._rules.names()) if (found := words_of(name))]
        self._texts = SecretTexts(words)
        self._words_to_hunt = tuple(Secret(plain_part(text)) for text in (*self._rules.by_tool, *(max(each, key=len) for each in words)))

    def _column_hints(self) -> Iterable[str]:
        return (*self._names.hints, "pin", *(max(words, key=len) for words in self._words_now))

    def clean(self, texts: Sequence[bytes]) -> list[bool]:
        """For each of several texts of JSON whether nothing in it can be a secret; False: look."""
        return self._hunt.clean(texts, self._hunted())

    def _hunted(self) -> tuple[Secret, ...]:
        """What is looked for beside the hints."""
        if self._rules.waiting or (self._credentials is not None and len(self._credentials.tickets)):
            return _EVERYTHING
        if self._hunted_at != self.learned:
            self._hunted_at, self._hunted_now = self.learned, tuple(self._to_hunt())
        return self._hunted_now

    def _to_hunt(self) -> Iterator[Secret]:
        yield from self._known.parts()
        yield from self._words_to_hunt
        if self._asked_secrets:
            yield _ANSWER
        if self._rules:
            yield _LATER

    # --- the thorough way ------------------------------------------------------------------------------------------

    def message(self, raw: bytes, session: str = "") -> bytes:
        """A message, JSON, with nothing secret in it.

        Raises:
            Unreadable: It is no JSON, nested too deep, or too long; withhold it.
        """
        value = _read(raw)
        try:
            done = [self._entry(entry, session) for entry in (value if isinstance(value, list) else [value])]
            return msgspec.json.encode(done if isinstance(value, list) else done[0])
        except Unreadable:
            raise
        except RecursionError:
            raise Unreadable(TOO_DEEP) from None
        except (OverflowError, ValueError):
            raise Unreadable("a value that cannot be written again") from None

    def _entry(self, entry: Any, session: str) -> Any:
        waited = self._rules.waiting
        places = self._rules.of(entry, session) if self._rules and isinstance(entry, dict) else None
        if self._rules.waiting and not waited:
            self._known.learned += 1
        try:
            if places is not None:
                self._here = places.names
                places.replace_in(entry, self._hide_all)
            return self._looked_through(entry)
        finally:
            self._here = frozenset()

    def value(self, value: Any) -> Any:
        """A value of JSON, with nothing secret in it; one that is too long to be looked into is withheld."""
        try:
            return self._looked_through(value)
        except TooLong:
            return self._known.mark(_as_one_text(value))

    def text(self, text: str) -> str:
        """A text, with nothing secret in it; one that is too long to be looked into is withheld."""
        self._looked_into = 0
        try:
            return self._text(text, 0)
        except TooLong:
            return self._known.mark(text)

    def _looked_through(self, value: Any) -> Any:
        learned, self._looked_into = self.learned, 0
        done = self._value(value, 0, in_schema=False)
        if self.learned != learned:  # it may stand before the place that gave it away, too
            self._looked_into = -4 * MOST_TEXT  # marks are longer than what they stand for
            done = self._value(done, 0, in_schema=False)
        return done

    def knows(self, text: str) -> bool:
        """Whether something in a text was a secret elsewhere; of one that was made fit before, whether it has to be again."""
        return self._known.any_in(text)

    def _value(self, value: Any, depth: int, *, in_schema: bool | None) -> Any:
        if depth > MAX_DEPTH:
            return self._hide_all(value)
        if isinstance(value, str):
            return self._text(value, depth)
        if isinstance(value, list):
            if not in_schema:
                value = self._without_pairs(value)
            return [self._value(item, depth + 1, in_schema=in_schema) for item in value]
        if isinstance(value, dict):
            return self._object(value, depth + 1, in_schema=in_schema)
        return self._number(value)

    def _number(self, value: Any) -> Any:
        """A number that was a secret elsewhere is one here."""
        if isinstance(value, int | float) and not isinstance(value, bool) and self._known.is_one(str(value)):
            return self._known.mark(str(value))
        return value

    def _object(self, members: dict[str, Any], depth: int, *, in_schema: bool | None) -> dict[str, Any]:
        self._cells = 0
        members = hide_columns(members, self._is_secret, self._cell)
        if isinstance(asked := members.get("content"), dict) and "action" in members and self._asked_secrets:
            members = {**members, "content": self._answered(asked)}
        named = any(isinstance(value, str) and name.lower() in _NAMES and self._is_secret(value) for name, value in members.items())
        done: dict[str, Any] = {}
        for name, value in members.items():
            secret = self._is_secret(name) or (named and name.lower() in _NAMED)
            kept: Any
            if name in CAPABILITIES and (capability := self._capability(value)) is not None:
                kept = capability
            elif name == "requestedSchema" and not secret:
                self._note_asked(value)
                kept = self._value(value, depth, in_schema=_still_in_schema(name, in_schema))
            elif not secret:
                kept = self._value(value, depth, in_schema=_still_in_schema(name, in_schema))
            elif in_schema and isinstance(value, dict):
                kept = self._schema_of_secret(value, depth)
            else:
                kept = self._secret(name, value)
            done[self._text(name, depth)] = kept
        return done

    def _capability(self, value: Any) -> str | list[str] | None:
        """Withheld, and not remembered: there are more of them than of secrets. None: it is none."""
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return list(map(self._known.mark, value))
        return self._known.mark(value) if isinstance(value, str) else None

    def target(self, method: str, target: str) -> str:
        """What a request names, with nothing secret in it."""
        return self._known.mark(target) if method.startswith("tasks/") and target else self.text(target)

    def _without_pairs(self, items: list[Any]) -> list[Any]:
        """`["--token", "V"]`, and the values of `[["X-Api-Key", "V"], …]`."""
        if items and all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in items):
            return [[name, self._secret(name, value)] if self._is_secret(name) else [name, value] for name, value in items]
        if not any(isinstance(item, str) and item.startswith("-") for item in items):
            return items
        done = list(items)
        for number, (option, value) in enumerate(pairwise(items), 1):
            if isinstance(option, str) and isinstance(value, str) and option.startswith("-") and "=" not in option:
                if self._is_secret(option.lstrip("-")) and not value.startswith("--"):
                    done[number] = self._secret(option, value)
                elif option in ("-u", "--user") and ":" in value:
                    user, _, word = value.partition(":")
                    done[number] = f"{user}:{self._secret(option, word)}"
        return done

    def _cell(self, value: Any) -> Any:
        """Of a secret column."""
        if value is None or isinstance(value, bool) or value == "" or (isinstance(value, str) and MARK.fullmatch(value)):
            return value
        if not isinstance(value, str):
            return self._cell(str(value)) if isinstance(value, int | float) else self._hide_all(value)
        if self._cells < _REMEMBERED_CELLS:
            self._cells += 1
            self._known.remember(value)
        return self._known.mark(value)

    def _answered(self, content: dict[str, Any]) -> dict[str, Any]:
        """What a person was asked for, and gave."""
        return {name: self._secret(name, value) if name in self._asked_secrets else value for name, value in content.items()}

    def _note_asked(self, schema: Any) -> None:
        """A form has fields that are secret by what they are, whatever their names."""
        fields = schema.get("properties") if isinstance(schema, dict) else None
        for name, field in fields.items() if isinstance(fields, dict) else ():
            if isinstance(field, dict) and (field.get("format") == "password" or field.get("writeOnly") is True):
                if name not in self._asked_secrets:
                    self._known.learned += 1
                _put(self._asked_secrets, name)

    def _schema_of_secret(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """What a secret argument looks like is none; its default and its examples are."""
        done: dict[str, Any] = {}
        for name, value in schema.items():
            if name in _SCHEMA_TEXTS and isinstance(value, str):
                done[name] = self._text(value, depth)
            elif name in _SCHEMA_PARTS and isinstance(value, dict):
                done[name] = self._schema_of_secret(value, depth + 1) if depth < MAX_DEPTH else self._hide_all(value)
            elif name in _SCHEMA_PARTS and isinstance(value, list) and all(isinstance(part, dict) for part in value):
                done[name] = [self._schema_of_secret(part, depth + 1) if depth < MAX_DEPTH else self._hide_all(part) for part in value]
            elif name in ("minLength", "maxLength") and isinstance(value, int):
                done[name] = value
            else:
                done[self._text(name, depth)] = self._secret(name, value)
        return done

    def _is_secret(self, name: str) -> bool:
        return self._names.is_secret(name) or name in self._here

    def _secret(self, name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        if isinstance(value, int | float) and counts_tokens(name):
            return value
        if isinstance(value, str):
            if MARK.fullmatch(value):
                return value
            return hide_value(value, self._known.mark_and_remember)
        return self._hide_all(value)

    def _hide_all(self, value: Any) -> str:
        """Anything as one secret; what texts are in it are secrets too."""
        if isinstance(value, str):
            return hide_value(value, self._known.mark_and_remember)
        self._remember_all(value)
        return self._known.mark(str(value) if isinstance(value, int | float) else _as_one_text(value))

    def _remember_all(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                waiting.extend(each.values())
            elif isinstance(each, list):
                waiting.extend(each)
            elif isinstance(each, str) or (isinstance(each, int | float) and not isinstance(each, bool)):
                self._known.remember(str(each))

    def _text(self, text: str, depth: int) -> str:
        if len(text) > 1 and text.lstrip()[:1] in ("{", "[") and depth < MAX_DEPTH:
            inner = read_inner(text)
            if inner is not None:
                return self._inner(text, inner, depth)
        if not is_opaque(text):
            self._looked_into += len(text) + _EACH_TEXT
        if self._looked_into > MOST_TEXT:
            raise TooLong
        text = self._without_known(text)
        self._cells = 0
        text = hide_in_tables(text, self._column_hints(), self._is_secret, self._cell)
        text = hide_in_html(text, self._is_secret, self._cell)
        text = self._shapes.hide_in(text, self._known.mark_and_remember)
        return self._texts.hide_in(text, self._known.mark_and_remember)

    def _inner(self, text: str, inner: Any, depth: int) -> str:
        """A text that is JSON itself; it stays as it was written where nothing was withheld and nothing could hide in it."""
        done = self._value(inner, depth + 1, in_schema=False)
        if done == inner and self._without_known(text) == text and self._has_no_hint(text):
            return text
        return msgspec.json.encode(done).decode()

    def _has_no_hint(self, text: str) -> bool:
        return self._hunt_inside.clean([text.encode("utf-8", "replace")], self._words_to_hunt) == [True]

    def _without_known(self, text: str) -> str:
        text = self._known.without(text)
        if self._credentials is not None and len(self._credentials.tickets):
            text = _TICKET.sub(lambda found: self._known.mark(found[0]) if self._is_ticket(found[0]) else found[0], text)
        return text

    def _is_ticket(self, text: str) -> bool:
        return self._credentials is not None and self._credentials.tickets.peek(text) is not None


_ROOTS = ("pin", "sess", "-u", "gh", "sk", "ai", "taskid")
_DISGUISES = (r"\u", r"\/")
"""Characters that are written otherwise."""
_LATER = Secret("job_")
"""In calls of the tools by which results of other calls are come by; those of tasks have `taskid`."""
_ANSWER = Secret('"action')
_EVERYTHING = (Secret(""),)
"""In every text."""
_TICKET = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")


def _put(kept: OrderedDict[str, None], key: str) -> None:
    kept[key] = None
    if len(kept) > MAX_REMEMBERED:
        kept.popitem(last=False)


def _still_in_schema(name: str, in_schema: bool | None) -> bool | None:
    """Whether the member of this name is a schema, or part of one; None: nothing in there is one, whatever it is called."""
    if in_schema is None or name in _VALUES:
        return None
    return in_schema or name in _SCHEMAS


def _as_one_text(value: Any) -> str:
    """Equal for equal values; more may have been read than can be written again."""
    try:
        return msgspec.json.encode(value, order="sorted").decode()
    except (OverflowError, ValueError, RecursionError):
        return " ".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    """Of a value however deep it is."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield f"{{{len(each)}"
            for name, member in sorted(each.items()):
                waiting += (member, name)
        elif isinstance(each, list):
            yield f"[{len(each)}"
            waiting += each
        else:
            yield repr(each)


def _read(raw: bytes) -> Any:
    if len(raw) > LONGEST:
        raise TooLong
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise Unreadable(TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreadable("no JSON") from None
