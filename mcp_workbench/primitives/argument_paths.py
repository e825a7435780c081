"""Places in a tool's arguments, as its author names them in `redact=`: `password`, `user.ssn`, `$.rows[*].email`, `pair[0]`.

Parsed and checked where the tool is defined; looked up by whoever writes traffic down. Pure.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.options import MAX_ENTRIES
from mcp_workbench.primitives.wording import describe_value, nearest, quote

Path = tuple[str | int | None, ...]
"""Names of members, indices, and None for every item of a list."""

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\*|\d{1,9})\]")


def parse_path(text: str) -> Path:
    """One place.

    Raises:
        ValueError: It names none.
    """
    rest = text.removeprefix("$").removeprefix(".") if text.startswith("$") else text
    steps: list[str | int | None] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None:
            break
        name, index = found.groups()
        steps.append(name if name is not None else None if index == "*" else int(index))
        at = found.end()
    if not steps or at < len(rest) or rest.startswith("."):
        raise ValueError(f"expected a name or a path like user.ssn, $.rows[*].email or pair[0], got {text[:80]!r}")
    return tuple(steps)


def replace_at(value: Any, path: Path, replace: Callable[[Any], Any]) -> Any:
    """The value with what is at a place replaced, in it itself; nothing happens where there is no such place."""
    if not path:
        return replace(value)
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        value[step] = replace_at(value[step], rest, replace)
    elif isinstance(value, list) and not isinstance(step, str):
        for index in range(len(value)) if step is None else [step] if step < len(value) else ():
            value[index] = replace_at(value[index], rest, replace)
    return value


def checked_redact(paths: object, parameters: Iterable[str], label: str) -> tuple[str, ...]:
    """What is withheld when this tool's calls are written into files.

    Args:
        paths: One place, or some.
        parameters: The names of the tool's arguments.
        label: The tool.

    Raises:
        RegistrationError: What is no place, or begins with no argument of the tool.
    """
    several: Any = [paths] if isinstance(paths, str) else paths
    if not isinstance(several, Iterable):
        raise RegistrationError(f"{label}: redact takes the names of arguments, got {describe_value(paths)}.")
    known, checked = tuple(parameters), tuple(itertools.islice(several, MAX_ENTRIES + 1))
    if len(checked) > MAX_ENTRIES:
        raise RegistrationError(f"{label}: redact takes up to {MAX_ENTRIES}, got more.")
    for path in checked:
        if not isinstance(path, str):
            raise RegistrationError(f"{label}: redact takes the names of arguments, got {describe_value(path)}.")
        try:
            first = parse_path(path)[0]
        except ValueError as error:
            raise RegistrationError(f"{label}: redact: {error}.") from None
        if first not in known:
            close = nearest(str(first), known, 1)
            hint = f", nearest is {quote(close[0])}" if close else ""
            raise RegistrationError(f"{label}: redact={quote(path)} names no argument of it{hint}.")
    return checked
