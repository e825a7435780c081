"""What a publication follows: a variable of the notebook, or, failing that, the object itself.

A DataFrame knows no name, but people rebind: `flights = flights.dropna()`. So what was published is looked
up again by variable, and the author is told once when that variable is not the one they would expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcp_workbench.errors import RegistrationError
from mcp_workbench.live.dataframes.fingerprint import Fingerprint, take_fingerprint, unchanged
from mcp_workbench.live.dataframes.foreign import Sight, kind_of, see
from mcp_workbench.primitives.wording import quote, type_name


@dataclass(frozen=True, slots=True)
class Followed:
    """Where the current state is found."""

    variable: str | None
    """Name in the namespace; None: `obj` itself."""
    namespace: Mapping[str, Any] | None
    obj: Any
    """Only when no variable is followed."""


def choose(name: str, df: Any, follow: str | None, namespace: Mapping[str, Any] | None) -> tuple[Followed, str | None]:
    """Decide what to follow.

    Args:
        name: The published name.
        df: What is published.
        follow: The author's choice, if any.
        namespace: The author's variables, if known.

    Returns:
        What is followed, and a sentence when it is not the variable `name`.

    Raises:
        RegistrationError: `follow` is not a variable bound to `df`.
    """
    variables = dict(namespace) if namespace is not None else {}
    if follow is not None:
        if variables.get(follow) is not df:
            raise RegistrationError(f"follow={quote(follow)}: no variable of that name is bound to what is published as {name}.")
        return Followed(follow, namespace, None), None
    if variables.get(name) is df:
        return Followed(name, namespace, None), None
    bound = [variable for variable, value in variables.items() if value is df and not variable.startswith("_")]
    if len(bound) == 1:
        return Followed(bound[0], namespace, None), f"{name} follows the variable {bound[0]}."
    if bound:
        return Followed(
            None, None, df
        ), f'{name} follows the object itself, not its variables {", ".join(bound)}: choose one with follow="{bound[0]}".'
    return Followed(None, None, df), f"{name} follows the object itself: no variable is bound to it."


def look_up(followed: Followed, namespace: Mapping[str, Any] | None) -> tuple[Any, str | None]:
    """Find the current state.

    Args:
        followed: What `choose` decided.
        namespace: The author's variables now; default: those of then.

    Returns:
        The table and None, or None and why there is none.
    """
    if followed.variable is None:
        return followed.obj, None
    variables = followed.namespace if namespace is None else namespace
    if variables is None or followed.variable not in variables:
        return None, f"its variable {followed.variable} was deleted"
    value = variables[followed.variable]
    if isinstance(value, pd.DataFrame | pd.Series) or kind_of(value) is not None:
        return value, None
    return None, f"its variable {followed.variable} now holds {type_name(type(value))}"


def seen(table: Any) -> Fingerprint | Sight:
    """Remember a table as it is now; microseconds, no value is read."""
    return take_fingerprint(table) if kind_of(table) is None else see(table)


def as_seen(before: Fingerprint | Sight, table: Any) -> bool:
    """Tell whether a table is certainly what was seen before; it may be of another library by now."""
    if isinstance(before, Sight):
        return before.still(table)
    return kind_of(table) is None and unchanged(before, table)
