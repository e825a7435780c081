"""One entry of one section in JSON that people write: comments and trailing commas stay, and every byte that is not the entry's.

A text is read into spans (`parse`), and an edit is cut out of it or put into it; nothing is written anew. A new entry
goes in front of the others, so that no line of theirs gets a comma. Every edit is read again before it is given out:
where it does not say exactly what was wanted, it is refused. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mcp_workbench.cli.install import NOT_SAFELY, Refused

MAX_DEPTH = 100
_SKIP = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"[-+.\w]+")
_REST_OF_LINE = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*)?(?=\r?\n)")


@dataclass(frozen=True, slots=True)
class Value:
    """Where a value stands, and what it is."""

    start: int
    end: int
    data: Any
    members: tuple[Member, ...] = ()
    """Of an object."""

    def member(self, name: str) -> Member | None:
        """The member of that name.

        Raises:
            Refused: There are several.
        """
        found = [member for member in self.members if member.name == name]
        if len(found) > 1:
            raise Refused(f"it has {len(found)} members called {name!r}, of which programs read different ones: remove all but one")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Member:
    """A name with its value, in an object."""

    name: str
    start: int
    """Of the name."""
    value: Value
    comma: int | None
    """Where the comma behind it is."""


def read_entry(text: str, section: str, name: str) -> Any:
    """What an entry says; None: it is not there.

    Raises:
        Refused: The text is not understood.
    """
    found = _section(parse(text), section)
    member = found.value.member(name) if found else None
    return member.value.data if member else None


def put_entry(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with the entry, new or in place of the one of that name.

    Raises:
        Refused: The text is not understood.
    """
    text = text if text.strip() else "{}\n"
    root = parse(text)
    expected = {**root.data, section: {**(root.data.get(section) or {}), name: entry}}
    found = _section(root, section)
    if found is None:
        edited = _insert(text, root, section, {name: entry})
    elif (old := found.value.member(name)) is not None and old.value.data == entry:
        edited = text
    elif old is not None:
        edited = text[: old.value.start] + _rendered(text, entry, _indent_at(text, old.start)) + text[old.value.end :]
    else:
        edited = _insert(text, found.value, name, entry)
    return _checked(edited, expected)


def drop_entry(text: str, section: str, name: str) -> str:
    """The text without the entry; the section stays, empty perhaps.

    Raises:
        Refused: The text is not understood.
    """
    root = parse(text)
    found = _section(root, section)
    member = found.value.member(name) if found else None
    if found is None or member is None:
        return text
    expected = {**root.data, section: {other: value for other, value in root.data[section].items() if other != name}}
    return _checked(_cut(text, found.value, found.value.members.index(member)), expected)


# --- reading ---------------------------------------------------------------------------------------------------


