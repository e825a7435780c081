"""One entry of one section in TOML: a table `[section.name]` at the end of the file, and every other byte as it was.

Only tables with headers of their own are edited; the standard library says which lines are headers, reads the text before
and after, and an edit that does not say exactly what was wanted is refused. Pure.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from mcp_workbench.cli.install import NOT_SAFELY, Refused

_HEADER = re.compile(r"[ \t]*\[")


def read_entry(text: str, section: str, name: str) -> Any:
    """What an entry says; None: it is not there.

    Raises:
        Refused: The text is not understood.
    """
    return _section(_parse(text), section).get(name)


def put_entry(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with the entry, new or in place of the one of that name.

    Raises:
        Refused: The text is not understood.
    """
    before = _parse(text)
    rest = drop_entry(text, section, name)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [f"[{section}.{name}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items())]
    gap = "" if not rest else newline if rest.endswith("\n") else 2 * newline
    expected = {**before, section: {**_section(before, section), name: entry}}
    return _checked(rest + gap + "".join(line + newline for line in lines), expected)


def drop_entry(text: str, section: str, name: str) -> str:
    """The text without the entry and the tables below it.

    Raises:
        Refused: The text is not understood.
    """
    before = _parse(text)
    entries = _section(before, section)
    if name not in entries:
        return text
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    ours = _header_of(section, name)
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if not (ours.match(lines[at]) and _is_header(lines, at)):
            kept.append(lines[at])
            at += 1
            continue
        at = _end_of_table(lines, at)
        if kept and not kept[-1].strip() and (at == len(lines) or not lines[at].strip()):
            kept.pop()  # the empty line before it
    expected = {**before, section: {other: value for other, value in entries.items() if other != name}}
    if not expected[section]:
        del expected[section]
    return _checked("".join(kept), expected, empty=section)


def _end_of_table(lines: list[str], header: int) -> int:
    """Behind its last line that says something; comments before the next header belong to that."""
    end = at = header + 1
    while at < len(lines) and not (_HEADER.match(lines[at]) and _is_header(lines, at)):
        at += 1
        if lines[at - 1].strip() and not lines[at - 1].lstrip().startswith("#"):
            end = at
    return end


def _is_header(lines: list[str], at: int) -> bool:
    """Whether what looks like a header is one: in a text or a list of several lines it is not, and what stands before it is no TOML."""
    try:
        tomllib.loads("".join(lines[:at]))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _header_of(section: str, name: str) -> re.Pattern[str]:
    """Headers of the entry's table and of those below it."""
    key, below = (rf"[ \t]*(?:{re.escape(word)}|\"{re.escape(word)}\"|'{re.escape(word)}')[ \t]*" for word in (section, name))
    return re.compile(rf"[ \t]*\[{key}\.{below}(?:\..*)?\][ \t]*(?:#.*)?\r?\n?$")


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Of the message only the place: the rest may show what is a secret.
        place = re.search(r"\(at .*\)$", str(error))
        raise Refused(f"it is not understood as TOML {place[0] if place else ''}: correct it first") from None


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise Refused(f"{name!r} in it is no table: correct it first")
    return found


def _checked(text: str, expected: dict[str, Any], *, empty: str = "") -> str:
    """Whether it says that; a section that has become empty may be written or not."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Refused(NOT_SAFELY) from None
    if found.get(empty) == {}:
        del found[empty]
    if found != expected:
        raise Refused(NOT_SAFELY)
    return text
