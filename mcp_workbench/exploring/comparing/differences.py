"""Where two JSON values differ, by path. Pure.

Objects are compared by their members, lists by position, numbers by what they say (1 is 1.0, and no bool). A text in which a
recording has withheld a secret equals whatever could have stood there; a live answer that looks so is a text like any other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mcp_workbench.exploring.recording.known_secrets import could_have_been

Path = tuple[str | int, ...]
"""Names of members and positions in lists, from the top."""

_PLAIN = re.compile(r"[^\W\d][\w-]*")


class Absent(Enum):
    """What stands where one side has nothing."""

    ABSENT = "(absent)"

    def __repr__(self) -> str:
        return self.value


ABSENT = Absent.ABSENT
Recorded = tuple[bool, bool]
EITHER: Recorded = (True, True)
FIRST: Recorded = (True, False)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ."""

    path: Path
    a: Any
    """What stands there on the one side; `ABSENT`: nothing."""
    b: Any

    @property
    def where(self) -> str:
        """The path as text: `$.rows[3].id`."""
        return path_text(self.path)

    def __str__(self) -> str:
        return f"{self.where}: {as_text(self.a)} → {as_text(self.b)}"


def differences(a: Any, b: Any, path: Path = (), *, recorded: Recorded = EITHER) -> list[Difference]:
    """Every place where two JSON values differ, in the order of the first; none where they are equal.

    Args:
        a: One value; `ABSENT`: there is none.
        b: The other.
        path: Where both stand.
        recorded: Which of them were recorded, so that secrets may have been withheld of them.
    """
    found: list[Difference] = []
    waiting: list[tuple[Path, Any, Any]] = [(path, a, b)]  # a stack: JSON may be nested deeper than Python calls
    while waiting:
        at, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            names = (*one, *(name for name in other if name not in one))
            waiting.extend(((*at, name), one.get(name, ABSENT), other.get(name, ABSENT)) for name in reversed(names))
        elif isinstance(one, list) and isinstance(other, list):
            longest = range(max(len(one), len(other)) - 1, -1, -1)
            waiting.extend(((*at, index), _at(one, index), _at(other, index)) for index in longest)
        elif not same_leaf(one, other, recorded):
            found.append(Difference(at, one, other))
    return found


def same(a: Any, b: Any, *, recorded: Recorded = EITHER) -> bool:
    """Whether there is none."""
    return not differences(a, b, recorded=recorded)


def same_leaf(a: Any, b: Any, recorded: Recorded = EITHER) -> bool:
    """Whether two values are equal that are not both objects, or both lists."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b
    if type(a) is type(b) and a == b:
        return True
    return (recorded[0] and _could_be(a, b)) or (recorded[1] and _could_be(b, a))


def value_at(value: Any, path: Path) -> Any:
    """What stands at a place; `ABSENT`: nothing."""
    for step in path:
        is_item = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not is_item and not (isinstance(value, dict) and step in value):
            return ABSENT
        value = value[step]
    return value


def path_text(path: Path) -> str:
    """`$.rows[3].id`; a name that is no plain word stands in quotes: `$["a b"]`."""
    return "$" + "".join(map(_step_text, path))


def as_text(value: Any) -> str:
    """A value as JSON, on one line."""
    return repr(value) if value is ABSENT else json.dumps(value, ensure_ascii=False)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{json.dumps(step, ensure_ascii=False)}]"


def _could_be(written: Any, value: Any) -> bool:
    """A secret was withheld here: a text, a number, or something whole."""
    if not isinstance(written, str) or value is ABSENT:
        return False
    return could_have_been(written, value if isinstance(value, str) else as_text(value))