def parse(text: str) -> Value:
    """Read a whole text.

    Raises:
        Refused: It is no JSON object, comments and trailing commas allowed; says in which line.
    """
    reader = _Reader(text)
    value = reader.value(reader.skip(0), 0)
    if (end := reader.skip(value.end)) != len(text):
        raise reader.unexpected(end, "nothing more")
    if not isinstance(value.data, dict):
        raise Refused("it is no JSON object, which settings are: correct it first")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def skip(self, at: int) -> int:
        found = _SKIP.match(self.text, at)
        return at if found is None else found.end()

    def unexpected(self, at: int, wanted: str) -> Refused:
        line = self.text.count("\n", 0, at) + 1
        # The text itself may be a secret: it is not shown.
        there = "it ends there" if at >= len(self.text) else "something else is there"
        return Refused(f"line {line} is not understood: {wanted} is expected, {there}. Correct it first")

    def value(self, at: int, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise Refused(f"it is nested deeper than {MAX_DEPTH} levels, which no settings are")
        opening = self.text[at : at + 1]
        if opening == "{":
            return self._object(at, depth)
        if opening == "[":
            return self._array(at, depth)
        found = (_STRING if opening == '"' else _WORD).match(self.text, at)
        if found is None:
            raise self.unexpected(at, "a value")
        return Value(at, found.end(), self._scalar(found[0], at))

    def _scalar(self, word: str, at: int) -> Any:
        if word in ("NaN", "Infinity", "-Infinity"):
            raise self.unexpected(at, "a value")
        try:
            return json.loads(word)
        except ValueError:
            raise self.unexpected(at, "a value") from None

    def _object(self, start: int, depth: int) -> Value:
        members: list[Member] = []
        at = self.skip(start + 1)
        while self.text[at : at + 1] != "}":
            found = _STRING.match(self.text, at)
            if found is None or (members and members[-1].comma is None):
                raise self.unexpected(at, "a comma or }" if members and members[-1].comma is None else "a name in quotes")
            colon = self.skip(found.end())
            if self.text[colon : colon + 1] != ":":
                raise self.unexpected(colon, "a colon")
            value = self.value(self.skip(colon + 1), depth + 1)
            behind = self.skip(value.end)
            comma = behind if self.text[behind : behind + 1] == "," else None
            members.append(Member(self._scalar(found[0], at), at, value, comma))
            at = behind if comma is None else self.skip(comma + 1)
        return Value(start, at + 1, {member.name: member.value.data for member in members}, tuple(members))

    def _array(self, start: int, depth: int) -> Value:
        items: list[Any] = []
        at, may_go_on = self.skip(start + 1), True
        while self.text[at : at + 1] != "]":
            if not may_go_on:
                raise self.unexpected(at, "a comma or ]")
            value = self.value(at, depth + 1)
            items.append(value.data)
            at = self.skip(value.end)
            may_go_on = self.text[at : at + 1] == ","
            at = self.skip(at + 1) if may_go_on else at
        return Value(start, at + 1, items)


def _section(root: Value, name: str) -> Member | None:
    found = root.member(name)
    if found is not None and not isinstance(found.value.data, dict):
        raise Refused(f"{name!r} in it is no JSON object: correct it first")
    return found


# --- writing ---------------------------------------------------------------------------------------------------


def _insert(text: str, into: Value, name: str, data: Any) -> str:
    """A new first member."""
    at = into.start + 1
    first = into.members[0] if into.members else None
    rest = _REST_OF_LINE.match(text, at)
    if first is not None and (rest is None or rest.end() > first.start):
        return f"{text[:at]}{json.dumps(name)}: {json.dumps(data, ensure_ascii=False)}, {text[at:]}"
    if rest is not None and rest.end() < into.end:
        at = rest.end()
    outside = _indent_at(text, into.start)
    indent = outside + _unit(text) if first is None else _indent_at(text, first.start)
    newline = _newline(text)
    piece = f"{newline}{indent}{json.dumps(name)}: {_rendered(text, data, indent)}"
    if first is not None:
        piece += ","
    elif "\n" not in text[at : into.end]:
        piece += f"{newline}{outside}"
    return text[:at] + piece + text[at:]


def _cut(text: str, out_of: Value, index: int) -> str:
    """Without a member, its comma, or the one before it, and the line that was its own."""
    member = out_of.members[index]
    end = member.value.end if member.comma is None else member.comma + 1
    before = text[: member.start].rstrip(" \t")
    if before.endswith("\n") and _REST_OF_LINE.match(text, end) is not None and not text[end:].lstrip(" \t").startswith("/"):
        start = len(before) - (2 if before.endswith("\r\n") else 1)
    else:
        start = member.start
        end += member.comma is not None and text[end : end + 1] == " "
    left, right = text[:start], text[end:]
    if member.comma is None and index > 0:
        comma = out_of.members[index - 1].comma or start
        left = left[:comma] + (left[comma + 1 :] if left[comma + 1 :].strip() else "")
    if len(out_of.members) == 1 and not (left[out_of.start + 1 :] + right[: out_of.end - 1 - end]).strip():
        left, right = left[: out_of.start + 1], right[out_of.end - 1 - end :]
    return left + right


def _checked(text: str, expected: Any) -> str:
    if parse(text).data != expected:
        raise Refused(NOT_SAFELY)
    return text


def _rendered(text: str, data: Any, indent: str) -> str:
    lines = json.dumps(data, indent=_unit(text), ensure_ascii=False).split("\n")
    return f"{_newline(text)}{indent}".join(lines)


def _indent_at(text: str, at: int) -> str:
    """The white space that begins the line."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """By how much the text indents: as its first indented line does."""
    found = re.search(r"\n([ \t]+)[^ \t\r\n]", text)
    return found[1] if found is not None else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
